"""Configuration of runs of the ear."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.ear import EarConfig
from streamer.errors import ConfigError
from train.data.sets.all_sound import DEFAULT_DATA_SETS, ONLY_MEASURED
from train.data.sets.catalogue import DATA_SETS, check_apart
from train.loop.folds import HoldsOut
from train.loop.task import LoopConfig
from train.mixing.distillation.examples import DistillationConfig
from train.mixing.distillation.teacher_answers import PATCHES

NAMED_SOUNDS = ("esc50", "esc10")
"""Data sets whose classes of everyday sound an ear may learn by name."""


@dataclass(frozen=True)
class EarRunConfig(HoldsOut):
    """Configuration of a training run of the task ``ear``, the embedding model.

    Attributes
    ----------
    model : EarConfig
        Sizes of the ear.
    loop : LoopConfig
        Settings of the training loop.
    lessons : DistillationConfig
        Settings of the examples. They are called lessons in the files of existing runs, so the key stays.
    data : tuple of str
        Names of data sets in `train.data.sets.catalogue` to learn from. ESC-50 or ESC-10 must be among them: its
        classes are the everyday sounds that are learnt by name.
    further_data : tuple of str
        Names of data sets of which clips and excerpts alone are learnt, all of their time; no scenes are made of them.
        The examples of each are computed and kept apart, so that another data set leaves the others as they are.
    left_out : tuple of str
        Data sets of `further_data` that are not learnt from, to measure an embedding model, or heads on it, on them.
    fold, validation_fold : int
        Held-out folds, see `train.loop.folds.HoldsOut`.
    embedding_weight, scores_weight, sounds_weight, music_weight : float
        Weights of the parts of the loss: distance from the teacher's embedding, from the teachers' scores, and cross
        entropy of the classes of everyday sound and of music.
    teachers_precision : {"float32", "bf16"}
        Number format in which the teachers are computed; see `Teachers`.
    mixed : float
        Share of the examples that are mixed with another one. The teachers answer to these mixtures while the run goes
        on, so that no mixture comes twice and the ear learns what the teachers do rather than their answers to some
        sound, see Beyer et al., "Knowledge distillation: a good teacher is patient and consistent" (2022).
    mixed_speed : float
        Largest factor by which examples that are no single clips are made faster or slower before they are mixed.
    mixed_bands : float
        Largest shift of their frames by mel bands, up or down.
    mixed_db : float
        Largest gain or loss of a band of a mixture, as through other microphones.
    limited : float
        Share of the mixtures that are limited to a narrower band, as on a telephone or in a recording at a low rate.
    crop_patches : int
        Number of the teachers' patches, 0.48 s each after the first, in the random part of an example that a batch
        takes: short parts of many examples teach more in a given time than long parts of few.
    masks, mask_bands, mask_frames : int
        Number of stripes that SpecAugment hides in each direction, and the largest width of a stripe.
    smoothing : float
        Share of the sounds' labels that is spread over all classes.
    begin : str
        Folder of a released ear of the same sizes, from whose weights the run starts; empty for random ones.
    """

    model: EarConfig = field(default_factory=EarConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=16_000,
            learning_rate=3e-3,
            weight_decay=2e-2,
            gradient_norm=2.0,
            validate_every=1_000,
            workers=0,
        )
    )
    lessons: DistillationConfig = field(default_factory=DistillationConfig)
    data: tuple[str, ...] = DEFAULT_DATA_SETS
    further_data: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    fold: int = 5
    validation_fold: int = 4
    embedding_weight: float = 1.0
    scores_weight: float = 0.1
    sounds_weight: float = 1.0
    music_weight: float = 1.0
    teachers_precision: str = "float32"
    mixed: float = 0.75
    mixed_speed: float = 2.0
    mixed_bands: float = 6.0
    mixed_db: float = 12.0
    limited: float = 0.3
    crop_patches: int = 4
    masks: int = 2
    mask_bands: int = 8
    mask_frames: int = 30
    smoothing: float = 0.1
    begin: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed = [name for name in DATA_SETS if name not in ONLY_MEASURED]
        if not set(self.data) <= set(allowed) or not set(self.data) & set(NAMED_SOUNDS):
            raise ConfigError(
                f"data is {list(self.data)}; expected esc50 or esc10, and others of {', '.join(allowed)}"
            )
        if not set(self.further_data) <= set(allowed) - set(self.data):
            raise ConfigError(
                f"further_data is {list(self.further_data)}; expected some of {', '.join(allowed)} that are not in "
                "data"
            )
        if not set(self.left_out) <= set(self.further_data):
            raise ConfigError(
                f"left_out is {list(self.left_out)}; expected some of further_data, {', '.join(self.further_data)}"
            )
        check_apart("data with further_data", (*self.data, *self.further_data))
        if self.teachers_precision not in ("float32", "bf16"):
            raise ConfigError(f"teachers_precision is {self.teachers_precision!r}; expected float32 or bf16")
        sizes = self.mixed, self.limited, self.mixed_bands, self.mixed_db
        if min(sizes) < 0 or max(self.mixed, self.limited) > 1 or self.mixed_speed < 1:
            raise ConfigError(
                f"mixed is {self.mixed:g}, limited {self.limited:g}, mixed_bands {self.mixed_bands:g}, mixed_db "
                f"{self.mixed_db:g}, mixed_speed {self.mixed_speed:g}; expected shares of 0 to 1, sizes of 0 or more, "
                "and a factor of 1 or more"
            )
        if not 1 <= self.crop_patches <= PATCHES:
            raise ConfigError(f"crop_patches is {self.crop_patches}; expected 1 to {PATCHES}")

    @property
    def named_sounds(self) -> str:
        """Name of the data set whose classes of everyday sound are learnt by name."""
        return next(name for name in NAMED_SOUNDS if name in self.data)

    @property
    def learnt_data(self) -> tuple[str, ...]:
        """Names of the data sets that the run learns from: `data` and `further_data` without `left_out`."""
        return (*self.data, *(name for name in self.further_data if name not in self.left_out))
