import math

import numpy as np
import pytest
import torch

from models.yamnet import SILENCE, SlidingYAMNet, YAMNet
from tests.yamnet.toy_weights import toy_weights


def sliding(hop_frames: int = 10, relu_max: float = math.inf) -> SlidingYAMNet:
    return SlidingYAMNet(YAMNet.from_weights(toy_weights(relu_max)), hop_frames)


def frames(count: int, batch: int = 2) -> torch.Tensor:
    return 1.5 * torch.randn(batch, count, 64, generator=torch.Generator().manual_seed(1)) - 3.0


def test_it_has_the_published_number_of_weights():
    assert sum(weights.numel() for weights in YAMNet().parameters()) == 3_729_481


@pytest.mark.parametrize("hop_frames", [1, 10, 48, 95])
def test_an_output_is_that_of_the_window_that_ends_there(hop_frames):
    model, x = sliding(hop_frames), frames((96 // hop_frames + 2) * hop_frames)
    with torch.no_grad():
        logits, embedding, _ = model.classify(x)
        steps = x.shape[1] // hop_frames
        assert logits.shape == (2, steps, 521)
        assert embedding.shape == (2, steps, 1024)
        stop = steps * hop_frames
        alone = model.network(x[:, stop - 96 : stop])
    torch.testing.assert_close(logits[:, -1], alone[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(embedding[:, -1], alone[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cuts", [[1] * 12, [2, 7, 3], [11, 1]])
def test_cut_anywhere_gives_the_same_as_whole(cuts):
    model, x = sliding(), frames(120)
    with torch.no_grad():
        whole, last = model(x)
        state, parts = None, []
        for block in x.split([10 * cut for cut in cuts], dim=1):
            y, state = model(block, state)
            parts.append(y)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(state[0], last[0])
    assert tuple(state[0].shape[1:]) == model.state_shapes[0]


def test_a_fresh_state_is_silence():
    model, x = sliding(), frames(30)
    silence = torch.full((2, 100, 64), SILENCE)
    with torch.no_grad():
        fresh, _ = model(x)
        _, state = model(silence)
        after_silence, _ = model(x, state)
    assert torch.equal(state[0], torch.zeros_like(state[0]))
    torch.testing.assert_close(after_silence, fresh, rtol=1e-4, atol=1e-4)


def test_neighbours_in_a_batch_are_not_heard():
    model, x = sliding(), frames(60)
    with torch.no_grad():
        torch.testing.assert_close(model(x)[0][:1], model(x[:1])[0], rtol=1e-4, atol=1e-4)


def test_relu6_cuts_what_relu_lets_through():
    with torch.no_grad():
        loud = 4.0 * frames(96)
        plain, cut = (YAMNet.from_weights(toy_weights(relu_max))(loud)[1] for relu_max in (math.inf, 6.0))
    assert plain.max() > 6.0
    assert 0.0 <= cut.min() <= cut.max() <= 6.0


def test_strided_convolutions_pad_the_end_alone_as_tensorflow_does():
    """The first output of a 3x3 convolution with stride 2 sees the corner itself, not a margin before it."""
    conv = YAMNet().layer01["conv"]
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[:, :, 0, 0] = 1.0
        conv.bias.zero_()
        patch = torch.zeros(1, 1, 96, 64)
        patch[0, 0, 0, 0] = 5.0
        assert conv(patch)[0, 0, 0, 0] == 5.0


@pytest.mark.parametrize("hop_frames", [0, 96, -1])
def test_impossible_hops_are_refused(hop_frames):
    with pytest.raises(ValueError, match=f"hop_frames is {hop_frames}; expected 1 to 95"):
        sliding(hop_frames)


def test_weights_are_copied_not_shared():
    weights = toy_weights()
    before = weights.arrays["logits/bias"].copy()
    network = YAMNet.from_weights(weights)
    with torch.no_grad():
        network.logits.bias.zero_()
    np.testing.assert_array_equal(weights.arrays["logits/bias"], before)
