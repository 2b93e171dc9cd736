"""Separation by convolutions, an LSTM and attention over the past, to be compared with the mask that is released."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from models.cnn_lstm_attention import CnnLstmAttention, CnnLstmAttentionConfig
from models.layers import StreamingModel
from train.tasks.separation.config import SeparationRunConfig
from train.tasks.separation.release import plugin


@dataclass(frozen=True)
class CnnLstmRunConfig(SeparationRunConfig):
    """As `SeparationRunConfig`, of another network.

    Attributes
    ----------
    model : CnnLstmAttentionConfig
    """

    task: ClassVar[str] = "separation_cnn_lstm"
    network: ClassVar[Callable[[Any], StreamingModel]] = CnnLstmAttention
    described: ClassVar[str] = "convolutions, an LSTM, attention over the past"

    model: CnnLstmAttentionConfig = field(default_factory=CnnLstmAttentionConfig)  # type: ignore[assignment]


PLUGIN = plugin(CnnLstmRunConfig)
