"""A separation network of convolutions, an LSTM and attention over the past.

It is the project's first separation network, made causal. `models.separation_mask` holds the one that is released.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers import CausalConv2d, StreamingLayer, StreamingModel, StreamingSequence, TorchState
from models.recurrent import Lstm
from models.spectra import Levelled
from streamer.dsp.stft import StftConfig

NOT_SEEN = -1e9
"""Attention logit of a step that must not be attended to: its weight after the softmax is 0."""


@dataclass(frozen=True)
class CnnLstmAttentionConfig:
    """Sizes of the separation network `CnnLstmAttention`.

    Attributes
    ----------
    stft : StftConfig
        Transform that gives the input spectra.
    channels : tuple of int
        Output channels of the convolutions, each of which halves the bins.
    units : int
        Units of the LSTM and width of the attention; a multiple of `heads`.
    heads : int
        Attention heads.
    past_frames : int
        Frames that attention looks back on, the present one included.
    dropout : float
        Dropout before the last layer, in training.
    level_frames : int
        Frames, the present one and those before it, by whose mean power the input is scaled to a power of 1.
    """

    stft: StftConfig = field(default_factory=StftConfig)
    channels: tuple[int, ...] = (16, 32, 32, 32)
    units: int = 192
    heads: int = 4
    past_frames: int = 100
    dropout: float = 0.2
    level_frames: int = 200


class CnnLstmAttention(StreamingModel):
    """Separation network: for each frame it gives a real mask of the voice, 0 to 1, and the logit that a voice sounds.

    It looks at magnitudes alone, by convolutions, an LSTM and attention (Vaswani et al. 2017), so the voice keeps the
    phase of the mixture, as in most separation before complex masks. `models.separation_mask.Mask` is the released
    network, to which this one is an alternative.

    Parameters
    ----------
    config : CnnLstmAttentionConfig
        Sizes of the network.
    """

    hop_frames = 1
    latency_frames = 1

    def __init__(self, config: CnnLstmAttentionConfig = CnnLstmAttentionConfig()) -> None:
        super().__init__()
        self.config = config
        bins, layers, before = config.stft.bins - 1, [], 1
        for channels in config.channels:
            layers.append(CausalConv2d(before, channels, bins, (3, 3), stride=(1, 2)))
            bins, before = (bins + 1) // 2, channels
        self.level = Levelled(config.level_frames)
        self.body = StreamingSequence(*layers)
        self.bottleneck = nn.Linear(before * bins, config.units)
        self.memory = Lstm(config.units, config.units)
        self.attention = PastAttention(config.units, config.heads, config.past_frames)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * config.units, config.stft.bins + 1)
        self.state_shapes = (
            self.level.state_shapes
            + self.body.state_shapes
            + ((config.units,), (config.units,))
            + self.attention.state_shapes
        )

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the mask of the voice and the logit that a voice sounds, for each frame of spectra.

        Arguments and results are those of `models.separation_mask.Mask.forward`; the imaginary parts of the mask are 0.
        """
        state = self.init(x) if state is None else state
        level_state, rest = state[:1], state[1:]
        body_state, (hidden, cell, *past) = (
            rest[: len(self.body.state_shapes)],
            rest[len(self.body.state_shapes) :],
        )
        x, level_state = self.level(x, level_state)
        real, imaginary = x.unflatten(2, (2, -1))[..., :-1].unbind(2)
        magnitudes = (real.square() + imaginary.square() + 1e-6).pow(0.15)
        y, body_state = self.body(magnitudes.unsqueeze(1), body_state)
        y = torch.relu(self.bottleneck(y.transpose(1, 2).flatten(2)))
        y, hidden, cell = self.memory(y.transpose(0, 1), hidden, cell)
        y = y.transpose(0, 1)
        context, attention_state = self.attention(y, tuple(past))
        y = self.head(self.dropout(torch.cat([y, context], dim=2)))
        mask, logit = torch.sigmoid(y[..., :-1]), y[..., -1:]
        return (
            torch.cat([mask, torch.zeros_like(mask), logit], dim=2),
            (*level_state, *body_state, hidden, cell, *attention_state),
        )


class PastAttention(StreamingLayer):
    """Let each step attend to itself and to up to `steps - 1` steps before it (Vaswani et al. 2017).

    Parameters
    ----------
    width : int
        Numbers in a step, a multiple of `heads`.
    heads : int
        Attention heads.
    steps : int
        Longest memory in steps, the present one included; 2 or more.
    """

    def __init__(self, width: int, heads: int, steps: int) -> None:
        super().__init__()
        if width % heads or steps < 2:
            raise ValueError(
                f"width {width}, {heads} heads, {steps} steps; expected a multiple of the heads, and 2 steps or more"
            )
        self.heads, self.steps = heads, steps
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.state_shapes = ((steps - 1, 2 * width + 1),)

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return for each step of `x`, (batch, time, width), a sum over the past, in the same shape; and the state.

        The sum is weighted by attention. The state holds the keys and values of the last `steps - 1` steps, and for
        each step a 1 if it existed: the zeros of a fresh state are not attended to.
        """
        state = self.init(x) if state is None else state
        new = torch.cat([self.key(x), self.value(x), torch.ones_like(x[..., :1])], dim=2)
        known = torch.cat([state[0], new], dim=1)
        keys, values, exists = known.split([x.shape[2], x.shape[2], 1], dim=2)
        query, keys, values = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.query(x), keys, values)
        )
        # Index of each key, counted from the oldest key that the step may see.
        age = torch.arange(known.shape[1], device=x.device) - torch.arange(
            x.shape[1], device=x.device
        ).unsqueeze(1)
        seen = (age >= 0) & (age < self.steps) & (exists.transpose(1, 2) > 0.5)
        likeness = (query @ keys.transpose(2, 3)) * query.shape[3] ** -0.5
        weights = F.softmax(torch.where(seen.unsqueeze(1), likeness, NOT_SEEN), dim=3)
        y = (weights @ values).transpose(1, 2).flatten(2)
        return self.out(y), (known[:, 1 - self.steps :],)
