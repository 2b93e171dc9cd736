"""VGGish: its front end, layout and projection are the published ones, and its weights are read from both files."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.reference.vggish import VGGish, VGGishConfig
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from tests.train.embedders.toy_weights import (
    LAYERS,
    VGGISH,
    convolved,
    halved,
    vggish_tensors,
    write_slices,
    write_vggish_state,
)
from train.embedders.vggish import FRONT_END, PCA, WINDOW_SAMPLES, load_vggish
from train.errors import AbsentError

PUBLISHED = {
    "conv1": (3, 3, 1, 64),
    "conv2": (3, 3, 64, 128),
    "conv3/conv3_1": (3, 3, 128, 256),
    "conv3/conv3_2": (3, 3, 256, 256),
    "conv4/conv4_1": (3, 3, 256, 512),
    "conv4/conv4_2": (3, 3, 512, 512),
    "fc1/fc1_1": (12_288, 4_096),
    "fc1/fc1_2": (4_096, 4_096),
    "fc2": (4_096, 128),
}
"""Shapes of the kernels in vggish_model.ckpt."""


@pytest.fixture
def windows():
    rng = np.random.default_rng(1)
    t = np.arange(WINDOW_SAMPLES) / 16_000
    tones = 0.3 * np.sin(2 * np.pi * np.array([[440.0], [2_000.0], [50.0]]) * t)
    return (tones + 0.01 * rng.standard_normal((3, WINDOW_SAMPLES))).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    write_slices(tmp_path / "vggish_model.ckpt", vggish_tensors())
    return tmp_path


def test_the_layout_is_that_of_the_published_weights():
    with torch.device("meta"):
        state = VGGish(VGGishConfig()).state_dict()
    assert {name.rpartition(".")[0] for name in state} == set(LAYERS)
    for ours, theirs in LAYERS.items():
        published = PUBLISHED[theirs]
        turned = (published[3], published[2], 3, 3) if len(published) == 4 else published[::-1]
        assert tuple(state[f"{ours}.weight"].shape) == turned
        assert tuple(state[f"{ours}.bias"].shape) == published[-1:]
    assert sum(weights.numel() for weights in state.values()) == 72_141_184


def frames_by_the_book(sound):
    """Log-mel frames by the formulas of the published front end."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.stack([sound[first : first + 400] * window for first in range(0, len(sound) - 399, 160)])
    magnitudes = np.abs(np.fft.rfft(frames, 512))
    mel = 1_127 * np.log(1 + np.linspace(0, 8_000, 257) / 700)
    edges = np.linspace(1_127 * np.log(1 + 125 / 700), 1_127 * np.log(1 + 7_500 / 700), 66)
    bands = []
    for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
        triangle = np.minimum((mel - low) / (centre - low), (high - mel) / (high - centre))
        bands.append(np.maximum(triangle, 0))
    return np.log(magnitudes @ np.array(bands).T + 0.01)


def test_frames_are_those_of_the_published_front_end(windows):
    found = offline(FRONT_END, windows)
    assert found.shape == (3, 96, 64)
    np.testing.assert_allclose(found[0], frames_by_the_book(windows[0]), atol=1e-3)


def by_the_book(frames, tensors):
    """Embeddings by TensorFlow's layouts and names."""

    def weights(layer):
        return tensors[f"vggish/{layer}/weights"], tensors[f"vggish/{layer}/biases"]

    x = frames[..., None]
    for block in (
        ("conv1",),
        ("conv2",),
        ("conv3/conv3_1", "conv3/conv3_2"),
        ("conv4/conv4_1", "conv4/conv4_2"),
    ):
        for layer in block:
            x = np.maximum(convolved(x, *weights(layer)), 0)
        x = halved(x)
    x = x.reshape(len(x), -1)
    for layer in ("fc1/fc1_1", "fc1/fc1_2"):
        kernel, bias = weights(layer)
        x = np.maximum(x @ kernel + bias, 0)
    kernel, bias = weights("fc2")
    return x @ kernel + bias


