import pytest
import torch
from torch import nn

from models.layers import (
    PRODUCT_CHANNELS,
    BandJoin,
    CausalConv2d,
    ResidualBlock,
    StreamingLayer,
    StreamingSequence,
    WindowMean,
    fold_batch_norm,
)

STEP = 4


def settled(layer: StreamingLayer) -> StreamingLayer:
    """Batch norms as after some training, so that folding and zero states have something to get wrong."""
    generator = torch.Generator().manual_seed(3)
    for module in layer.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator))
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
    return layer.eval()


def make(name: str) -> StreamingLayer:
    torch.manual_seed(0)
    layers: dict[str, StreamingLayer] = {
        "plain": CausalConv2d(3, 5, 8, (3, 3)),
        "strided": CausalConv2d(3, 5, 8, (5, 3), stride=(2, 2)),
        "no past": CausalConv2d(3, 5, 8, (2, 1), stride=(2, 1)),
        "dilated": CausalConv2d(3, 3, 8, (3, 1), dilation=4, groups=3),
        "joined": BandJoin(3, 5, 8),
        "widely joined": BandJoin(3, PRODUCT_CHANNELS, 8),
        "residual": ResidualBlock(3, 3, 2),
        "sequence": StreamingSequence(
            CausalConv2d(3, 4, 8, (5, 3), stride=(2, 2)), CausalConv2d(4, 6, 4, (3, 3), stride=(2, 1))
        ),
    }
    return settled(layers[name])


NAMES = ["plain", "strided", "no past", "dilated", "joined", "widely joined", "residual", "sequence"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cuts", [[1], [2, 3, 1], [5, 1, 4]])
def test_cut_anywhere_gives_the_same_as_whole(name, cuts):
    layer = make(name)
    bands = 1 if name == "residual" else 8
    x = torch.randn(2, 3, STEP * sum(cuts), bands, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        whole, last = layer(x)
        state, parts = None, []
        for block in x.split([STEP * cut for cut in cuts], dim=2):
            y, state = layer(block, state)
            parts.append(y)
    torch.testing.assert_close(torch.cat(parts, dim=2), whole, rtol=1e-5, atol=1e-5)
    for a, b in zip(state, last, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_future_changes_nothing_given_out(name):
    layer = make(name)
    bands = 1 if name == "residual" else 8
    x = torch.randn(1, 3, 8 * STEP, bands, generator=torch.Generator().manual_seed(1))
    other = x.clone()
    other[:, :, 5 * STEP :] += 10.0
    with torch.no_grad():
        y, z = layer(x)[0], layer(other)[0]
    known = y.shape[2] * 5 // 8
    assert torch.equal(y[:, :, :known], z[:, :, :known])
    assert not torch.equal(y[:, :, known:], z[:, :, known:])


@pytest.mark.parametrize("name", NAMES)
def test_state_has_the_declared_shapes_batch_first(name):
    layer = make(name)
    bands = 1 if name == "residual" else 8
    _, state = layer(torch.zeros(5, 3, 4 * STEP, bands))
    assert tuple(tuple(s.shape) for s in state) == tuple((5, *shape) for shape in layer.state_shapes)


@pytest.mark.parametrize("name", NAMES)
def test_folding_batch_norm_changes_no_output(name):
    layer = make(name)
    x = torch.randn(
        1, 3, 8 * STEP, 1 if name == "residual" else 8, generator=torch.Generator().manual_seed(1)
    )
    with torch.no_grad():
        before = layer(x)[0]
        fold_batch_norm(layer)
        after = layer(x)[0]
    assert not any(isinstance(module, nn.BatchNorm2d) for module in layer.modules())
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kernel", "stride"), [((1, 3), (2, 1)), ((3, 2), (1, 1))])
def test_impossible_kernels_are_refused(kernel, stride):
    with pytest.raises(ValueError, match="expected a time extent no shorter than its stride and an odd band"):
        CausalConv2d(1, 1, 8, kernel, stride=stride)


@pytest.mark.parametrize("name", ["joined", "widely joined"])
def test_joined_bands_are_a_pointwise_convolution_over_channels_and_bands(name):
    join = make(name)
    x = torch.randn(2, 3, 4, 8, generator=torch.Generator().manual_seed(1))
    rows = x.permute(0, 2, 1, 3).flatten(2)
    with torch.no_grad():
        expected = join.norm((rows @ join.conv.weight.flatten(1).T).permute(0, 2, 1).unsqueeze(3))
        torch.testing.assert_close(join(x)[0], expected, rtol=1e-5, atol=1e-5)


def test_a_mean_is_of_the_steps_that_there_were():
    x = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(1))
    means, state = WindowMean(3, 4)(x)
    expected = torch.stack([x[:, max(0, n - 3) : n + 1].mean(dim=1) for n in range(7)], dim=1)
    torch.testing.assert_close(means, expected)
    assert state[0].shape == (2, 3, 4)


def test_a_mean_of_one_step_is_refused():
    with pytest.raises(ValueError, match="mean over 1 steps; expected 2 or more"):
        WindowMean(3, 1)
