"""Reference networks that separate: shapes, gradients, learning of a few clips, reloading and export."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.cnn_lstm_attention import CnnLstmAttention, CnnLstmAttentionConfig
from models.reference.stacked_gru import StackedGru, StackedGruConfig
from models.separation_mask import separate
from streamer.dsp.stft import StftConfig
from streamer.errors import ConfigError
from streamer.inference.onnx import OnnxModel
from train.export.to_onnx import TOLERANCE, describe, export
from train.tasks.separation.config import LossWeights
from train.tasks.separation.losses import snr_loss, weighted_losses

STFT = StftConfig(hop_samples=40, window_samples=160)
CLIPS, SAMPLES = 8, 4_000
MODELS = {
    "gru": (StackedGru, StackedGruConfig(STFT, units=32, layers=2, dropout=0.0, level_frames=20)),
    "cnn, lstm and attention": (
        CnnLstmAttention,
        CnnLstmAttentionConfig(
            STFT, channels=(8, 8), units=32, heads=2, past_frames=10, dropout=0.0, level_frames=20
        ),
    ),
}


def made(name):
    network, config = MODELS[name]
    return network(config)


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def model(name):
    torch.manual_seed(0)
    return made(name)


@pytest.fixture
def batch():
    """Clips in which a tone of a pitch of its own pauses over another tone and noise: mixtures, stems, voiced hops."""
    generator = torch.Generator().manual_seed(1)
    t = torch.arange(SAMPLES) / STFT.sample_rate_hz
    number = torch.arange(CLIPS).unsqueeze(1)
    sounds = (t % 0.1 < 0.06).float()
    voice = 0.2 * torch.sin(2 * torch.pi * (500 + 600 * number) * t) * sounds
    music = 0.2 * torch.sin(2 * torch.pi * (800 + 600 * number.flip(0)) * t)
    music = music + 0.01 * torch.randn(CLIPS, SAMPLES, generator=generator)
    hops = sounds.unflatten(0, (-1, STFT.hop_samples)).mean(1).round().expand(CLIPS, -1)
    return voice + music, voice, music, hops


def loss_of(model, batch):
    mixture, voice, music, voiced = batch
    return sum(
        weighted_losses(
            separate(model, mixture, STFT), (voice, music, voiced), mixture, LossWeights()
        ).values()
    )


def test_both_stems_have_the_shape_of_the_mixture_and_all_weights_a_gradient(model, batch):
    voice, music, logits = separate(model, batch[0], STFT)
    assert voice.shape == music.shape == (CLIPS, SAMPLES)
    assert logits.shape == (CLIPS, SAMPLES // STFT.hop_samples)
    torch.testing.assert_close(voice + music, batch[0])
    loss_of(model, batch).backward()
    assert all(weights.grad.abs().sum() > 0 for weights in model.parameters())


def test_a_mask_is_real_and_between_0_and_1(model):
    x = torch.randn(2, 10, 2 * STFT.bins, generator=torch.Generator().manual_seed(1))
    real, imaginary, _ = model.eval()(x)[0].split([STFT.bins, STFT.bins, 1], dim=2)
    assert real.min() >= 0
    assert real.max() <= 1
    assert not imaginary.any()


def test_eight_clips_are_learnt_by_heart(model, batch):
    mixture, voice, music, voiced = batch
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3)
    for _ in range(200):
        optimiser.zero_grad()
        loss_of(model, batch).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
    with torch.no_grad():
        found_voice, found_music, logits = separate(model.eval(), mixture, STFT)
    for found, true in ((found_voice, voice), (found_music, music)):
        gained = snr_loss(mixture, true, mixture) - snr_loss(found, true, mixture)
        assert gained.min() > 5  # dB
    assert ((logits > 0) == (voiced > 0.5)).float().mean() > 0.95  # 0.6 of the hops are voiced


def test_weights_reload_and_the_graph_gives_the_same_numbers(name, model, tmp_path):
    model.eval()
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    torch.manual_seed(5)
    again = made(name)
    again.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    x = torch.randn(2, 12, 2 * STFT.bins, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = model(x)[0]
        torch.testing.assert_close(again.eval()(x)[0], expected, rtol=0, atol=0)
    export(model, describe(model, "separation", ("voice",), STFT, warm_up_frames=2), tmp_path / "out")
    graph = OnnxModel(tmp_path / "out")
    state, parts = graph.init(2), []
    for block in x.numpy()[:, :5], x.numpy()[:, 5:]:
        y, state = graph.step(block, state)
        parts.append(y)
    found = np.concatenate(parts, axis=1)
    np.testing.assert_allclose(found[..., :-1], expected.numpy()[..., :-1], atol=TOLERANCE)
    np.testing.assert_allclose(found[..., -1], torch.sigmoid(expected[..., -1]).numpy(), atol=TOLERANCE)


def test_sizes_of_nothing_are_refused():
    with pytest.raises(ConfigError, match="0 layers of 256 units; expected at least 1 of both"):
        StackedGruConfig(layers=0)
