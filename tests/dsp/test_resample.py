"""Test the resampler: it is bit-equal under any cutting, aligned, on time, and free of aliases."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from streamer.arrays import Array
from streamer.dsp.resample import Resample
from streamer.dsp.stage import offline
from streamer.errors import ConfigError
from tests.contract import check_stage

RATES_HZ = (8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 384_000)


def noise(samples: int, batch: int = 1) -> Array:
    return (0.1 * np.random.default_rng(2).standard_normal((batch, samples))).astype(np.float32)


def sine(frequency_hz: float, rate_hz: int, seconds: float = 0.5) -> Array:
    n = np.arange(round(seconds * rate_hz))
    return np.sin(2 * np.pi * frequency_hz * n / rate_hz).astype(np.float32)[None]


@pytest.mark.parametrize("rate_hz", [16_000, *RATES_HZ])
def test_it_keeps_the_contract(rate_hz: int) -> None:
    check_stage(Resample(rate_hz, 16_000), noise(max(1_000, rate_hz // 12), batch=2))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("samples", [0, 1, 2, 1_001, 5_000])
def test_length_is_rounded_half_up(rate_hz: int, samples: int) -> None:
    y = offline(Resample(rate_hz, 16_000), noise(samples, batch=2))
    assert y.shape == (2, (2 * samples * 16_000 + rate_hz) // (2 * rate_hz))
    assert y.dtype == np.float32


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_in_the_passband_it_is_what_soxr_makes_at_its_best(rate_hz: int) -> None:
    frequencies_hz = np.linspace(50, 0.9 * min(rate_hz, 16_000) / 2, 25)
    phases = np.random.default_rng(3).uniform(0, 2 * np.pi, 25)
    t = np.arange(rate_hz)[:, None] / rate_hz
    x = 0.02 * np.sin(2 * np.pi * frequencies_hz * t + phases).sum(axis=1) * np.hanning(rate_hz)
    x = x.astype(np.float32)[None]
    y = offline(Resample(rate_hz, 16_000), x)[0]
    np.testing.assert_allclose(y, soxr.resample(x[0], rate_hz, 16_000, "VHQ"), rtol=0, atol=5e-5)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_output_is_aligned_with_the_input(rate_hz: int) -> None:
    y = offline(Resample(rate_hz, 16_000), sine(440.0, rate_hz))[0]
    expected = sine(440.0, 16_000)[0][: len(y)]
    middle = slice(2_000, 6_000)
    np.testing.assert_allclose(y[middle], expected[middle], rtol=0, atol=1e-4)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("share", [0.02, 0.25, 0.93])
def test_a_tone_keeps_its_level(rate_hz: int, share: float) -> None:
    tone = sine(share * min(rate_hz, 16_000) / 2, rate_hz)
    assert level_db(offline(Resample(rate_hz, 16_000), tone)) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("rate_hz", [rate for rate in RATES_HZ if rate > 20_000])
@pytest.mark.parametrize("frequency_hz", [8_010.0, 9_000.0, 10_500.0])
def test_what_is_above_the_new_nyquist_is_gone(rate_hz: int, frequency_hz: float) -> None:
    assert level_db(offline(Resample(rate_hz, 16_000), sine(frequency_hz, rate_hz))) < -98.0


@pytest.mark.parametrize("rate_hz", [48_000, 44_100])
def test_a_sample_is_made_6_ms_after_it_sounded(rate_hz: int) -> None:
    assert Resample(rate_hz, 16_000).latency / rate_hz == pytest.approx(103 / 16_000, abs=1e-4)


def test_a_constant_stays_at_an_odd_rate() -> None:
    y = offline(Resample(47_952, 16_000), np.full((1, 47_952), 0.5, np.float32))[0]
    np.testing.assert_allclose(y[200:-200], 0.5, rtol=0, atol=1e-6)


def level_db(y: Array) -> float:
    """Return the level of the middle of a sound relative to a sine of full scale."""
    middle = y[0, y.shape[1] // 4 : 3 * y.shape[1] // 4]
    return float(10 * np.log10(2 * np.mean(middle.astype(np.float64) ** 2) + 1e-20))


def test_equal_rates_pass_through_untouched() -> None:
    stage = Resample(16_000, 16_000)
    x = noise(100, batch=2)
    y, state = stage.step(x, stage.init(batch=2))
    np.testing.assert_array_equal(y, x, strict=True)
    assert stage.flush(state).shape == (2, 0)
    assert stage.latency == stage.hop == 1


@pytest.mark.parametrize("rates_hz", [(0, 16_000), (16_000, -1)])
def test_impossible_rates_are_refused(rates_hz: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=r"resampling was asked from .* expected rates of 1 Hz or more"):
        Resample(*rates_hz)
