"""YAMNet: MobileNet v1 over patches of 96 log-mel frames, and the same network sliding over a stream of frames.

It follows the code that Google published (tensorflow/models, research/audioset/yamnet, Apache-2.0) and Howard et al.,
MobileNets (2017). The batch norms are folded into the convolutions.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers import StreamingModel, TorchState
from streamer.dsp.log_mel import LogMelConfig
from streamer.yamnet.weights import (
    CHANNELS,
    CLASSES,
    EMBEDDING_SIZE,
    MEL_BANDS,
    PATCH_FRAMES,
    STRIDED,
    Weights,
)

SILENCE = math.log(LogMelConfig().log_offset)
"""Log-mel value of digital silence in the default front end."""


class _Convolution(nn.Conv2d):
    """Convolve with TensorFlow's SAME padding, which for a stride of 2 over an even extent pads only the end."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(channels_in, channels_out, kernel, stride, groups=groups)
        missing = kernel - stride if kernel > 1 else 0
        self.margins = (missing // 2, missing - missing // 2) * 2

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.margins))


class YAMNet(nn.Module):
    """Map log-mel patches to an embedding and the logits of AudioSet's classes (MobileNet v1, Howard et al. 2017).

    Parameters are named after `streamer.yamnet.weights.SHAPES`: ``layer02.depthwise.weight`` is
    ``layer02/depthwise/kernel`` there.

    Parameters
    ----------
    relu_max : float
        Upper limit of activations: infinity for ReLU, 6 for ReLU6.
    """

    def __init__(self, relu_max: float = math.inf) -> None:
        super().__init__()
        self.relu_max = relu_max
        self.layer01 = nn.ModuleDict({"conv": _Convolution(1, CHANNELS[0], 3, 2)})
        for number, (before, after) in enumerate(pairwise(CHANNELS), 2):
            depthwise = _Convolution(before, before, 3, 2 if number in STRIDED else 1, groups=before)
            pointwise = _Convolution(before, after, 1)
            pair = nn.ModuleDict({"depthwise": depthwise, "pointwise": pointwise})
            self.add_module(f"layer{number:02d}", pair)
        self.logits = nn.Linear(EMBEDDING_SIZE, CLASSES)

    @classmethod
    def from_weights(cls, weights: Weights) -> YAMNet:
        """Return a network in evaluation mode with the weights that Google published."""
        network = cls(weights.relu_max)
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                parameter.copy_(torch.from_numpy(weights.arrays[published_name(name)]))
        return network.eval()

    def embed(self, patches: Tensor) -> Tensor:
        """Return embeddings, shape (batch, 1024), of log-mel patches of 0.96 s, shape (batch, 96, 64)."""
        x = patches.unsqueeze(1)
        for number in range(1, len(CHANNELS) + 1):
            for convolution in self.get_submodule(f"layer{number:02d}").children():
                x = torch.clamp(convolution(x), 0.0, self.relu_max)
        return x.mean(dim=(2, 3))

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of AudioSet's 521 classes and the embedding of each patch.

        Parameters
        ----------
        patches : Tensor, shape (batch, 96, 64)
            Log-mel frames of the default front end.

        Returns
        -------
        logits : Tensor, shape (batch, 521)
            A class's score is the sigmoid of its logit.
        embedding : Tensor, shape (batch, 1024)
            Embedding of each patch.
        """
        embedding = self.embed(patches)
        return self.logits(embedding), embedding


def published_name(parameter: str) -> str:
    """Return the name in `streamer.yamnet.weights.SHAPES` of a parameter of `YAMNet`."""
    return parameter.replace(".", "/").replace("weight", "kernel")


class SlidingYAMNet(StreamingModel):
    """Apply YAMNet to a stream: one output every hop, from the last 96 frames.

    The state holds the frames that the next window shares with this one, minus the value of silence, so that a state
    of zeros is silence. The number of these frames implies the hop, so that one exported graph serves any hop.

    Parameters
    ----------
    network : YAMNet
        Network that is applied to each window of frames.
    hop_frames : int
        Frames of 10 ms from one output to the next; 1 to 95.
    """

    def __init__(self, network: YAMNet, hop_frames: int = 10) -> None:
        super().__init__()
        if not 0 < hop_frames < PATCH_FRAMES:
            raise ValueError(f"hop_frames is {hop_frames}; expected 1 to {PATCH_FRAMES - 1}")
        self.network = network
        self.hop_frames = hop_frames
        self.latency_frames = hop_frames
        self.state_shapes = ((PATCH_FRAMES - hop_frames, MEL_BANDS),)

    def classify(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, Tensor, TorchState]:
        """Return the logits of AudioSet's classes and the embedding every `hop_frames` frames, and the state.

        Parameters
        ----------
        x : Tensor, shape (batch, frames, 64)
            A multiple of `hop_frames` frames.
        state : tuple of Tensor, optional
            State after the frames before; silence if absent.

        Returns
        -------
        logits : Tensor, shape (batch, frames / hop_frames, 521)
            Logits of AudioSet's classes.
        embedding : Tensor, shape (batch, frames / hop_frames, 1024)
            Embedding of the last 96 frames at each output.
        state : tuple of Tensor
            State after the last of these frames, for the next call.
        """
        (past,) = self.init(x) if state is None else state
        known = torch.cat([past, x - SILENCE], dim=1)
        hop = PATCH_FRAMES - past.shape[1]
        first = torch.arange(x.shape[1] // hop, device=x.device) * hop
        windows = known[:, first.unsqueeze(1) + torch.arange(PATCH_FRAMES, device=x.device)]
        logits, embedding = self.network(windows.flatten(0, 1) + SILENCE)
        shape = (x.shape[0], x.shape[1] // hop)
        return logits.unflatten(0, shape), embedding.unflatten(0, shape), (known[:, x.shape[1] :],)

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the logits of AudioSet's classes, (batch, frames / hop_frames, 521), and the state; see `classify`."""
        logits, _, state = self.classify(x, state)
        return logits, state
