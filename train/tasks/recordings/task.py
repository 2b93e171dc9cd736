"""Train a head on the ear that classifies recordings of any data set, or of the user's own, by category."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.heads import HeadConfig
from streamer.arrays import Array
from streamer.errors import ConfigError
from train.augment.features import mix_up
from train.data.recordings import Recording, check_folds
from train.data.sets.all_sound import DEFAULT_DATA_SETS
from train.data.sets.catalogue import DataSet, find_data_set, whole_of
from train.loop.folds import HoldsOut
from train.loop.run import DataUsed, data_used
from train.loop.schedule import Cosine, ScheduleConfig
from train.loop.task import Batch, LoopConfig
from train.mixing.embedding_cache import EmbeddingCache
from train.tasks.on_ear import check_ear_holds_out, load_ear, make_head


@dataclass(frozen=True)
class RecordingsRunConfig(HoldsOut):
    """Configuration of a training run of the task ``recordings``, a head that classifies recordings by category.

    Attributes
    ----------
    data : str
        Name of a data set in `train.data.sets.catalogue`, or path of the user's own folder of folders.
    own_music : bool
        Whether the user's own folder holds music. A model trained on music is a genre head, which runs while the gate
        is open.
    ear : str
        Exported or released folder of the ear.
    model : HeadConfig
        Sizes of the head.
    loop : LoopConfig
        Settings of the training loop.
    fold, validation_fold : int
        Held-out folds, see `train.loop.folds.HoldsOut`.
    crop_steps : int
        Number of the ear's steps, 80 ms each, in the random part of a recording that a batch takes.
    mixup : float
        Parameter alpha of mixup (Zhang et al. 2018); with 0, no recordings are mixed.
    smoothing : float
        Share of the labels that is spread over all categories.
    """

    data: str = ""
    own_music: bool = False
    ear: str = "models/released/ear"
    model: HeadConfig = field(default_factory=HeadConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=1_000,
            batch=64,
            weight_decay=0.1,
            average=0.99,
            validate_every=100,
            workers=0,
            schedule=ScheduleConfig(cosine=Cosine(warm_up_steps=50)),
        )
    )
    fold: int = 5
    validation_fold: int = 4
    crop_steps: int = 40
    mixup: float = 0.4
    smoothing: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop_steps < 1:
            raise ConfigError(f"crop_steps is {self.crop_steps}; expected 1 or more")


def data_set_of(config: RecordingsRunConfig) -> DataSet:
    """Return the data set that a run's configuration names, which may be a folder of the user's own."""
    return find_data_set(config.data, "music" if config.own_music else "sound")


def find_recordings(config: RecordingsRunConfig, data: Path, cache: Path) -> list[Recording]:
    """Return all recordings, of every fold, of the data set that a run's configuration names.

    Parameters
    ----------
    config : RecordingsRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If the data set is not there, or one of its folds has fewer than two recordings.
    """
    found = data_set_of(config).recordings(data, cache)
    check_folds(found)
    return found


class RecordingsTask:
    """Training task ``recordings``: the data, loss and validation of a head that classifies recordings by category.

    Parameters
    ----------
    config : RecordingsRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a fold has too few recordings, the model in ``config.ear`` is not an ear, or the ear was trained on the
        held-out folds.
    """

    name = "recordings"

    def __init__(self, config: RecordingsRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        self.ear = load_ear(config.ear)
        self.front_end = self.ear.manifest.front_end
        found = find_recordings(config, data, cache)
        if (
            whole_of(config.data) in DEFAULT_DATA_SETS
        ):  # the ear was trained on them, except for its held-out folds
            check_ear_holds_out(self.ear, config.ear, config.fold, config.validation_fold)
        self.labels = tuple(sorted({recording.category for recording in found}))
        checked = config.checked_fold
        self._learnt = EmbeddingCache([r for r in found if r.fold in config.learnt_folds], cache, self.ear)
        self._checked = EmbeddingCache([r for r in found if r.fold == checked], cache, self.ear)
        check_folds(self._learnt.recordings, self.labels, config.learnt_folds)
        check_folds(self._checked.recordings, folds=[checked])

    def data_hash(self) -> DataUsed:
        return replace(data_used(self._learnt, self._checked), labels=self.labels)

    def make_model(self) -> nn.Module:
        """Return a head with random weights; it normalises its input by the mean and deviation of some embeddings."""
        embeddings, _ = self.make_batch(self.config.loop.seed, 0, 256)
        return make_head(self.config.model, self.labels, embeddings)

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step: embeddings and probabilities of the categories.

        Returns
        -------
        embeddings : float32 Tensor, shape (size, crop_steps, embedding)
            Embeddings of random parts of recordings, mixed in pairs by mixup.
        targets : float32 Tensor, shape (size, labels)
            Probability of each category.
        """
        rng, c = np.random.default_rng((seed, step)), self.config
        rows = rng.integers(len(self._learnt), size=size)
        embeddings = np.stack([self._crop(rng, row) for row in rows])
        targets = np.eye(len(self.labels), dtype=np.float32)[[self._truth(self._learnt, row) for row in rows]]
        if c.mixup:
            embeddings, targets = mix_up(rng, embeddings, targets, c.mixup)
        targets = targets * np.float32(1 - c.smoothing) + np.float32(c.smoothing / len(self.labels))
        return torch.from_numpy(embeddings), torch.from_numpy(targets)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the cross entropy of the mean logits of each part of a recording, as ``recordings``.

        The mean is taken because not every step of a part reveals the category.
        """
        embeddings, targets = batch
        logits, _ = model(embeddings)
        return {"recordings": F.cross_entropy(logits.mean(1), targets)}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model on whole recordings of the validation fold, by the mean logits of their steps.

        Returns
        -------
        dict
            ``accuracy``: share of the recordings whose category is the likeliest. ``score``, by which the best weights
            are chosen: the negative cross entropy; with few recordings accuracy is too coarse for that.
        """
        device, means = next(model.parameters()).device, []
        with torch.no_grad():
            for index in range(len(self._checked)):
                embeddings = torch.from_numpy(self._checked.embeddings(index)[None]).to(device)
                means.append(model(embeddings)[0].mean(1).cpu())
        logits = torch.cat(means)
        truth = torch.tensor([self._truth(self._checked, index) for index in range(len(self._checked))])
        accuracy = (logits.argmax(1) == truth).float().mean().item()
        return {"score": -F.cross_entropy(logits, truth).item(), "accuracy": accuracy}

    def _truth(self, cache: EmbeddingCache, index: int) -> int:
        return self.labels.index(cache.recordings[index].category)

    def _crop(self, rng: np.random.Generator, index: int) -> Array:
        """Return a random part of a recording; a recording that is too short is repeated."""
        steps = self.config.crop_steps
        first = int(rng.integers(max(1, self._learnt.length(index) - steps + 1)))
        part = self._learnt.embeddings(index, first, steps)
        return np.resize(part, (steps, part.shape[1]))
