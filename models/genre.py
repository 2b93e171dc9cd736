"""The genre network: it maps fine log-mel frames of music to logits of genres, averaged over the last 15 s."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.front_ends import DB, DEVIATION_DB, music_front_end
from models.layers import (
    CausalConv2d,
    SeparableConv,
    StreamingModel,
    StreamingSequence,
    TorchState,
    WindowMean,
)
from streamer.dsp.log_mel import LogMelConfig

HOP_FRAMES = 4
"""Input frames of 23 ms for each output: two convolutions halve the number of steps in time."""


@dataclass(frozen=True)
class GenreConfig:
    """Sizes of the genre network, `Genre`.

    Attributes
    ----------
    mel_bands : int
        Bands of a frame: the lowest of the 128 Slaney bands.
    channels : tuple of int
        Output channels of the first convolution and of the four groups of separable ones.
    loudness_frames : int
        Frames whose mean level is subtracted from each frame: about 3 s.
    memory_steps : int
        Steps of 93 ms whose logits are averaged: about 15 s.
    dropout : float
        Dropout before the last layer, in training.
    """

    mel_bands: int = 112
    channels: tuple[int, int, int, int, int] = (16, 24, 64, 128, 144)
    loudness_frames: int = 128
    memory_steps: int = 160
    dropout: float = 0.3

    @property
    def front_end(self) -> LogMelConfig:
        """Front end of the network: what listening and training compute for it."""
        return music_front_end(self.mel_bands)


class Genre(StreamingModel):
    """Genre network: it gives a logit of every genre each 93 ms, averaged over the last steps.

    It consists of causal separable convolutions (Howard et al. 2017) over time and bands. The mean level of the last 3
    s is subtracted from the input first, so that scores do not depend on the playback volume.

    Parameters
    ----------
    config : GenreConfig
        Sizes of the network.
    labels : tuple of str
        Names of the genres, in the order of the outputs.
    """

    hop_frames = HOP_FRAMES
    latency_frames = HOP_FRAMES

    def __init__(self, config: GenreConfig, labels: tuple[str, ...]) -> None:
        super().__init__()
        self.config = config
        self.labels = labels
        a, b, c, d, e = config.channels
        bands = config.mel_bands
        widths = [bands]
        for _ in range(5):
            widths.append((widths[-1] + 1) // 2)
        self.loudness = WindowMean(1, config.loudness_frames)
        self.body = StreamingSequence(
            CausalConv2d(1, a, widths[0], (3, 5), stride=(1, 2)),
            SeparableConv(a, b, widths[1], stride=(1, 2)),
            SeparableConv(b, b, widths[2]),
            SeparableConv(b, c, widths[2], stride=(2, 2)),
            SeparableConv(c, c, widths[3]),
            SeparableConv(c, d, widths[3], stride=(2, 2)),
            SeparableConv(d, d, widths[4]),
            SeparableConv(d, e, widths[4], stride=(1, 2)),
            SeparableConv(e, e, widths[5]),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * e, len(labels))
        self.memory = WindowMean(len(labels), config.memory_steps)
        self.state_shapes = self.loudness.state_shapes + self.body.state_shapes + self.memory.state_shapes

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the logits of the genres for log-mel frames of `models.front_ends.music_front_end`.

        Parameters
        ----------
        x : Tensor, shape (batch, frames, mel_bands)
            A multiple of `HOP_FRAMES` frames.
        state : tuple of Tensor, optional
            State after the frames before; a fresh one if absent.

        Returns
        -------
        y : Tensor, shape (batch, frames / HOP_FRAMES, labels)
            Logits of the genres, each a mean over the last steps.
        state : tuple of Tensor
            State after the last of these frames, for the next call.
        """
        state = self.init(x) if state is None else state
        features, heard = self.features(x, state[:-1])
        y, memory = self.memory(self.head(self.dropout(features)), state[-1:])
        return y, heard + memory

    def features(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return what the last layer takes: the means and the maxima over the bands of each step's channels.

        Parameters
        ----------
        x : Tensor, shape (batch, frames, mel_bands)
            A multiple of `HOP_FRAMES` frames.
        state : tuple of Tensor, optional
            State after the frames before, without that of the memory; a fresh one if absent.

        Returns
        -------
        features : Tensor, shape (batch, frames / HOP_FRAMES, 2 * channels)
        state : tuple of Tensor
            State after the last of these frames, for the next call.
        """
        state = self.init(x)[:-1] if state is None else state
        x = x * (DB / DEVIATION_DB)
        level, loudness = self.loudness(x.mean(2, keepdim=True), state[:1])
        x = (x - level).clamp(-4.0, 4.0).unsqueeze(1)
        x, body = self.body(x, state[1:])
        return torch.cat([x.mean(3), x.amax(3)], dim=1).transpose(1, 2), loudness + body