def test_embeddings_follow_from_the_checkpoint_by_its_own_layout(folder, windows):
    embedder = load_vggish(folder, config=VGGISH)
    found = embedder.embed(windows)
    assert found.shape == (3, VGGISH.embedding)
    expected = by_the_book(offline(FRONT_END, windows), vggish_tensors())
    assert expected.min() < 0  # there is no rectifier at the end
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_torchvggish_has_the_same_weights_and_the_checkpoint_comes_first(folder, tmp_path, windows):
    write_vggish_state(tmp_path / "only" / "vggish-10086976.pth", vggish_tensors())
    found = load_vggish(tmp_path / "only", config=VGGISH)
    assert [path.name for path in found.files] == ["vggish-10086976.pth"]
    np.testing.assert_array_equal(found.embed(windows), load_vggish(folder, config=VGGISH).embed(windows))
    write_vggish_state(folder / "vggish-10086976.pth", vggish_tensors(seed=1))
    assert [path.name for path in load_vggish(folder, config=VGGISH).files] == ["vggish_model.ckpt"]


def test_the_projection_is_whitened_clipped_and_rounded_to_8_bits(folder, windows):
    vectors, means = np.diag(np.arange(1.0, 11.0)), np.full((10, 1), 0.25)
    vectors[0, 1] = 0.5
    np.savez(folder / PCA, pca_eigen_vectors=vectors, pca_means=means)
    plain, projected = (load_vggish(folder, on, VGGISH) for on in (False, True))
    assert plain.name != projected.name
    embeddings = plain.embed(windows).astype(float)
    whitened = (vectors @ (embeddings.T - means)).T
    expected = np.round((np.clip(whitened, -2, 2) + 2) * 255 / 4)
    np.testing.assert_allclose(projected.embed(windows), expected, atol=1)
    assert set(np.unique(projected.embed(windows) % 1)) == {0.0}


def test_without_weights_the_folder_and_where_to_get_them_are_named(tmp_path, folder):
    with pytest.raises(
        AbsentError,
        match=r"nothing has no weights of VGGish; put vggish_model.ckpt there, from https://storage.*, or vggish-1008",
    ):
        load_vggish(tmp_path / "nothing")
    with pytest.raises(
        AbsentError, match=r"vggish_pca_params.npz is not there; fetch it from https://storage"
    ):
        load_vggish(folder, projected=True, config=VGGISH)


def test_weights_of_another_layout_are_refused(folder, tmp_path):
    with pytest.raises(
        ModelError, match=r"features.0.weight of .*ckpt is \(2, 1, 3, 3\); expected \(64, 1, 3, 3\)"
    ):
        load_vggish(folder)
    tensors = vggish_tensors()
    del tensors["vggish/fc2/biases"]
    write_slices(folder / "vggish_model.ckpt", tensors)
    with pytest.raises(
        ModelError, match=r"embeddings.4.bias of .* is absent; expected \(10,\), as in VGGish's"
    ):
        load_vggish(folder, config=VGGISH)
    other = tmp_path / "other"
    other.mkdir()
    (other / "vggish-1.pth").write_bytes(b"nothing of torch")
    with pytest.raises(
        ModelError, match=r"vggish-1.pth cannot be read .*; expected torchvggish's state dict"
    ):
        load_vggish(other)
    torch.save([1, 2], other / "vggish-1.pth")
    with pytest.raises(ModelError, match="holds a list; expected torchvggish's state dict"):
        load_vggish(other)


def test_parameters_of_another_projection_are_refused(folder):
    np.savez(folder / PCA, pca_eigen_vectors=np.eye(5), pca_means=np.zeros(10))
    with pytest.raises(ModelError, match=r"pca_eigen_vectors of .* is \(5, 5\); expected 100 numbers"):
        load_vggish(folder, True, VGGISH)
