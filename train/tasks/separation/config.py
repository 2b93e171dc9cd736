"""The configuration of a run of the separation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from models.layers import StreamingModel
from models.separation_mask import Mask, MaskConfig
from streamer.errors import ConfigError
from train.loop.folds import HoldsOut
from train.loop.task import LoopConfig
from train.mixing.remixes import RemixConfig


@dataclass(frozen=True)
class LossWeights:
    """How much each loss counts.

    Attributes
    ----------
    snr, interference : float
        A decibel, of both stems together.
    spectral, voice : float
        A unit.
    """

    snr: float = 0.05
    interference: float = 0.01
    spectral: float = 1.0
    voice: float = 0.3

    def __post_init__(self) -> None:
        if wrong := [name for name, weight in vars(self).items() if weight < 0]:
            raise ConfigError(f"{wrong[0]} is {getattr(self, wrong[0])}; expected at least 0")
        if not any(vars(self).values()):
            raise ConfigError("no loss counts; expected a weight above 0 of one")


@dataclass(frozen=True)
class SeparationRunConfig(HoldsOut):
    """A run of this task.

    Attributes
    ----------
    data : tuple of str
        Sets of songs, as of `train.data.sets.song_catalogue`.
    model : MaskConfig
    loop : LoopConfig
    remixes : RemixConfig
    weights : LossWeights
    begin : str
        Folder of a run, or of what was released from one, whose weights it begins with, to be tuned on other songs,
        or for another transform whose zones have bands as wide; empty begins at random.
    fold, validation_fold : int
        As in `train.loop.folds.HoldsOut`.
    """

    task: ClassVar[str] = "separation"
    network: ClassVar[Callable[[Any], StreamingModel]] = Mask
    described: ClassVar[str] = "bands that remember, and hear one another"

    data: tuple[str, ...] = ("mir1k", "spoken")
    model: MaskConfig = field(default_factory=MaskConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=30_000,
            batch=2,
            learning_rate=2e-3,
            weight_decay=1e-2,
            average=0.999,
            gradient_norm=5.0,
            validate_every=1_000,
        )
    )
    remixes: RemixConfig = field(default_factory=RemixConfig)
    weights: LossWeights = field(default_factory=LossWeights)
    begin: str = ""
    fold: int = 5
    validation_fold: int = 4
