"""Train the genre model on the first seconds of 980 tracks of GTZAN and on 50 whole tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.genre import Genre, GenreConfig
from streamer.errors import ConfigError
from train.augment.features import mask, mix_up
from train.data.sets.gtzan.gtzan_mels import TEN_FOLDS
from train.loop.folds import HoldsOut
from train.loop.run import DataUsed
from train.loop.task import Batch, LoopConfig
from train.mixing.clip_variations import ClipVariations
from train.mixing.genre_clips import GenreClips
from train.tasks.music_tags.warm_start import begin_from


@dataclass(frozen=True)
class GenreRunConfig(HoldsOut):
    """Configuration of a training run of the task ``genre``.

    Attributes
    ----------
    model : GenreConfig
        Sizes of the network.
    loop : LoopConfig
        Settings of the training loop.
    fold, validation_fold : int
        Held-out folds of the ten, see `train.loop.folds.HoldsOut`.
    whole_tracks : float
        Share of a batch that is taken from random places in whole tracks.
    snippets : float
        Share of a batch that is taken from cut-outs of the learnt folds' tracks; see
        `train.data.sets.gtzan.gtzan_snippets`.
    begin : str
        Folder of a run of the task ``music_tags`` with whose weights the network begins; empty for random ones.
    mixup : float
        Parameter alpha of mixup (Zhang et al. 2018); with 0, no clips are mixed.
    shift_bands : int
        Largest shift in bands, up or down, which changes the pitch.
    speed : float
        Largest relative change of the speed, up or down.
    contrast, tilt : float
        Standard deviations of the factor on a clip's range, and of a slope over the bands, in deviations of GTZAN's
        decibels.
    masks, mask_bands, mask_frames : int
        Number of stripes that SpecAugment hides in each direction, and the largest width of a stripe.
    smoothing : float
        Share of the labels that is spread over all genres.
    """

    folds: ClassVar[Sequence[int]] = TEN_FOLDS
    model: GenreConfig = field(default_factory=GenreConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=4_000, batch=32, learning_rate=3e-3, weight_decay=5e-2, average=0.995, workers=0
        )
    )
    fold: int = 9
    validation_fold: int = 8
    whole_tracks: float = 0.25
    snippets: float = 0.0
    begin: str = ""
    mixup: float = 0.4
    shift_bands: int = 3
    speed: float = 0.15
    contrast: float = 0.05
    tilt: float = 0.2
    masks: int = 2
    mask_bands: int = 14
    mask_frames: int = 20
    smoothing: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.whole_tracks, self.snippets) < 0 or self.whole_tracks + self.snippets > 1:
            raise ConfigError(
                f"whole_tracks is {self.whole_tracks:g} and snippets {self.snippets:g}; expected shares of a batch, "
                "0 to 1 together"
            )


class GenreTask:
    """Training task ``genre``: the data, loss and validation of the genre network.

    Parameters
    ----------
    config : GenreRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a genre has no tracks, or cut-outs are wanted and there are none, in the folds that are learnt from.
    """

    name = "genre"

    def __init__(self, config: GenreRunConfig, data: Path, cache: Path) -> None:
        self.config = config
        self.front_end = config.model.front_end
        self._clips = GenreClips(config, self.front_end, data, cache, config.whole_tracks, config.snippets)
        self.labels = self._clips.labels
        self._checked = self._clips.frames_of(config.checked_fold)
        self._variations = ClipVariations(config.shift_bands, config.speed, config.contrast, config.tilt)

    def data_hash(self) -> DataUsed:
        return self._clips.data_used()

    def make_model(self) -> nn.Module:
        """Return the network with random weights, or with those of the run of music tags in ``config.begin``."""
        model = Genre(self.config.model, self.labels)
        if self.config.begin:
            begin_from(model, Path(self.config.begin))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step: frames, (size, FRAMES, bands), and probabilities of genres, (size, labels)."""
        rng, c = np.random.default_rng((seed, step)), self.config
        frames, genres = self._clips.draw(rng, size)
        targets = np.eye(len(self.labels), dtype=np.float32)[genres]
        frames = np.stack([self._variations.vary(rng, clip) for clip in frames])
        if c.mixup:
            frames, targets = mix_up(rng, frames, targets, c.mixup)
        frames = mask(rng, frames, c.masks, c.mask_bands, c.mask_frames)
        targets = targets * np.float32(1 - c.smoothing) + np.float32(c.smoothing / len(self.labels))
        return torch.from_numpy(frames), torch.from_numpy(targets)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the cross entropy at a clip's end as ``genre``, and half of that at its middle as ``early``."""
        frames, targets = batch
        logits, _ = model(frames)
        steps = logits.shape[1]
        return {
            "genre": F.cross_entropy(logits[:, -1], targets),
            "early": 0.5 * F.cross_entropy(logits[:, steps // 2], targets),
        }

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a model on the first 3 s of the validation fold's tracks.

        Returns
        -------
        dict
            ``accuracy``: share of the tracks whose genre is the likeliest. ``score``, by which the best weights are
            chosen: the negative cross entropy.
        """
        device = next(model.parameters()).device
        frames, truth = map(torch.from_numpy, self._checked)
        with torch.no_grad():
            logits, _ = model(frames.to(device))
        last = logits[:, -1].cpu()
        entropy = F.cross_entropy(last, truth).item()
        return {"score": -entropy, "accuracy": float((last.argmax(1) == truth).float().mean())}
