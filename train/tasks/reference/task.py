"""Train a reference network that classifies whole clips by mel images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.augment.features import mix_up
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch
from train.mixing.mel_images import ImageSet
from train.tasks.reference.config import ImageRunConfig

BATCH = 64
"""Number of images that are classified at once where nothing is learnt."""


class ImageTask:
    """Training task of a reference network: the data, loss and validation.

    Parameters
    ----------
    config : ImageRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If the data set is not there, or has too few recordings in a fold.
    """

    front_end = None

    def __init__(self, config: ImageRunConfig, data: Path, cache: Path) -> None:
        self.config, self.name = config, config.task
        self._learnt = config.images(config.learnt_folds, data, cache)
        self._checked = config.images([config.checked_fold], data, cache)
        self.labels = tuple(sorted(set(self._learnt.categories)))
        self._truth = truth_of(self._learnt, self.labels)
        self._checked_truth = truth_of(self._checked, self.labels)
        # The same order for all shares: a smaller share is part of a larger one.
        self._order = np.random.default_rng(config.loop.seed).permutation(len(self._learnt))

    def data_hash(self) -> DataUsed:
        return replace(data_used(self._learnt, self._checked), labels=self.labels)

    def make_model(self) -> nn.Module:
        """Return the network with random weights, in the layout in which convolutions on a CPU take the least time."""
        model = self.config.network(self.config.model, self.config.image.bands, len(self.labels))
        laid_out: nn.Module = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return laid_out

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step: images, (size, bands, frames), and probabilities of classes, (size, labels)."""
        rng, c = np.random.default_rng((seed, step)), self.config
        stage = min(len(c.growing) - 1, step * len(c.growing) // c.loop.steps)
        known = self._order[: max(2, round(c.growing[stage] * len(self._order)))]
        rows = known[rng.integers(len(known), size=size)]
        images = c.variations.vary(rng, np.stack([self._learnt.image(row) for row in rows]))
        targets = np.eye(len(self.labels), dtype=np.float32)[self._truth[rows]]
        if c.mixup:
            images, targets = mix_up(rng, images, targets, c.mixup)
        targets = targets * np.float32(1 - c.smoothing) + np.float32(c.smoothing / len(self.labels))
        return torch.from_numpy(images), torch.from_numpy(targets)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the cross entropy of a batch as ``classes``."""
        images, targets = batch
        return {"classes": F.cross_entropy(model(images), targets)}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model on the validation fold.

        Returns
        -------
        dict
            ``accuracy``: share of the clips whose class is the likeliest; ``entropy``: mean cross entropy; ``score``,
            by which the best weights are chosen: the negative cross entropy.
        """
        logits, truth = classify(model, self._checked), torch.from_numpy(self._checked_truth)
        entropy = F.cross_entropy(logits, truth).item()
        accuracy = (logits.argmax(1) == truth).float().mean().item()
        return {"score": -entropy, "entropy": entropy, "accuracy": accuracy}


def truth_of(images: ImageSet, labels: Sequence[str]) -> Array:
    """Return the index of the class of each image, int array, shape (images,).

    Raises
    ------
    ConfigError
        If there are images of a class of which nothing is learnt.
    """
    strange = sorted(set(images.categories) - set(labels))
    if strange:
        raise ConfigError(
            f"clips to check are of {', '.join(strange)}, of which none are learnt from; expected clips of each class "
            "in each fold: complete the data set"
        )
    return np.array([labels.index(category) for category in images.categories])


def classify(model: nn.Module, images: ImageSet) -> Tensor:
    """Return the logits of all images, on the CPU, shape (clips, labels)."""
    device, found = next(model.parameters()).device, []
    with torch.no_grad():
        for rows in np.array_split(np.arange(len(images)), -(-len(images) // BATCH)):
            batch = torch.from_numpy(np.stack([images.image(row) for row in rows]))
            found.append(model(batch.to(device)).float().cpu())
    return torch.cat(found)
