"""Train a separation by stacked GRUs on magnitudes, the recurrent baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from models.layers import StreamingModel
from models.reference.stacked_gru import StackedGru, StackedGruConfig
from train.tasks.separation.config import SeparationRunConfig
from train.tasks.separation.release import plugin


@dataclass(frozen=True)
class GruRunConfig(SeparationRunConfig):
    """Configuration of a training run of the task ``separation_gru``: `SeparationRunConfig` with another network.

    Attributes
    ----------
    model : StackedGruConfig
        Sizes of the network.
    """

    task: ClassVar[str] = "separation_gru"
    network: ClassVar[type[StreamingModel]] = StackedGru
    description: ClassVar[str] = "stacked GRUs on magnitudes, soft masks of both stems"

    # Not a subtype of `MaskConfig`; code for all networks uses only their common field `stft`.
    model: StackedGruConfig = field(default_factory=StackedGruConfig)  # type: ignore[assignment]


PLUGIN = plugin(GruRunConfig)
