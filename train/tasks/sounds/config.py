"""Configuration of runs of the task ``sounds``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.heads import HeadConfig
from streamer.errors import ConfigError
from train.data.sets.all_sound import ONLY_MEASURED
from train.data.sets.catalogue import DATA_SETS, check_apart, whole_of
from train.loop.folds import HoldsOut
from train.loop.task import LoopConfig
from train.mixing.distillation.examples import DistillationConfig


@dataclass(frozen=True)
class SoundsRunConfig(HoldsOut):
    """Configuration of a training run of the task ``sounds``, a head for ESC-50's classes of everyday sound.

    Attributes
    ----------
    ear : str
        Exported or released folder of the ear.
    model : HeadConfig
        Sizes of the head.
    loop : LoopConfig
        Settings of the training loop.
    lessons : DistillationConfig
        Settings of the examples. They are called lessons in the files of existing runs, so the key stays.
    clips : tuple of str
        Names of data sets in `train.data.sets.catalogue` whose recordings of ESC-50's classes the head learns from
        beside those of ESC-50.
    clip_variants : int
        Number of examples of each of their recordings: its beginning as recorded, and augmented excerpts.
    clip_share : float
        Share of a batch's single clips of the classes that these data sets have too that is theirs; each data set comes
        equally often.
    others : tuple of str
        Names of data sets in `train.data.sets.catalogue` of whose sound the head learns that it is none of the classes
        (`train.data.sets.none_of_classes` says which recordings are); none of ESC-50.
    other_hours : float
        Hours of that sound of each data set, kind and fold, at most.
    other_share : float
        Share of a batch that is such sound.
    telephone_share : float
        Share of the single clips, and of the sound that is none of the classes, that a batch has as heard over a
        telephone, without anything above `train.tasks.sounds.task.TELEPHONE_HZ`; these clips are all of ESC-50.
    left_out : tuple of str
        Names of data sets of `clips` and `others` that this run does not learn from all the same. It measures, as a run
        with the same settings, what a head that learns from all of them makes of sound of a collection that it has not
        met (`python -m train hearing --left-out`).
    fold, validation_fold : int
        Held-out folds, see `train.loop.folds.HoldsOut`. They must be those of the ear, so that the ear was not trained
        on them.
    """

    ear: str = "models/released/ear"
    model: HeadConfig = field(default_factory=HeadConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=600, validate_every=150, batch=64, learning_rate=2e-3, weight_decay=0.1, workers=0
        )
    )
    lessons: DistillationConfig = field(default_factory=DistillationConfig)
    clips: tuple[str, ...] = ("ambience", "animals", "effects", "babies")
    clip_variants: int = 8
    clip_share: float = 0.5
    others: tuple[str, ...] = (
        *("gtzan", "music_speech", "mir1k", "speech", "debian", "rendered"),
        *("instruments", "pjs", "ambience", "animals", "effects"),
    )
    other_hours: float = 1.0
    other_share: float = 0.25
    telephone_share: float = 0.0
    left_out: tuple[str, ...] = ()
    fold: int = 5
    validation_fold: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed = [name for name in DATA_SETS if whole_of(name) != "esc50" and name not in ONLY_MEASURED]
        for key, names in (("clips", self.clips), ("others", self.others)):
            if not set(names) <= set(allowed):
                raise ConfigError(f"{key} is {list(names)}; expected some of {', '.join(allowed)}")
            check_apart(key, names)
        named = dict.fromkeys((*self.clips, *self.others))
        if not set(self.left_out) <= set(named):
            raise ConfigError(
                f"left_out is {list(self.left_out)}; expected some of clips and others, {', '.join(named)}"
            )
        if not 0 < self.clip_share <= 1:
            raise ConfigError(
                f"clip_share is {self.clip_share:g}; expected more than 0, up to 1; clips=[] learns from none"
            )
        if self.clip_variants < 1:
            raise ConfigError(f"clip_variants is {self.clip_variants}; expected 1 or more")
        if not (0 <= self.other_share <= 0.5 and self.other_hours > 0):
            raise ConfigError(
                f"other_share is {self.other_share:g} and other_hours {self.other_hours:g}; expected 0 to 0.5, and "
                "more than 0"
            )
        if not 0 <= self.telephone_share <= 1:
            raise ConfigError(f"telephone_share is {self.telephone_share:g}; expected 0 to 1")

    def learnt(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the names of data sets, of `clips` or `others`, that the run learns from: those not in `left_out`."""
        return tuple(name for name in names if name not in self.left_out)
