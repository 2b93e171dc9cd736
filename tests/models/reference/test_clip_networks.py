"""Reference networks for clips: shapes, gradients, learning of a few clips, and export."""

import warnings

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F

from models.reference.fma_baselines import Flat, FlatConfig, Plain, PlainConfig
from models.reference.genre_cnn_gru import GenreCnnGru, GenreCnnGruConfig
from models.reference.genre_crnn import GenreCrnn, GenreCrnnConfig
from models.reference.music_attention import MusicAttention, MusicAttentionConfig
from models.reference.self_attention import SelfAttention
from models.reference.sound_cnn import SoundCnn, SoundCnnConfig
from models.reference.sound_cnn_attention import SoundCnnAttention, SoundCnnAttentionConfig

BANDS, FRAMES, LABELS = 32, 72, 8
CHANNELS = (8, 8, 16)
MODELS = {
    "cnn": (SoundCnn, SoundCnnConfig(CHANNELS, hidden=16, dropout=0.0)),
    "wide kernels": (SoundCnn, SoundCnnConfig(CHANNELS, 7, hidden=16, dropout=0.0)),
    "attention": (
        SoundCnnAttention,
        SoundCnnAttentionConfig(CHANNELS, hidden=16, dropout=0.0, width=16, heads=2),
    ),
    "attention over embeddings": (
        MusicAttention,
        MusicAttentionConfig(
            key=8, attention_dropout=0.0, filters=(16, 16), dropout=0.0, hidden=16, last_dropout=0.0
        ),
    ),
    "crnn": (GenreCrnn, GenreCrnnConfig(filters=8, units=8, hidden=8, dropout=0.0)),
    "cnn and gru": (GenreCnnGru, GenreCnnGruConfig(CHANNELS, units=4, reduced=8, dropout=0.0)),
    "flat": (Flat, FlatConfig(FRAMES, (16, 16))),
    "plain": (Plain, PlainConfig(filters=16, hidden=16)),
}


def made(name):
    network, config = MODELS[name]
    return network(config, BANDS, LABELS)


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def model(name):
    torch.manual_seed(0)
    return made(name)


@pytest.fixture
def clips():
    return torch.randn(8, BANDS, FRAMES, generator=torch.Generator().manual_seed(1))


def test_a_clip_gets_a_logit_for_each_label_and_all_weights_a_gradient(model, clips):
    logits = model(clips)
    assert logits.shape == (8, LABELS)
    F.cross_entropy(logits, torch.arange(8)).backward()
    assert all(weights.grad.abs().sum() > 0 for weights in model.parameters())


def test_eight_clips_are_learnt_by_heart(model, clips):
    optimiser = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(80):
        optimiser.zero_grad()
        F.cross_entropy(model(clips), torch.arange(8)).backward()
        optimiser.step()
    assert model.eval()(clips).argmax(1).tolist() == list(range(8))


def test_weights_reload_and_the_graph_gives_the_same_numbers(name, model, clips, tmp_path):
    model.eval()
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    torch.manual_seed(5)
    again = made(name)
    again.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    with torch.no_grad():
        expected = model(clips).numpy()
        np.testing.assert_array_equal(again.eval()(clips).numpy(), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter itself uses deprecated functions
        torch.onnx.export(model, (clips,), str(tmp_path / "model.onnx"), dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: clips.numpy()})
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_attention_is_a_share_of_all_frames(clips):
    weights = made("attention").weights(clips)
    assert weights.shape == (8, 2, FRAMES // 8, FRAMES // 8)
    torch.testing.assert_close(weights.sum(3), torch.ones(weights.shape[:3]))


def test_attention_over_embeddings_is_a_share_of_all_steps(clips):
    weights = made("attention over embeddings").weights(clips)
    assert weights.shape == (8, 2, FRAMES, FRAMES)
    torch.testing.assert_close(weights.sum(3), torch.ones(weights.shape[:3]))


def test_what_a_step_gathers_is_what_torch_s_own_attention_gathers(clips):
    """Torch's layer keeps the projections of queries, keys and values in one matrix."""
    torch.manual_seed(0)
    own, steps = SelfAttention(BANDS, heads=4, key=BANDS // 4), clips.transpose(1, 2)
    reference = torch.nn.MultiheadAttention(BANDS, 4, batch_first=True)
    parts = own.query, own.key, own.value
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        reference.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        reference.out_proj.load_state_dict(own.out.state_dict())
        expected, weights = reference(steps, steps, steps, average_attn_weights=False)
        torch.testing.assert_close(own(steps), expected)
        torch.testing.assert_close(own.weights(steps), weights)
