"""Train a head on the ear that tells whether there is music, speech and singing, each by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.memory_head import MemoryHead
from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.cache import SoundCache
from train.data.fold_arrays import FoldArrays
from train.data.recordings import check_folds
from train.data.sets.all_sound import unambiguous_recordings
from train.evaluate.metrics.detection import DetectorScores
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch
from train.mixing.distillation import FRONT_END
from train.mixing.presence import IGNORE, NAMES, OTHER, PRESENT
from train.mixing.scene_embeddings import load_scene_embeddings
from train.tasks.on_ear import check_ear_holds_out, load_ear
from train.tasks.presence.config import PresenceRunConfig

NORMALISED_SCENES = 200
"""Number of scenes whose mean and deviation the head normalises its input by."""


class PresenceTask:
    """Training task ``presence``: the data, losses and validation of the head for music, speech and singing.

    Parameters
    ----------
    config : PresenceRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a data set is not there, a fold has too few recordings, the model in ``config.ear`` is not an ear, the ear
        was trained on the held-out folds, or a crop is longer than a scene.
    """

    name = "presence"
    front_end = FRONT_END.config

    def __init__(self, config: PresenceRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        ear = load_ear(config.ear)
        check_ear_holds_out(ear, config.ear, config.fold, config.validation_fold)
        self._caches = {
            fold: SoundCache(unambiguous_recordings(data, cache, [fold], config.data), cache)
            for fold in sorted({*config.learnt_folds, config.checked_fold})
        }
        check_folds([r for c in self._caches.values() for r in c.recordings], folds=tuple(self._caches))
        rows = {
            fold: load_scene_embeddings(ear, sounds, config.scenes, cache).arrays
            for fold, sounds in self._caches.items()
        }
        self._learnt = FoldArrays([rows[fold] for fold in config.learnt_folds])
        self._checked = rows[config.checked_fold]
        self._steps = self._checked["present"].shape[1]
        step_s = ear.manifest.hop_frames * ear.manifest.frame_ms / 1_000
        self._wait_steps = round(config.scenes.scene.unknowable_s / step_s)
        if not self._wait_steps < config.crop_steps <= self._steps:
            raise ConfigError(
                f"crop_steps is {config.crop_steps}; expected {self._wait_steps + 1} to {self._steps}, the steps of a "
                f"scene of {config.scenes.scene.seconds:g} s"
            )

    def data_hash(self) -> DataUsed:
        return data_used(*self._caches.values())

    def make_model(self) -> nn.Module:
        """Return a head with random weights; it normalises its input by the mean and deviation of some scenes."""
        rows = np.linspace(0, len(self._learnt) - 1, min(NORMALISED_SCENES, len(self._learnt))).astype(int)
        flat = torch.from_numpy(self._learnt.take("embeddings", rows)).flatten(0, 1)
        model = MemoryHead(self.config.model, flat.shape[1], NAMES)
        model.set_normalisation(flat.mean(0), flat.std(0))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step: crops of scenes.

        Returns
        -------
        embeddings : float32 Tensor, shape (size, crop_steps, embedding)
            The ear's embeddings.
        present : int8 Tensor, shape (size, crop_steps, 3)
            Labels of music, speech and singing; `IGNORE` at the first steps of a crop, since its memory is fresh.
        """
        rng = np.random.default_rng((seed, step))
        rows = rng.integers(len(self._learnt), size=size)
        first = rng.integers(self._steps - self.config.crop_steps + 1, size=size)
        cropped = (first[:, None] + np.arange(self.config.crop_steps))[:, :, None]
        embeddings, present = (
            np.take_along_axis(self._learnt.take(name, rows), cropped, axis=1)
            for name in ("embeddings", "present")
        )
        present[:, : self._wait_steps] = IGNORE
        return torch.from_numpy(embeddings), torch.from_numpy(present)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the binary cross entropy of each label, by its name, over the steps at which it is known."""
        embeddings, present = batch
        logits, _ = model(embeddings)
        known = present != IGNORE
        entropy = F.binary_cross_entropy_with_logits(
            logits, (present == PRESENT).float(), weight=known.float(), reduction="none"
        )
        means = entropy.sum((0, 1)) / known.sum((0, 1)).clamp(min=1)
        return dict(zip(NAMES, means, strict=True))

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model over the labelled steps of the scenes of the validation fold.

        Returns
        -------
        dict
            For each label, such as ``music``: ``music_auc``, area under the curve of steps with it against those
            without, and ``music_tpr_at_1pc``, share of the steps with it that score above 99 % of the others.
            ``score``, by which the best weights are chosen: the negative mean of the labels' cross entropies.
        """
        logits, present = self._logits(model), np.asarray(self._checked["present"])
        figures: dict[str, float] = {}
        entropies = []
        for label, own, truth in zip(
            NAMES, np.moveaxis(logits, 2, 0), np.moveaxis(present, 2, 0), strict=True
        ):
            positive, negative = own[truth == PRESENT], own[truth == OTHER]
            if not len(positive) or not len(negative):
                raise ConfigError(
                    f"the validation scenes have {len(positive)} steps with {label} and {len(negative)} without; "
                    "expected some of each: make more scenes (scenes.count), or add data"
                )
            steps = DetectorScores(positive, negative)
            figures |= {f"{label}_auc": steps.auc(), f"{label}_tpr_at_1pc": steps.tpr_at_fpr(0.01)}
            entropies.append(np.concatenate([np.logaddexp(0, -positive), np.logaddexp(0, negative)]).mean())
        return {"score": -float(np.mean(entropies)), **figures}

    def _logits(self, model: nn.Module) -> Array:
        """Return the logits of all scenes of the validation fold, shape (scenes, steps, 3)."""
        device, embeddings = next(model.parameters()).device, self._checked["embeddings"]
        outputs = []
        with torch.no_grad():
            for part in np.array_split(np.arange(len(embeddings)), -(-len(embeddings) // 64)):
                heard = torch.from_numpy(embeddings[part].astype(np.float32)).to(device)
                outputs.append(model(heard)[0].float().cpu().numpy())
        return np.concatenate(outputs)
