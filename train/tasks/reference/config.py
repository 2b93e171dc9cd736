"""Configuration of the runs of reference networks, which classify whole clips by mel images."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from streamer.errors import ConfigError
from train.data.recordings import Recording, check_folds
from train.data.sets.catalogue import DATA_SETS, WITH_CATEGORIES
from train.data.sets.gtzan import gtzan_mels
from train.data.sets.gtzan.gtzan_images import GtzanImages
from train.evaluate.metrics.classification import (
    clip_accuracy,
    confused_pairs,
    precision_and_recall,
    ranked,
)
from train.evaluate.predictions import Predictions
from train.loop.folds import HoldsOut
from train.loop.task import LoopConfig
from train.mixing.image_variations import ImageVariations
from train.mixing.mel_images import ImageSet, MelImageConfig, MelImages
from train.mixing.mel_parts import MelParts


def _loop() -> LoopConfig:
    return LoopConfig(
        steps=2_000,
        batch=32,
        learning_rate=1e-3,
        weight_decay=1e-3,
        average=0.99,
        validate_every=200,
        workers=0,
    )


@dataclass(frozen=True)
class ImageRunConfig(HoldsOut):
    """Configuration of a training run of a network that classifies clips by mel images; each network has a subclass.

    Attributes
    ----------
    data : str
        Name of a data set in `train.data.sets.catalogue` whose categories are the classes.
    image : MelImageConfig
        Settings of the images.
    variations : ImageVariations
        Changes of the images.
    loop : LoopConfig
        Settings of the training loop.
    mixup : float
        Parameter alpha of mixup (Zhang et al. 2018); with 0, no images are mixed.
    smoothing : float
        Share of the labels that is spread over all classes.
    growing : tuple of float
        Shares of the clips that are learnt from in equal parts of the run, such as 0.25, 0.5, 1; progressive training.
    fold, validation_fold : int
        Held-out folds, see `train.loop.folds.HoldsOut`.
    """

    task: ClassVar[str]
    network: ClassVar[type[nn.Module]]
    of_sound: ClassVar[bool] = True
    """Whether `mel_image` makes an image from a clip's sound at 16 kHz, as robustness to degraded sound needs."""
    model: Any = None
    data: str = "esc50"
    image: MelImageConfig = field(default_factory=MelImageConfig)
    variations: ImageVariations = field(default_factory=ImageVariations)
    loop: LoopConfig = field(default_factory=_loop)
    mixup: float = 0.2
    smoothing: float = 0.1
    growing: tuple[float, ...] = (1.0,)
    fold: int = 5
    validation_fold: int = 4

    @property
    def begins(self) -> str:
        """Words for the weights at first; empty if they can only be random."""
        return ""

    @property
    def clip_s(self) -> float:
        """Length of a clip, in seconds."""
        return (self.image.frames - 1) * self.image.hop_samples / self.image.rate_hz

    def images(self, folds: Collection[int], data: Path, cache: Path) -> ImageSet:
        """Return the images of the clips of some folds.

        Raises
        ------
        ConfigError
            If there is no such data set with categories, it is not there, or a fold has fewer than two recordings.
        """
        return MelImages(self.recordings(folds, data, cache), cache, self.image)

    def recordings(self, folds: Collection[int], data: Path, cache: Path) -> list[Recording]:
        """Return the recordings of some folds of the data set; errors are those of `images`."""
        if self.data not in WITH_CATEGORIES:
            raise ConfigError(f"data is {self.data!r}; expected one of {', '.join(WITH_CATEGORIES)}")
        found = DATA_SETS[self.data].recordings(data, cache)
        check_folds(found)
        return [recording for recording in found if recording.fold in folds]

    def recording_of(self, clip: str) -> str:
        """Return the name of the recording, ``SOURCE/NAME``, that a clip of the predictions is from: its own."""
        return clip

    def figures(self, predictions: Predictions) -> dict[str, dict[str, Any]]:
        """Return the figures of classified clips, by name."""
        return {
            "clips": clip_accuracy(predictions),
            "classes": precision_and_recall(predictions),
            "confused": confused_pairs(predictions),
        }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.growing or not all(0 < share <= 1 for share in self.growing):
            raise ConfigError(
                f"growing is {list(self.growing)}; expected shares of the clips, above 0 and up to 1, such as "
                "[0.5, 1.0]"
            )


@dataclass(frozen=True)
class GtzanRunConfig(ImageRunConfig):
    """Configuration of a run that learns genres from the first 3 s of the tracks of GTZAN's mel file.

    `data` and `image` are those of the file, and have no effect.
    """

    folds: ClassVar[Sequence[int]] = gtzan_mels.TEN_FOLDS
    of_sound: ClassVar[bool] = False
    data: str = "gtzan_mels"
    image: MelImageConfig = field(default_factory=lambda: MelImageConfig(frames=130))
    fold: int = 10
    validation_fold: int = 9

    def images(self, folds: Collection[int], data: Path, cache: Path) -> ImageSet:
        """Return the images of the tracks of some of the ten folds; nothing is kept in `cache`."""
        del cache
        return GtzanImages(gtzan_mels.load(data), folds)


@dataclass(frozen=True)
class FmaRunConfig(ImageRunConfig):
    """Configuration of a run that learns genres from halves of FMA's clips of 30 s, at the rate of their files.

    A half is an example to learn from, and a clip is judged by both of its halves.

    Attributes
    ----------
    parts : int
        Number of parts of a clip, each of `image.frames` frames.
    """

    of_sound: ClassVar[bool] = False
    data: str = "fma_small"
    image: MelImageConfig = field(
        default_factory=lambda: MelImageConfig(rate_hz=44_100, hop_samples=1_024, frames=646)
    )
    parts: int = 2

    def images(self, folds: Collection[int], data: Path, cache: Path) -> ImageSet:
        """Return the images of the parts of the clips of some folds; errors are those of `ImageRunConfig.images`."""
        return MelParts(self.recordings(folds, data, cache), cache, self.image, self.parts)

    def figures(self, predictions: Predictions) -> dict[str, dict[str, Any]]:
        """Return the figures of every classification, and those of the ranks of the genres as ``ranks``."""
        return {**super().figures(predictions), "ranks": ranked(predictions)}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.parts < 1:
            raise ConfigError(f"parts is {self.parts}; expected 1 or more, such as 2 for halves")
