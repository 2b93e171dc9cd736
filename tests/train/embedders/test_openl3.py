"""OpenL3: its spectrograms are kapre's, and its network computes what Keras's layers would."""

from __future__ import annotations

import sys
import warnings

import librosa
import numpy as np
import pytest

from models.reference.openl3 import CHANNELS, OpenL3
from streamer.errors import ConfigError, ModelError
from tests.train.embedders.toy_weights import convolved, halved, openl3_layers, write_keras
from train.embedders.keras_weights import read_layers
from train.embedders.openl3 import WINDOW_SAMPLES, front_end, load_openl3, spectrograms
from train.errors import AbsentError

SMALL = (2, 2, 3, 3, 4, 4, 5, 6)
NAME = "openl3_audio_mel128_music.h5"


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py", reason="h5py, of the extra lab, is not installed")


@pytest.fixture
def folder(h5py, tmp_path):
    write_keras(h5py, tmp_path / NAME, openl3_layers(SMALL))
    return tmp_path


@pytest.fixture
def windows():
    rng = np.random.default_rng(1)
    t = np.arange(WINDOW_SAMPLES) / 48_000
    tones = 0.3 * np.sin(2 * np.pi * np.array([[440.0], [9_000.0]]) * t)
    return (tones + 0.01 * rng.standard_normal((2, WINDOW_SAMPLES))).astype(np.float32)


def spectrogram_by_the_book(window, bands):
    """The melspectrogram of kapre 0.1.4 with OpenL3's settings: n_dft 2048, n_hop 242, htk, power_melgram 1."""
    padded = np.pad(window.astype(float), 982)  # TensorFlow's padding SAME for 199 frames
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2_048) / 2_048)
    frames = np.stack([padded[first : first + 2_048] * hann for first in range(0, 199 * 242, 242)])
    power = np.abs(np.fft.rfft(frames)) ** 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of 256 bands, the lowest are narrower than a bin
        filters = librosa.filters.mel(sr=48_000, n_fft=2_048, n_mels=bands, htk=True, norm="slaney")
    decibels = 10 * np.log10(np.maximum(np.sqrt(power @ filters.T), 1e-10))
    return np.maximum(decibels - decibels.max(), -80).T


@pytest.mark.parametrize("bands", [128, 256])
def test_spectrograms_are_those_of_kapre(windows, bands):
    found = spectrograms(windows, front_end(bands))
    assert found.shape == (2, bands, 199)
    for one, window in zip(found, windows, strict=True):
        np.testing.assert_allclose(one, spectrogram_by_the_book(window, bands), atol=0.02)


def test_the_layout_is_that_of_the_published_weights():
    network = OpenL3()
    shapes = [tuple(layer.weight.shape) for layer in network.convolutions]
    published = ((1, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512))
    assert shapes == [(after, before, 3, 3) for before, after in published]
    assert [layer.num_features for layer in network.norms] == [1, *CHANNELS[:-1]]


def by_the_book(spectrogram, layers):
    """Embeddings by Keras's layers, in its layout."""
    parts = dict(layers)
    x = spectrogram[..., None].astype(float)
    for place in range(1, 9):
        norm = parts[f"batch_normalization_{place}"]
        scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + 1e-3)
        x = (x - norm["moving_mean"]) * scale + norm["beta"]
        if place > 1:
            x = np.maximum(x, 0)
        if place in (3, 5, 7):
            x = halved(x)
        layer = parts[f"conv2d_{place}" if place < 8 else "audio_embedding_layer"]
        x = convolved(x, layer["kernel"], layer["bias"])
    assert x.shape[1:3] == (16, 24)  # the whole of it is pooled for 512 numbers
    return x.max(axis=(1, 2))


@pytest.mark.parametrize("whole_model", [False, True])
def test_embeddings_follow_from_the_file_by_its_own_layout(h5py, tmp_path, windows, whole_model):
    layers = openl3_layers(SMALL)
    write_keras(h5py, tmp_path / NAME, layers, whole_model)
    embedder = load_openl3(tmp_path, 128, SMALL)
    expected = by_the_book(spectrograms(windows, front_end(128)), layers)
    np.testing.assert_allclose(embedder.embed(windows), expected, rtol=1e-3, atol=1e-3)
    assert (embedder.rate_hz, embedder.window_samples) == (48_000, 48_000)


def test_without_weights_the_file_and_where_to_get_it_are_named(tmp_path):
    with pytest.raises(
        AbsentError,
        match=r"mel256_music.h5 is not there; fetch https://github.com/marl/openl3/raw/models/openl3_audio_mel256_mus",
    ):
        load_openl3(tmp_path, 256)


def test_weights_of_another_layout_are_refused(h5py, folder):
    with pytest.raises(
        ModelError, match=r"gamma of layer 2 of the norms of .* is \(2,\); expected \(64,\), as in OpenL3's"
    ):
        load_openl3(folder, 128)
    write_keras(h5py, folder / NAME, openl3_layers(SMALL)[:-1])
    with pytest.raises(ModelError, match=r"kernel of layer 8 of the convolutions of .* is absent"):
        load_openl3(folder, 128, SMALL)
    (folder / NAME).write_bytes(b"no HDF5")
    with pytest.raises(
        ModelError, match=r"mel128_music.h5 cannot be read .*; expected a file with the weights"
    ):
        load_openl3(folder, 128)
    with h5py.File(folder / NAME, "w") as file:
        file["other"] = 1
    with pytest.raises(ModelError, match="cannot be read"):
        load_openl3(folder, 128)


def test_without_h5py_the_way_to_install_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ConfigError, match=r"h5py cannot be imported .*; expected the extra lab: pip install"):
        read_layers(tmp_path / NAME)
