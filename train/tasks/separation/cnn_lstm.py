"""Train a separation by convolutions, an LSTM and attention over the past, for comparison with the released one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from models.cnn_lstm_attention import CnnLstmAttention, CnnLstmAttentionConfig
from models.layers import StreamingModel
from train.tasks.separation.config import SeparationRunConfig
from train.tasks.separation.release import plugin


@dataclass(frozen=True)
class CnnLstmRunConfig(SeparationRunConfig):
    """Configuration of a training run of the task ``separation_cnn_lstm``: `SeparationRunConfig` with another network.

    Attributes
    ----------
    model : CnnLstmAttentionConfig
        Sizes of the network.
    """

    task: ClassVar[str] = "separation_cnn_lstm"
    network: ClassVar[type[StreamingModel]] = CnnLstmAttention
    description: ClassVar[str] = "convolutions, an LSTM, attention over the past"

    # Not a subtype of `MaskConfig`; code for all networks uses only their common field `stft`.
    model: CnnLstmAttentionConfig = field(default_factory=CnnLstmAttentionConfig)  # type: ignore[assignment]


PLUGIN = plugin(CnnLstmRunConfig)
