"""Train the music gate, which decides whether there is music, on scenes made from all data sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from models.gate import HOP_FRAMES, Gate, GateConfig
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.errors import ConfigError
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.sets import gtzan_mels
from train.data.sets.all_sound import unambiguous_recordings
from train.evaluate.metrics.detection import DetectorScores
from train.loop.folds import HoldsOut
from train.loop.run import DataUsed, data_used
from train.loop.task import Batch, LoopConfig
from train.mixing.mel_music import MelMusic, match_file_precision
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.mixing.scenes import SceneConfig, Scenes, step_labels

FRONT_END = LogMel(GateConfig().front_end)
STEP_SAMPLES = FRONT_END.config.hop_samples * HOP_FRAMES
REACH_SAMPLES = FRONT_END.config.window_samples - FRONT_END.config.hop_samples
"""Number of samples beyond the hops of a step on which the step depends, 70 ms. The last of these samples gives the
label of the step."""


@dataclass(frozen=True)
class GateRunConfig(HoldsOut):
    """Configuration of a training run of the task ``gate``.

    Attributes
    ----------
    model : GateConfig
        Sizes of the network.
    loop : LoopConfig
        Settings of the training loop.
    scenes : SceneConfig
        Settings of the scenes that the gate learns from.
    validation_scenes : int
        Number of scenes for validation, which are made once.
    fold, validation_fold : int
        Held-out folds, see `train.loop.folds.HoldsOut`; `validation_fold` also chooses the thresholds.
    music_weight : float
        Weight of the loss on music steps, relative to other steps.
    mel_share : float
        Share of the scenes, 0 to 0.5, into which music of GTZAN's mel file is mixed. As many other scenes are only
        rounded like that file, so that the rounding does not give the music away.
    pieces : int
        Number of pieces that the scenes of every other batch are cut into, so that the model learns to decide soon
        after a fresh start.
    """

    model: GateConfig = field(default_factory=GateConfig)
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=10_000))
    scenes: SceneConfig = field(default_factory=SceneConfig)
    validation_scenes: int = 200
    fold: int = 5
    validation_fold: int = 4
    music_weight: float = 1.0
    mel_share: float = 0.3
    pieces: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.mel_share <= 0.5:
            raise ConfigError(
                f"mel_share is {self.mel_share:g}; expected 0 to 0.5: as many scenes again are like the file"
            )
        whole = int(self.scenes.seconds * RATE_HZ) // STEP_SAMPLES
        longest = whole // (2 + round(self.scenes.unknowable_s * RATE_HZ / STEP_SAMPLES))
        if not 1 <= self.pieces <= longest:
            raise ConfigError(
                f"pieces is {self.pieces}; expected 1 to {longest}, so that some of each is learnt from"
            )


class GateTask:
    """Training task ``gate``: the data, loss and validation of the music gate.

    Parameters
    ----------
    config : GateRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    """

    name = "gate"
    front_end = FRONT_END.config

    def __init__(self, config: GateRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        splits = config.learnt_folds, [config.checked_fold]
        self._caches = [SoundCache(unambiguous_recordings(data, cache, folds), cache) for folds in splits]
        train, validation = (Scenes(sounds, config.scenes) for sounds in self._caches)
        self._scenes = {"train": train, "validation": validation}
        self._mels = gtzan_mels.load(data)
        for cache_of_fold in self._caches:
            gtzan_mels.check_same_folds(self._mels, cache_of_fold.recordings)
        self._mel_music = MelMusic(
            self._mels, config.learnt_folds, config.model.mel_bands, config.scenes.audible_db
        )

    def data_hash(self) -> DataUsed:
        return data_used(*self._caches, self._mels)

    def make_model(self) -> nn.Module:
        """Return a gate with random weights; it normalises its input by the statistics of some training scenes."""
        model = Gate(self.config.model)
        frames, _ = self.make_batch(self.config.loop.seed, 0, 64)
        flat = frames.flatten(0, 1)
        model.set_normalisation(flat.mean(0), flat.std(0))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the frames, (scenes, frames, mel_bands), and the labels, (scenes, steps), of the batch of a step.

        Labels are those of `train.mixing.scenes`. Into some scenes, music of the mel file is mixed, and as many others
        are rounded like that file. Every other batch is cut into ``config.pieces`` times `size` shorter scenes.
        """
        rng = np.random.default_rng((seed, step))
        frames, labels = self._make(rng, self._scenes["train"], size)
        wait_steps = round(self.config.scenes.unknowable_s * RATE_HZ / STEP_SAMPLES)
        with_mel = round(size * self.config.mel_share)
        self._mel_music.mix_into(rng, frames[:with_mel], labels[:with_mel], wait_steps)
        frames[: 2 * with_mel] = match_file_precision(frames[: 2 * with_mel])
        if step % 2:
            frames, labels = _cut(frames, labels, self.config.pieces)
            labels[:, :wait_steps] = IGNORE  # of every piece, since its state starts afresh
        return _as_tensors(frames, labels)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        frames, labels = batch
        logits = model(frames)[0].squeeze(2)
        known = labels != IGNORE
        weight = torch.where(labels == PRESENT, self.config.music_weight, 1.0)[known]
        return {"music": binary_cross_entropy_with_logits(logits[known], labels[known].float(), weight)}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model over the labelled steps of the validation scenes.

        Returns
        -------
        dict
            ``auc``: area under the curve of steps with music against those without. ``tpr_at_1pc``: share of the steps
            with music that score above 99 % of the others. ``score``, by which the best weights are chosen: the
            negative cross entropy.
        """
        frames, labels = self._validation
        device = next(model.parameters()).device
        with torch.no_grad():
            parts = torch.split(frames, 16)
            logits = torch.cat([model(part.to(device))[0].cpu() for part in parts]).squeeze(2)
            entropy = binary_cross_entropy_with_logits(
                logits[labels != IGNORE], labels[labels != IGNORE].float()
            ).item()
        steps = DetectorScores(logits[labels == PRESENT].numpy(), logits[labels == OTHER].numpy())
        return {
            "score": -entropy,
            "auc": steps.auc(),
            "tpr_at_1pc": steps.tpr_at_fpr(0.01),
        }

    @cached_property
    def _validation(self) -> Batch:
        rng = np.random.default_rng(2_025)
        made = self._make(rng, self._scenes["validation"], self.config.validation_scenes)
        return _as_tensors(*made)

    def _make(self, rng: np.random.Generator, scenes: Scenes, size: int) -> tuple[Array, Array]:
        """Make scenes; return their log-mel frames (size, frames, mel_bands) and labels (size, steps)."""
        steps = int(self.config.scenes.seconds * RATE_HZ) // STEP_SAMPLES
        made = [scenes.make(rng, steps * STEP_SAMPLES + REACH_SAMPLES) for _ in range(size)]
        frames = offline(FRONT_END, np.stack([scene.sound for scene in made]))
        labels = [
            step_labels(scene.music[REACH_SAMPLES:], STEP_SAMPLES, self.config.scenes) for scene in made
        ]
        return frames, np.stack(labels)


def _cut(frames: Array, labels: Array, pieces: int) -> tuple[Array, Array]:
    """Cut scenes into pieces of equal length, each a scene of its own; a remainder at the end is dropped."""
    steps = labels.shape[1] // pieces * pieces
    return (
        frames[:, : steps * HOP_FRAMES].reshape(len(frames) * pieces, -1, frames.shape[2]),
        labels[:, :steps].reshape(len(labels) * pieces, -1),
    )


def _as_tensors(frames: Array, labels: Array) -> Batch:
    return torch.from_numpy(frames), torch.from_numpy(labels)
