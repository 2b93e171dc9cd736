"""Test analysis and resynthesis: the contract holds to the bit, and sound is returned exactly and in time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from streamer.arrays import Array, State
from streamer.dsp.stage import Chain, Stage, offline
from streamer.dsp.stft import InverseStft, Stft, StftConfig
from streamer.errors import ConfigError
from tests.contract import check_stage

DEFAULT = StftConfig()
SHORT = StftConfig(hop_samples=80)
SYMMETRIC = StftConfig(hop_samples=160, window_samples=320)
OVERLAPPED = StftConfig(hop_samples=48, window_samples=512, synthesis_hops=4)
CD = StftConfig(sample_rate_hz=44_100, hop_samples=441, window_samples=1_764)
FAINT = 12  # samples at a window's edge that an impulse moves by less than single precision shows
ALL = pytest.mark.parametrize(
    "config",
    [DEFAULT, SHORT, SYMMETRIC, OVERLAPPED, CD],
    ids=["default", "short", "symmetric", "overlapped", "44.1 kHz"],
)


@dataclass(frozen=True, eq=False)
class EachBin(Stage):
    """A stage that multiplies every bin of a frame by a number of its own, as the simplest mask does."""

    factors: Array
    hop = latency = Fraction(1)

    def init(self, batch: int = 1) -> State:
        return (np.zeros(batch),)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        return (x * self.factors).astype(np.complex64), state

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, 2, len(self.factors)), np.complex64)


def noise(samples: int, channels: int = 2, batch: int = 1) -> Array:
    return 0.1 * np.random.default_rng(0).standard_normal((batch, samples, channels), np.float32)


def snr_db(found: Array, expected: Array) -> float:
    error = found.astype(np.float64) - expected
    return float(10 * np.log10(np.sum(expected.astype(np.float64) ** 2) / np.sum(error**2)))


@ALL
def test_analysis_keeps_the_contract_to_the_bit(config: StftConfig) -> None:
    check_stage(Stft(config, 2), noise(5 * config.hop_samples + 37, batch=2))


@ALL
def test_synthesis_keeps_the_contract_to_the_bit(config: StftConfig) -> None:
    spectra = offline(Stft(config, 2), noise(8 * config.hop_samples, batch=2))
    # The transform of an impulse in all bins is one at the window's first sample; this moves it to its last.
    to_the_end = EachBin(np.exp(2j * np.pi * np.arange(config.bins) / config.window_samples))
    check_stage(Chain(to_the_end, InverseStft(config, 2)), spectra, slack=Fraction(FAINT, config.hop_samples))


@ALL
def test_with_a_mask_between_them_they_keep_the_contract(config: StftConfig) -> None:
    mask = EachBin(np.random.default_rng(1).random(config.bins))
    chain = Chain(Stft(config, 2), mask, InverseStft(config, 2))
    assert chain.hop == 1
    assert chain.latency == Fraction(config.latency_samples)
    check_stage(chain, noise(5 * config.hop_samples + 37, batch=2), slack=FAINT)


@ALL
def test_sound_comes_back_to_100_db_from_its_first_sample_to_its_last(config: StftConfig) -> None:
    x = noise(20 * config.hop_samples + 37)
    y = offline(Chain(Stft(config, 2), InverseStft(config, 2)), x)
    assert 0 <= y.shape[1] - x.shape[1] < config.hop_samples  # whole hops: what is beyond the end is silence
    assert snr_db(y[:, : x.shape[1]], x) > 100
    assert np.abs(y[:, x.shape[1] :]).max() < 1e-5


@ALL
def test_frames_are_those_of_a_plain_transform(config: StftConfig) -> None:
    x = noise(6 * config.hop_samples, channels=1)
    padded = np.concatenate([np.zeros(config.window_samples - config.hop_samples), x[0, :, 0]])
    frames = np.lib.stride_tricks.sliding_window_view(padded, config.window_samples)[:: config.hop_samples]
    expected = np.fft.rfft(frames * config.windows[0])
    found, _ = Stft(config).step(x, Stft(config).init())
    np.testing.assert_allclose(found[0, :, 0], expected, atol=1e-5)


@ALL
def test_windows_multiply_to_copies_of_hann_that_add_up_to_one(config: StftConfig) -> None:
    analysis, synthesis = config.windows
    product = analysis[-config.latency_samples :].astype(np.float64) * synthesis
    total = product.reshape(config.synthesis_hops, config.hop_samples).sum(0)
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


def test_a_symmetric_pair_is_the_root_of_hann_twice() -> None:
    analysis, synthesis = SYMMETRIC.windows
    np.testing.assert_allclose(analysis, synthesis, atol=1e-6)


def test_fingerprints_differ_where_numbers_do() -> None:
    assert len({c.fingerprint for c in (DEFAULT, SHORT, SYMMETRIC, OVERLAPPED, CD)}) == 5


def test_a_synthesis_window_longer_than_the_analysis_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="hop 160, window 200 samples, a synthesis window of 2 hops; expected"
    ):
        StftConfig(window_samples=200)


def test_an_odd_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="windows of 641 and 320 samples; expected even numbers"):
        StftConfig(window_samples=641)
