"""The embedding model, "ear": it maps log-mel frames to an embedding every 80 ms, the input of heads."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.layers import (
    BandJoin,
    CausalConv2d,
    NormalisingModel,
    ResidualBlock,
    SeparableConv,
    StreamingSequence,
    TorchState,
)

HOP_FRAMES = 8
"""Input frames of 10 ms for each embedding: three convolutions halve the number of steps in time."""


@dataclass(frozen=True)
class EarConfig:
    """Sizes of the embedding model `Ear`.

    Attributes
    ----------
    mel_bands : int
        Bands of a frame; a multiple of 64.
    channels : tuple of int
        Output channels of the first convolution and of the four groups of separable ones. Which convolutions
        halve the bands is written in `Ear`.
    embedding : int
        Numbers in an embedding; also the width of the blocks over time.
    dilations : tuple of int
        Dilation of each residual block over time, in steps of 80 ms.
    """

    mel_bands: int = 64
    channels: tuple[int, int, int, int, int] = (16, 40, 96, 192, 320)
    embedding: int = 512
    dilations: tuple[int, ...] = (2, 4)


class Ear(NormalisingModel):
    """Embedding model: a causal MobileNet that gives 512 numbers every 80 ms, by depthwise separable convolutions.

    The convolutions are those of Howard et al. (2017); dilated residual blocks over time follow. Strides reduce time to
    steps of 80 ms and the bands to two, which a last convolution joins. A separable convolution whose input and output
    have the same shape has a residual connection. The receptive field is finite: sound older than about 2 s has no
    influence.

    Parameters
    ----------
    config : EarConfig
        Sizes of the ear.
    """

    labels = ()
    hop_frames = HOP_FRAMES
    latency_frames = HOP_FRAMES

    def __init__(self, config: EarConfig = EarConfig()) -> None:
        super().__init__(config.mel_bands)
        self.config = config
        a, b, c, d, e = config.channels
        bands = config.mel_bands
        self.body = StreamingSequence(
            CausalConv2d(1, a, bands, (5, 5), stride=(2, 2)),
            SeparableConv(a, b, bands // 2, stride=(2, 2)),
            SeparableConv(b, b, bands // 4),
            SeparableConv(b, c, bands // 4, stride=(2, 2)),
            SeparableConv(c, c, bands // 8),
            SeparableConv(c, c, bands // 8),
            SeparableConv(c, d, bands // 8, stride=(1, 2)),
            SeparableConv(d, d, bands // 16),
            SeparableConv(d, d, bands // 16),
            SeparableConv(d, d, bands // 16),
            SeparableConv(d, e, bands // 16, stride=(1, 2)),
            SeparableConv(e, e, bands // 32),
        )
        width = bands // 32
        self.join = BandJoin(e, config.embedding, width)
        self.memory = StreamingSequence(*(ResidualBlock(config.embedding, 3, n) for n in config.dilations))
        self.state_shapes = self.body.state_shapes + self.memory.state_shapes

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the embeddings of log-mel frames.

        Parameters
        ----------
        x : Tensor, shape (batch, frames, mel_bands)
            A multiple of `HOP_FRAMES` frames.
        state : tuple of Tensor, optional
            State after the frames before; a fresh one if absent.

        Returns
        -------
        y : Tensor, shape (batch, frames / HOP_FRAMES, embedding)
            Embeddings, 0 or more.
        state : tuple of Tensor
            State after the last of these frames, for the next call.
        """
        state = self.init(x) if state is None else state
        split = len(self.body.state_shapes)
        x = self.normalised(x).unsqueeze(1)
        x, body_state = self.body(x, state[:split])
        x = torch.relu(self.join(x)[0])
        x, memory_state = self.memory(x, state[split:])
        return x.squeeze(3).transpose(1, 2), body_state + memory_state
