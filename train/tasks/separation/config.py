"""Configuration of runs of the separation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from models.layers import StreamingModel
from models.separation_mask import Mask, MaskConfig
from streamer.errors import ConfigError
from train.loop.folds import HoldsOut
from train.loop.task import LoopConfig
from train.mixing.remixes import RemixConfig


@dataclass(frozen=True)
class LossWeights:
    """Weights of the losses of the separation, by which they are added up; see `train.tasks.separation.losses`.

    Attributes
    ----------
    snr, interference : float
        Weights, for each decibel, of the losses `snr_loss` and `interference_loss`, each summed over both stems.
    spectral, voice : float
        Weights of `spectral_loss`, summed over both stems, and of the cross entropy of voice activity.

    Raises
    ------
    ConfigError
        If a weight is negative, or all are 0.
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
    """Configuration of a training run of the task ``separation``. Subclasses are for the tasks of other networks.

    Attributes
    ----------
    task : str
        Name of the task.
    network : type
        Class of the network; it is called with `model`.
    description : str
        Description of the network on model cards.
    data : tuple of str
        Names of sets of songs in `train.data.sets.songs.song_catalogue`, or paths of folders.
    voices, accompaniments : tuple of str
        Names of data sets in `train.data.sets.catalogue` whose voices alone, and whose music without voices, get into
        remixes as well (`train.mixing.lone_stems`). They are learnt from, and not measured on.
    model : MaskConfig
        Sizes of the network.
    loop : LoopConfig
        Settings of the training loop.
    remixes : RemixConfig
        Settings of the remixes, the examples of the training.
    weights : LossWeights
        Weights of the losses.
    begin : str
        Folder of a run, or of a model released from a run, whose weights this run starts from: to fine-tune them on
        other songs, or for another transform if the bands of its zones have the same widths. With an empty text the
        run starts from random weights.
    fold, validation_fold : int
        Held-out folds, see `train.loop.folds.HoldsOut`.
    """

    task: ClassVar[str] = "separation"
    network: ClassVar[type[StreamingModel]] = Mask
    description: ClassVar[str] = "LSTMs along time in each band, and convolutions across bands"

    data: tuple[str, ...] = ("mir1k", "spoken")
    voices: tuple[str, ...] = ()
    accompaniments: tuple[str, ...] = ()
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
