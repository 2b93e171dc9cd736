"""Causal layers that carry their state in and out: ``forward(x, state=None) -> (y, state)``.

Maps have the shape (batch, channels, time, bands). A state is a flat tuple of tensors with the batch first. A layer
that is given no state makes a fresh one of zeros and runs the same code. So a whole clip in training and a live
stream that is cut anywhere give the same numbers.

States are stored with time outermost and channels innermost: joining the past and the present then copies whole
runs of memory, which in ONNX Runtime is most of what a state costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TorchState: TypeAlias = tuple[Tensor, ...]

PRODUCT_CHANNELS = 256
"""Number of output channels from which on `BandJoin` is computed as a product of matrices instead of a convolution.
For the ear's 512 channels the product is faster for several streams; for the gate's 96 it is slower for one."""


class StreamingLayer(nn.Module):
    """Base class of every layer that carries a state: ``forward(x, state=None)`` returns the output and the new state.

    Attributes
    ----------
    state_shapes : tuple of tuple of int
        Shapes of the state's tensors without the batch axis.
    """

    state_shapes: tuple[tuple[int, ...], ...] = ()
    __call__: Callable[..., tuple[Tensor, TorchState]]  # torch leaves what a call returns untyped

    @property
    def parameter_count(self) -> int:
        """Number of learnt parameters."""
        return sum(weights.numel() for weights in self.parameters())

    def init(self, x: Tensor) -> TorchState:
        """Return a fresh state, zeros, with a row for each row of `x`, in the dtype and on the device of `x`."""
        return tuple(x.new_zeros((x.shape[0], *shape)) for shape in self.state_shapes)


class CausalConv2d(StreamingLayer):
    """Convolve over time and bands, seeing only present and past steps, and apply batch norm to the result.

    Bands are zero-padded on both sides. Time is padded by the state, which holds the last ``past`` input steps.

    Parameters
    ----------
    channels_in, channels_out : int
        Numbers of channels of the input and of the output.
    bands : int
        Bands of the input; 1 makes it a convolution over time.
    kernel : tuple of int
        Extent in time and in bands; the extent in bands is odd.
    stride : tuple of int
        Stride in time and in bands. The number of input steps is a multiple of the stride in time.
    dilation : int
        Dilation over time.
    groups : int
        Groups of channels, as in `torch.nn.Conv2d`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        bands: int,
        kernel: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        dilation: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        # A call brings at least one stride of new steps, so the state need not hold as many.
        self.past = (kernel[0] - 1) * dilation + 1 - stride[0]
        if self.past < 0 or kernel[1] % 2 == 0:
            raise ValueError(
                f"kernel {kernel} with stride {stride}; expected a time extent no shorter than its "
                "stride and an odd band extent"
            )
        self.state_shapes = ((self.past, bands, channels_in),) if self.past else ()
        self.conv = nn.Conv2d(
            channels_in,
            channels_out,
            kernel,
            stride,
            padding=(0, kernel[1] // 2),
            dilation=(dilation, 1),
            groups=groups,
            bias=False,
        )
        self.norm: nn.Module = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the normalised convolution of `x`, shape (batch, channels, time, bands), and the state.

        The output has `channels_out` channels; time and bands are divided by their strides.
        """
        state = self.init(x) if state is None else state
        if not self.past:
            return self.norm(self.conv(x)), ()
        x = torch.cat([state[0], x.permute(0, 2, 3, 1)], dim=1)
        return self.norm(self.conv(x.permute(0, 3, 1, 2))), (x[:, -self.past :],)


class BandJoin(CausalConv2d):
    """Join all bands of a step into one by a convolution with learnt weights, and apply batch norm.

    The weights have the shape of a pointwise convolution over channels times bands. From `PRODUCT_CHANNELS` outputs on
    the convolution is computed as a product of matrices, because ONNX Runtime's convolution reads the weights again for
    each stream.

    Parameters
    ----------
    channels_in, channels_out : int
        Numbers of channels of the input and of the output.
    bands : int
        Bands of the input.
    """

    def __init__(self, channels_in: int, channels_out: int, bands: int) -> None:
        super().__init__(channels_in * bands, channels_out, 1, (1, 1))
        self.bands = bands

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the joined bands of `x`, (batch, channels_in, time, bands), and the given state.

        The output has the shape (batch, channels_out, time, 1).
        """
        weight = self.conv.weight.view(self.conv.out_channels, -1, 1, self.bands)
        if self.conv.out_channels < PRODUCT_CHANNELS:
            return self.norm(F.conv2d(x, weight, self.conv.bias)), state or ()
        rows = x.permute(0, 2, 3, 1)
        if self.bands > 1:  # with one band, this would add an operation to the graph that changes nothing
            rows = rows.flatten(2).unsqueeze(2)
        joined = F.linear(rows, weight.transpose(1, 3).flatten(1), self.conv.bias)
        return self.norm(joined.permute(0, 3, 1, 2)), state or ()


class ResidualBlock(StreamingLayer):
    """Return the input plus a change of it: a dilated depthwise convolution over time, a ReLU, a pointwise convolution.

    Parameters
    ----------
    channels : int
        Number of channels of the input and of the output.
    kernel : int
        Extent over time, in steps.
    dilation : int
        Dilation over time, in steps.
    """

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.depthwise = CausalConv2d(channels, channels, 1, (kernel, 1), dilation=dilation, groups=channels)
        self.pointwise = BandJoin(channels, channels, 1)
        self.state_shapes = self.depthwise.state_shapes

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the output for `x`, shape (batch, channels, time, 1), in the same shape, and the state."""
        y, state = self.depthwise(x, state)
        y, _ = self.pointwise(torch.relu(y))
        return x + y, state


class SeparableConv(StreamingLayer):
    """Apply a depthwise 3x3 convolution, ReLU and a pointwise convolution (Howard et al. 2017, MobileNets).

    The input is added to the output where both have the same shape.

    Parameters
    ----------
    channels_in, channels_out : int
        Numbers of channels of the input and of the output.
    bands : int
        Bands of the input.
    stride : tuple of int
        Stride in time and in bands.
    """

    def __init__(
        self, channels_in: int, channels_out: int, bands: int, stride: tuple[int, int] = (1, 1)
    ) -> None:
        super().__init__()
        self.depthwise = CausalConv2d(channels_in, channels_in, bands, (3, 3), stride, groups=channels_in)
        self.pointwise = CausalConv2d(channels_in, channels_out, 1, (1, 1))
        self.residual = stride == (1, 1) and channels_in == channels_out
        self.state_shapes = self.depthwise.state_shapes

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the convolution of `x`, (batch, channels_in, time, bands), and the state.

        The output has the shape (batch, channels_out, time / stride, bands / stride).
        """
        y, state = self.depthwise(x, state)
        y, _ = self.pointwise(torch.relu(y))
        return (x + y if self.residual else y), state


class StreamingModel(StreamingLayer):
    """Base class of every network that is exported to ONNX, with the positions of its outputs in time.

    Attributes
    ----------
    hop_frames : int
        Input frames for each output.
    latency_frames : int
        Input frames that must have come in before the first output.
    """

    hop_frames: int
    latency_frames: int


class NormalisingModel(StreamingModel):
    """Base class of networks that standardise their input by the mean and standard deviation of the training data.

    Parameters
    ----------
    width : int
        Numbers in a frame.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def set_normalisation(self, mean: Tensor, std: Tensor) -> None:
        """Set the mean and the standard deviation of the training data, both of shape (width,), that `normalised` uses.

        A standard deviation below 1e-3 counts as 1e-3.
        """
        self.mean.copy_(mean)
        self.scale.copy_(1.0 / std.clamp(min=1e-3))

    def normalised(self, x: Tensor) -> Tensor:
        """Return `x`, (..., width), less the mean and divided by the standard deviation of the training data."""
        return (x - self.mean) * self.scale


class WindowMean(StreamingLayer):
    """Layer whose output at each step is the mean of the last `steps` steps of its input, the present one included.

    Near the start it is the mean of as many as there have been.

    Parameters
    ----------
    width : int
        Numbers in a step.
    steps : int
        Longest memory in steps; 2 or more.
    """

    def __init__(self, width: int, steps: int) -> None:
        super().__init__()
        if steps < 2:
            raise ValueError(f"mean over {steps} steps; expected 2 or more")
        self.steps = steps
        self.state_shapes = ((steps - 1, width + 1),)

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return for each step of `x`, (batch, time, width), the mean of the last steps; and the next state."""
        state = self.init(x) if state is None else state
        counted = F.pad(x, (0, 1), value=1.0)  # a 1 marks real steps; the zeros of a fresh state do not count
        known = torch.cat([state[0], counted], dim=1)
        sums = F.avg_pool1d(known.transpose(1, 2), self.steps, stride=1).transpose(1, 2)
        total, count = sums.split([x.shape[2], 1], dim=2)
        return total / count, (known[:, 1 - self.steps :],)


class StreamingSequence(StreamingLayer):
    """Apply layers one after another, with a ReLU after each; the state is the layers' states, joined to one tuple.

    Parameters
    ----------
    *layers : StreamingLayer
        Layers, in the order in which they are applied.
    """

    def __init__(self, *layers: StreamingLayer) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.state_shapes = tuple(shape for layer in layers for shape in layer.state_shapes)
        self._widths = [len(layer.state_shapes) for layer in layers]

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return the output of the last layer, after its ReLU, and the new states of all layers in one tuple."""
        state = self.init(x) if state is None else state
        after: list[Tensor] = []
        for layer, width in zip(self.layers, self._widths, strict=True):
            x, own = layer(x, state[len(after) : len(after) + width])
            x = torch.relu(x)
            after.extend(own)
        return x, tuple(after)


def fold_batch_norm(model: nn.Module) -> None:
    """Merge every batch norm of `model`, in place, into the convolution before it; the model goes to evaluation mode.

    The outputs in evaluation mode stay the same, with fewer operations to run.
    """
    model.eval()
    for module in model.modules():
        if isinstance(module, CausalConv2d) and isinstance(module.norm, nn.BatchNorm2d):
            module.conv = nn.utils.fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
