"""Configuration of the runs in which the genre network learns from a tagger of music."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.genre import GenreConfig
from streamer.errors import ConfigError
from train.loop.folds import HoldsOut
from train.loop.task import LoopConfig
from train.mixing.clip_variations import ClipVariations


@dataclass(frozen=True)
class MusicTagsRunConfig(HoldsOut):
    """Configuration of a training run of the task ``music_tags``.

    Attributes
    ----------
    model : GenreConfig
        Sizes of the network.
    loop : LoopConfig
        Settings of the training loop.
    variations : ClipVariations
        Changes of the clips.
    wheel : str
        Wheel of musicnn 0.1.0, the teacher, as ``pip download`` leaves it.
    pieces : int
        Number of pieces of Debian's music that excerpts are taken from, evenly from each package.
    fold, validation_fold : int
        Held-out folds of the five, see `train.loop.folds.HoldsOut`.
    masks, mask_bands, mask_frames : int
        Number of stripes that SpecAugment hides in each direction, and the largest width of a stripe.
    """

    model: GenreConfig = field(default_factory=GenreConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=1_500, batch=32, learning_rate=3e-3, weight_decay=5e-2, average=0.99, workers=0
        )
    )
    variations: ClipVariations = field(default_factory=ClipVariations)
    wheel: str = "musicnn-0.1.0-py3-none-any.whl"
    pieces: int = 600
    fold: int = 5
    validation_fold: int = 4
    masks: int = 1
    mask_bands: int = 10
    mask_frames: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pieces < 1:
            raise ConfigError(f"pieces is {self.pieces}; expected 1 or more")
