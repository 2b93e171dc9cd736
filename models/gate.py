"""The gate: it maps fine log-mel frames to three logits every 93 ms: of music, speech and singing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.front_ends import music_front_end
from models.layers import (
    BandJoin,
    CausalConv2d,
    NormalisingModel,
    ResidualBlock,
    StreamingSequence,
    TorchState,
)
from streamer.dsp.log_mel import LogMelConfig

HOP_FRAMES = 4
"""Input frames of 23 ms for each output: two convolutions halve the number of steps in time."""


@dataclass(frozen=True)
class GateConfig:
    """Sizes of the gate's network, `Gate`.

    Attributes
    ----------
    mel_bands : int
        Bands of a frame; a multiple of 8.
    spectral_channels : tuple of int
        Output channels of the three time-frequency convolutions, each of which halves the bands.
    channels : int
        Width of the residual blocks over time.
    kernel : int
        Length of the kernel of the residual blocks, in steps of 93 ms.
    dilations : tuple of int
        Dilation of each residual block. The receptive field is about
        ``(kernel - 1) * sum(dilations) * 93`` ms.
    dropout : float
        Dropout before the last layer, in training.
    """

    mel_bands: int = 112
    spectral_channels: tuple[int, int, int] = (16, 32, 48)
    channels: int = 96
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)
    dropout: float = 0.1

    @property
    def front_end(self) -> LogMelConfig:
        """Front end of the network: what listening and training compute for it."""
        return music_front_end(self.mel_bands)


class Gate(NormalisingModel):
    """Network of the gate: it gives the logits of music, speech and singing every 93 ms, from log-mel frames.

    Causal convolutions over time and bands come first, then dilated residual blocks over time (Bai et al. 2018, TCN).
    The memory is finite: sound older than the receptive field has no influence.

    Parameters
    ----------
    config : GateConfig
        Sizes of the network.
    """

    labels = ("music", "speech", "singing")
    hop_frames = HOP_FRAMES
    latency_frames = HOP_FRAMES

    def __init__(self, config: GateConfig = GateConfig()) -> None:
        super().__init__(config.mel_bands)
        self.config = config
        first, second, third = config.spectral_channels
        bands = config.mel_bands
        self.body = StreamingSequence(
            CausalConv2d(1, first, bands, (5, 5), stride=(2, 2)),
            CausalConv2d(first, second, bands // 2, (3, 3), stride=(2, 2)),
            CausalConv2d(second, third, bands // 4, (3, 3), stride=(1, 2)),
        )
        self.bottleneck = BandJoin(third, config.channels, bands // 8)
        self.memory = StreamingSequence(
            *(ResidualBlock(config.channels, config.kernel, d) for d in config.dilations)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.channels, len(self.labels))
        self.state_shapes = self.body.state_shapes + self.memory.state_shapes

    @property
    def memory_frames(self) -> int:
        """Receptive field of the residual blocks, in input frames of 23 ms."""
        return (self.config.kernel - 1) * sum(self.config.dilations) * HOP_FRAMES

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return logits for every `HOP_FRAMES` log-mel frames of `models.front_ends.music_front_end`.

        Parameters
        ----------
        x : Tensor, shape (batch, frames, mel_bands)
            A multiple of `HOP_FRAMES` frames.
        state : tuple of Tensor, optional
            State after the frames before; a fresh one if absent.

        Returns
        -------
        y : Tensor, shape (batch, frames / HOP_FRAMES, labels)
            Logits of the labels.
        state : tuple of Tensor
            State after the last of these frames, for the next call.
        """
        state = self.init(x) if state is None else state
        split = len(self.body.state_shapes)
        x = self.normalised(x).unsqueeze(1)
        x, body_state = self.body(x, state[:split])
        x = torch.relu(self.bottleneck(x)[0])
        x, memory_state = self.memory(x, state[split:])
        y = self.head(self.dropout(x.squeeze(3).transpose(1, 2)))
        return y, body_state + memory_state
