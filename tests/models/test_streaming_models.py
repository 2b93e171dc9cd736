"""What every model that carries a state must do, in torch, on small versions of them all."""

import pytest
import torch

from models.cnn_lstm_attention import CnnLstmAttention, CnnLstmAttentionConfig
from models.ear import Ear, EarConfig
from models.gate import Gate, GateConfig
from models.genre import Genre, GenreConfig
from models.heads import ClassifierHead, HeadConfig
from models.reference.stacked_gru import StackedGru, StackedGruConfig
from models.separation_mask import Mask, MaskConfig
from streamer.dsp.stft import StftConfig
from streamer.errors import ConfigError

LABELS = ("a", "b", "c")


def small_ear():
    return Ear(EarConfig(channels=(2, 3, 4, 5, 6), embedding=7, dilations=(2,))), 64


def small_genre():
    config = GenreConfig(mel_bands=21, channels=(2, 3, 4, 5, 6), loudness_frames=12, memory_steps=5)
    return Genre(config, LABELS), 21


def small_gate():
    config = GateConfig(mel_bands=16, spectral_channels=(2, 3, 4), channels=6, dilations=(1, 2))
    return Gate(config), 16


def small_head():
    return ClassifierHead(HeadConfig(hidden=5), 9, LABELS), 9


def small_mask():
    stft = StftConfig(hop_samples=8, window_samples=32)
    config = MaskConfig(
        stft, zones=((4, 2), (2, 4)), channels=6, memory=7, reach=3, hidden=9, blocks=2, level_frames=6
    )
    return Mask(config), 2 * stft.bins


def small_cnn_lstm_attention():
    stft = StftConfig(hop_samples=8, window_samples=32)
    config = CnnLstmAttentionConfig(stft, channels=(3, 4), units=8, heads=2, past_frames=5, level_frames=6)
    return CnnLstmAttention(config), 2 * stft.bins


def small_stacked_gru():
    stft = StftConfig(hop_samples=8, window_samples=32)
    return StackedGru(StackedGruConfig(stft, units=8, layers=2, level_frames=6)), 2 * stft.bins


MAKERS = [
    small_ear,
    small_genre,
    small_gate,
    small_head,
    small_mask,
    small_cnn_lstm_attention,
    small_stacked_gru,
]


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def made(request):
    torch.manual_seed(0)
    model, width = request.param()
    with torch.no_grad():  # batch norms as after training, so that sound neither dies away nor grows
        for _ in range(60):
            model.train()(heard(width, 20, model))
    return model.eval(), width


def heard(width, steps, model, batch=2):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, steps * model.hop_frames, width, generator=generator)


@torch.no_grad()
def test_hop_by_hop_is_the_whole(made):
    model, width = made
    x = heard(width, 20, model)
    whole, _ = model(x)
    assert whole.shape[:2] == (2, 20)
    assert whole.std(dim=1).max() > 1e-2
    state, parts = None, []
    for block in x.split(model.hop_frames, dim=1):
        y, state = model(block, state)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_future_changes_nothing_that_was_said(made):
    model, width = made
    x = heard(width, 20, model)
    other = x.clone()
    other[:, 10 * model.hop_frames :] += 3.0
    y, z = model(x)[0], model(other)[0]
    torch.testing.assert_close(y[:, :10], z[:, :10], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(y[:, 10:], z[:, 10:], atol=1e-3)


@torch.no_grad()
def test_neighbours_in_a_batch_are_not_heard(made):
    model, width = made
    x = heard(width, 8, model)
    torch.testing.assert_close(model(x)[0][:1], model(x[:1])[0], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_state_has_the_shapes_that_are_declared(made):
    model, width = made
    x = heard(width, 3, model)
    _, state = model(x)
    assert [tuple(part.shape[1:]) for part in state] == list(model.state_shapes)
    assert [part.dtype for part in state] == [torch.float32] * len(state)


@torch.no_grad()
def test_genre_says_the_same_of_soft_and_of_loud_music():
    torch.manual_seed(0)
    model, width = small_genre()
    x = heard(width, 10, model.eval())
    torch.testing.assert_close(model(x + 4.0)[0], model(x)[0], rtol=1e-3, atol=1e-4)


def test_the_models_together_are_small():
    assert Ear().parameter_count + Genre(GenreConfig(), LABELS).parameter_count < 2_000_000


def test_a_head_means_over_two_steps_or_more():
    with pytest.raises(ConfigError, match="memory_steps is 1; expected 2 or more"):
        HeadConfig(memory_steps=1)
