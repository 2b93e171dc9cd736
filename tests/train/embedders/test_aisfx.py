"""aiSFX against its definition, its spectrograms, and wheels and checkpoints of another kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from models.reference.aisfx import BANDS, FRAMES, Aisfx
from streamer.errors import ModelError
from tests.train.embedders.toy_wheels import (
    CHANNELS,
    aisfx_checkpoint,
    aisfx_state,
    toy_aisfx,
    write_aisfx,
    write_wheel,
)
from train.embedders import aisfx
from train.embedders.aisfx import LOUDEST, RATE_HZ, WINDOW_SAMPLES, load_aisfx, spectrograms


def expected(state, spectrogram):
    """What the published network gives for a block (frames, bands), by its own names of the weights."""
    x = torch.from_numpy(spectrogram)[None, None]
    for number in range(1, 5):
        for layer in ("1", "2"):
            name = f"embedding_net.conv_block{number}"
            x = F.conv2d(x, state[f"{name}.conv{layer}.weight"], padding=1)
            mean, variance, scale, shift = (
                state[f"{name}.bn{layer}.{part}"][:, None, None]
                for part in ("running_mean", "running_var", "weight", "bias")
            )
            x = torch.relu((x - mean) / torch.sqrt(variance + 1e-5) * scale + shift)
        if number < 4:
            x = F.max_pool2d(x, 2)
    return x[0].mean(2).max(1).values.numpy()


def test_windows_are_embedded_as_published(tmp_path):
    network = toy_aisfx()
    embedder = load_aisfx(write_aisfx(tmp_path, network), CHANNELS)
    windows = np.random.default_rng(0).uniform(-0.3, 0.3, (2, WINDOW_SAMPLES)).astype(np.float32)
    blocks = spectrograms(windows)
    assert blocks.shape == (2, FRAMES, BANDS)
    for found, block in zip(embedder.embed(windows), blocks, strict=True):
        np.testing.assert_allclose(found, expected(aisfx_state(network), block), rtol=1e-4, atol=1e-5)


def test_the_published_sizes_are_those_of_the_paper():
    network = Aisfx()
    assert [len(block.bn2.weight) for block in network.blocks] == [64, 128, 256, 512]
    assert sum(weights.numel() for weights in network.parameters()) == 4_686_144


def test_a_band_is_the_logarithm_of_the_mean_power_of_its_bins():
    t = np.arange(WINDOW_SAMPLES) / RATE_HZ
    tone = np.sin(2 * np.pi * 1_000 * t).astype(np.float32)
    (found,) = spectrograms(tone[None])
    frame = np.abs(np.fft.rfft(tone[10 * 1_024 : 10 * 1_024 + 2_048] * np.hanning(2_049)[:-1])) ** 2
    mel = 1_127 * np.log1p(np.fft.rfftfreq(2_048, 1 / RATE_HZ) / 700)
    edges = np.linspace(0, 1_127 * np.log1p(22_050 / 700), BANDS + 2)
    band = int(np.argmax(found[10]))
    triangle = np.maximum(0, 1 - np.abs(mel - edges[band + 1]) / (edges[1] - edges[0]))
    power = triangle @ frame / triangle.sum()
    assert found[10, band] == pytest.approx(np.log10(1e4 * power + 1) / LOUDEST, rel=1e-4)
    assert 0.9 < found.max() < 1.0  # of a tone at full scale
    np.testing.assert_allclose(spectrograms(np.zeros((1, WINDOW_SAMPLES), np.float32)), 0.0, atol=1e-6)


def test_a_wheel_of_another_version_is_refused(tmp_path):
    wheel = write_aisfx(tmp_path, toy_aisfx(), version="0.2.0")
    with pytest.raises(ModelError, match=r"is the wheel of aisfx-0\.2\.0; expected aisfx-0\.1\.2, .*fetch"):
        load_aisfx(wheel, CHANNELS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (({}, {}), r"conv_block1\.conv1\.weight of .* is absent; expected \(2, 1, 3, 3\): .*aisfx==0\.1\.2"),
        (
            ({"embedding_net.conv_block1.conv1.weight": torch.zeros(7, 1, 3, 3)}, {}),
            r"is \(7, 1, 3, 3\); expected \(2,",
        ),
        ({"weights": torch.zeros(1)}, r"holds a dict; expected that of aisfx 0\.1\.2: fetch it by pip"),
        ((print, {}), r"checkpoint\.pth in .* cannot be read \(.*\); expected that of aisfx 0\.1\.2"),
    ],
)
def test_a_checkpoint_of_another_layout_is_refused(tmp_path, content, words):
    wheel = write_wheel(tmp_path, aisfx.WHEEL, {aisfx.CHECKPOINT: aisfx_checkpoint(content)})
    with pytest.raises(ModelError, match=words):
        load_aisfx(wheel, CHANNELS)
