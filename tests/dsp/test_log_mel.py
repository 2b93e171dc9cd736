"""Test the front end: the contract to the bit, independent implementations, and the golden file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig, hann, hz_to_mel, mel_matrix, mel_to_hz
from streamer.dsp.stage import offline
from streamer.errors import ConfigError
from tests.contract import check_stage
from tests.golden import log_mel as golden

YAMNET = LogMelConfig()
GENRE = LogMelConfig(
    sample_rate_hz=22_050,
    window_samples=2_048,
    hop_samples=512,
    fft_samples=2_048,
    mel_bands=128,
    mel_low_hz=0.0,
    mel_high_hz=11_025.0,
    mel_scale="slaney",
    mel_triangles="hz",
    mel_norm="area",
    power=2,
    log_offset=1e-6,
)
FULL_BAND = replace(GENRE, sample_rate_hz=44_100, hop_samples=1_024, mel_high_hz=22_050.0, power=1)
HTK_IN_HERTZ = replace(YAMNET, mel_triangles="hz", mel_norm="area", mel_bands=40)
ALL = pytest.mark.parametrize(
    "config", [YAMNET, GENRE, FULL_BAND, HTK_IN_HERTZ], ids=["yamnet", "genre", "full band", "htk in hertz"]
)
IN_HERTZ = pytest.mark.parametrize(
    "config", [GENRE, FULL_BAND, HTK_IN_HERTZ], ids=["genre", "full band", "htk in hertz"]
)


def noise(samples: int, batch: int = 1) -> Array:
    return 0.1 * np.random.default_rng(0).standard_normal((batch, samples), np.float32)


@ALL
def test_contract_holds_to_the_bit(config: LogMelConfig) -> None:
    check_stage(LogMel(config), noise(config.window_samples + 5 * config.hop_samples + 37, batch=2))


@ALL
def test_equals_a_plain_float64_computation(config: LogMelConfig) -> None:
    x = noise(config.window_samples + 20 * config.hop_samples)
    frames = np.lib.stride_tricks.sliding_window_view(x[0].astype(np.float64), config.window_samples)
    n = np.arange(config.window_samples)
    window = np.sin(np.pi * n / config.window_samples) ** 2
    spectrum = np.fft.rfft(frames[:: config.hop_samples] * window, config.fft_samples)
    mel = np.abs(spectrum) ** config.power @ mel_matrix(config).T.astype(np.float64)
    expected = np.log(mel + config.log_offset)
    found = offline(LogMel(config), x)
    assert found.dtype == np.float32
    assert found.shape == (1, 21, config.mel_bands)
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=2e-5)


@ALL
def test_equals_librosas_spectrum(config: LogMelConfig) -> None:
    x = noise(config.window_samples + 20 * config.hop_samples)
    # librosa centres a window that is shorter than the FFT; ours begins with the frame.
    margin = (config.fft_samples - config.window_samples) // 2
    strength = librosa.feature.melspectrogram(
        y=np.pad(x[0], margin),
        sr=config.sample_rate_hz,
        n_fft=config.fft_samples,
        hop_length=config.hop_samples,
        win_length=config.window_samples,
        window="hann",
        center=False,
        power=config.power,
        n_mels=config.mel_bands,
        fmin=config.mel_low_hz,
        fmax=config.mel_high_hz,
        htk=config.mel_scale == "htk",
        norm="slaney" if config.mel_norm == "area" else None,
    )
    found = offline(LogMel(config), x)[0]
    expected = np.log(strength.T + config.log_offset)
    assert found.shape == expected.shape
    # Triangles over mel rather than hertz make YAMNet's bands differ by a few per cent.
    atol = 2e-5 if config.mel_triangles == "hz" else 0.06
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


@IN_HERTZ
def test_mel_matrix_equals_librosas(config: LogMelConfig) -> None:
    expected = librosa.filters.mel(
        sr=config.sample_rate_hz,
        n_fft=config.fft_samples,
        n_mels=config.mel_bands,
        fmin=config.mel_low_hz,
        fmax=config.mel_high_hz,
        htk=config.mel_scale == "htk",
        norm="slaney" if config.mel_norm == "area" else None,
    )
    np.testing.assert_allclose(mel_matrix(config), expected, rtol=0, atol=1e-6 * expected.max())


def test_yamnets_own_constants(data_dir: Path) -> None:
    with np.load(data_dir / "yamnet" / "yamnet_weights.npz") as weights:
        np.testing.assert_allclose(hann(400), weights["frontend/window"], rtol=0, atol=3e-7)
        # TensorFlow computed them in float32.
        np.testing.assert_allclose(mel_matrix(YAMNET), weights["frontend/mel_matrix"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_mel_scale_equals_librosas_and_inverts(scale: str) -> None:
    hz = np.array([0.0, 125.0, 999.0, 1_000.0, 1_001.0, 7_500.0, 22_050.0])
    mel = hz_to_mel(hz, scale)
    # librosa rounds HTK's factor to 2595 over log10: 1127.01 for 1127.
    np.testing.assert_allclose(mel, librosa.hz_to_mel(hz, htk=scale == "htk"), rtol=2e-5)
    np.testing.assert_allclose(mel_to_hz(mel, scale), hz, rtol=1e-12, atol=1e-9)


def test_golden_file_was_made_by_this_version() -> None:
    with np.load(golden.PATH) as stored:
        assert str(stored["fingerprint"]) == YAMNET.fingerprint, (
            "constants or version changed: renew the golden file with `python -m tests.golden.log_mel`, "
            "and retrain the models"
        )


def test_numbers_are_those_of_the_golden_file() -> None:
    with np.load(golden.PATH) as stored:
        found, expected = golden.log_mel(stored["sound"]), stored["log_mel"]
    assert found.shape == expected.shape == (48, 64)
    moved = np.abs(found - expected).max()
    assert moved <= golden.TOLERANCE, (
        f"log-mel values moved by up to {moved}; raise LOG_MEL_VERSION, renew the golden file with "
        "`python -m tests.golden.log_mel`, and retrain the models"
    )


def test_fingerprint_tells_every_constant() -> None:
    changes = ({"mel_bands": 65}, {"log_offset": 0.01}, {"power": 2}, {"mel_scale": "slaney"})
    others = [replace(YAMNET, **change) for change in changes]
    assert len({YAMNET.fingerprint, *(c.fingerprint for c in others)}) == 5
    assert LogMelConfig().fingerprint == YAMNET.fingerprint


def test_first_frame_needs_a_whole_window() -> None:
    front_end = LogMel()
    assert offline(front_end, noise(399)).shape == (1, 0, 64)
    assert offline(front_end, noise(400)).shape == (1, 1, 64)
    assert offline(front_end, noise(559)).shape == (1, 1, 64)
    assert offline(front_end, noise(560)).shape == (1, 2, 64)


def test_silence_is_the_log_of_the_offset() -> None:
    np.testing.assert_array_equal(
        offline(LogMel(), np.zeros((1, 400), np.float32)), np.log(np.float32(0.001))
    )


@pytest.mark.parametrize(
    "given",
    [
        noise(1_600, 2).astype(np.float64),
        np.asfortranarray(noise(1_600, 2)),
        np.repeat(noise(1_600, 2), 2, axis=1)[:, ::2],
    ],
    ids=["float64", "Fortran order", "strided"],
)
def test_any_layout_gives_the_same(given: Array) -> None:
    np.testing.assert_array_equal(offline(LogMel(), given), offline(LogMel(), noise(1_600, 2)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hop_samples": 0}, "hop 0, window 400, FFT 512 samples; expected 0 < hop <= window <= FFT"),
        ({"hop_samples": 401}, "hop 401, window 400"),
        ({"fft_samples": 399}, "FFT 399 samples"),
        ({"mel_high_hz": 8_001.0}, "from 125.0 to 8001.0 Hz at 16000 Hz; expected 0 <= low < high <= half"),
        ({"mel_low_hz": 7_500.0}, "from 7500.0 to 7500.0 Hz"),
        ({"mel_low_hz": -1.0}, "from -1.0 to"),
        ({"mel_bands": 0}, "0 mel bands and log offset 0.001; expected at least 1 band"),
        ({"log_offset": 0.0}, "log offset 0.0; expected at least 1 band and an offset above 0"),
    ],
)
def test_impossible_constants_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LogMelConfig(**wrong)
