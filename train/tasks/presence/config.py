"""Configuration of runs of the task ``presence``."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.memory_head import MemoryHeadConfig
from streamer.errors import ConfigError
from train.data.sets.all_sound import DEFAULT_DATA_SETS, ONLY_MEASURED
from train.data.sets.catalogue import DATA_SETS
from train.loop.folds import HoldsOut
from train.loop.task import LoopConfig
from train.mixing.scene_embeddings import SceneEmbeddingsConfig


@dataclass(frozen=True)
class PresenceRunConfig(HoldsOut):
    """Configuration of a training run of the task ``presence``, a head for music, speech and singing.

    Attributes
    ----------
    ear : str
        Exported or released folder of the ear.
    model : MemoryHeadConfig
        Sizes of the head.
    loop : LoopConfig
        Settings of the training loop.
    scenes : SceneEmbeddingsConfig
        Settings of the scenes that the head learns from.
    data : tuple of str
        Names of data sets in `train.data.sets.catalogue` to learn from. Those that are not named can be measured as
        collections that nothing was learnt from (`python -m train hearing`).
    crop_steps : int
        Number of steps of a scene that a batch takes, from a random one on, with a fresh memory: so the head learns to
        decide soon after a start.
    fold, validation_fold : int
        Held-out folds, see `train.loop.folds.HoldsOut`. They must be those of the ear, so that the ear was not trained
        on them.
    """

    ear: str = "models/released/ear"
    model: MemoryHeadConfig = field(default_factory=MemoryHeadConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=1_500, validate_every=250, batch=64, weight_decay=0.05, average=0.99, workers=0
        )
    )
    scenes: SceneEmbeddingsConfig = field(default_factory=SceneEmbeddingsConfig)
    data: tuple[str, ...] = (*DEFAULT_DATA_SETS, "debian", "rendered")
    crop_steps: int = 62
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
        if self.crop_steps < 1:
            raise ConfigError(f"crop_steps is {self.crop_steps}; expected 1 or more")
