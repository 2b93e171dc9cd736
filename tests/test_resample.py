"""The resampler: bit-equal under any cutting, aligned, on time, and clean."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from streamer.errors import ConfigError
from streamer.resample import Resample
from streamer.stage import Array, offline

RATES_HZ = (8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 384_000)


def noise(samples: int, batch: int = 1) -> Array:
    return (0.1 * np.random.default_rng(2).standard_normal((batch, samples))).astype(np.float32)


def sine(frequency_hz: float, rate_hz: int, seconds: float = 0.5) -> Array:
    n = np.arange(round(seconds * rate_hz))
    return np.sin(2 * np.pi * frequency_hz * n / rate_hz).astype(np.float32)[None]


def cut(x: Array, lengths: Array) -> list[Array]:
    return np.split(x, np.minimum(np.cumsum(lengths), x.shape[1]), axis=1)


def stepped(stage: Resample, pieces: list[Array]) -> tuple[Array, list[tuple[int, int]]]:
    """All output, and how many items had come in and gone out after each piece."""
    state = stage.init(pieces[0].shape[0])
    parts, totals, fed, given = [], [], 0, 0
    for piece in pieces:
        y, state = stage.step(piece, state)
        parts.append(y)
        fed, given = fed + piece.shape[1], given + y.shape[1]
        totals.append((fed, given))
    return np.concatenate([*parts, stage.flush(state)], axis=1), totals


@pytest.mark.parametrize("rate_hz", [16_000, *RATES_HZ])
def test_values_and_their_times_do_not_depend_on_the_cutting(rate_hz: int) -> None:
    stage = Resample(rate_hz, 16_000)
    x = noise(rate_hz // 6)
    hop = rate_hz // 100
    whole = offline(stage, x)
    one_by_one, totals = stepped(stage, cut(x, np.ones(x.shape[1], int)))
    given_after = dict(totals)
    np.testing.assert_array_equal(one_by_one, whole, strict=True)
    rng = np.random.default_rng(3)
    lengths = [np.full(x.shape[1] // n + 1, n) for n in (7, hop - 1, hop, hop + 1, x.shape[1])]
    lengths += [rng.integers(0, most, 4 * x.shape[1] // most) for most in (50, 900, 5_000)]
    for some in lengths:
        got, totals = stepped(stage, cut(x, some))
        np.testing.assert_array_equal(got, whole, strict=True)
        assert all(given == given_after.get(fed, 0) for fed, given in totals)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("samples", [0, 1, 2, 1_001, 5_000])
def test_length_is_rounded_half_up(rate_hz: int, samples: int) -> None:
    y = offline(Resample(rate_hz, 16_000), noise(samples, batch=2))
    assert y.shape == (2, (2 * samples * 16_000 + rate_hz) // (2 * rate_hz))
    assert y.dtype == np.float32


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_declared_latency_holds_tightly(rate_hz: int) -> None:
    stage = Resample(rate_hz, 16_000)
    piece = max(1, rate_hz // 16_000)
    _, totals = stepped(
        stage, cut(np.zeros((1, 4 * rate_hz), np.float32), np.full(4 * rate_hz // piece, piece))
    )
    given, latest = 0, Fraction(0)
    for fed, total in totals:
        if total > given:
            latest = max(latest, fed - given * stage.hop)
        given = total
    assert latest <= stage.latency <= latest + 4 * stage.hop + piece


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_output_is_aligned_with_the_input(rate_hz: int) -> None:
    y = offline(Resample(rate_hz, 16_000), sine(440.0, rate_hz))[0]
    expected = sine(440.0, 16_000)[0][: len(y)]
    middle = slice(2_000, 6_000)
    np.testing.assert_allclose(y[middle], expected[middle], rtol=0, atol=1e-4)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_keeps_its_level(rate_hz: int) -> None:
    assert level_db(offline(Resample(rate_hz, 16_000), sine(1_000.0, rate_hz))) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("rate_hz", [rate for rate in RATES_HZ if rate > 20_000])
@pytest.mark.parametrize("frequency_hz", [8_200.0, 9_000.0, 10_500.0])
def test_what_is_above_the_new_nyquist_is_gone(rate_hz: int, frequency_hz: float) -> None:
    assert level_db(offline(Resample(rate_hz, 16_000), sine(frequency_hz, rate_hz))) < -80.0


def level_db(y: Array) -> float:
    """Level of the middle of a sound against a sine of full scale."""
    middle = y[0, y.shape[1] // 4 : 3 * y.shape[1] // 4]
    return float(10 * np.log10(2 * np.mean(middle.astype(np.float64) ** 2) + 1e-20))


def test_interleaved_streams_and_slots_do_not_touch() -> None:
    stage = Resample(48_000, 16_000)
    a, b = noise(20_000, batch=2)[:, None]
    state_a, state_b = stage.init(), stage.init()
    got_a, got_b = [], []
    for piece_a, piece_b in zip(np.split(a, 40, axis=1), np.split(b, 40, axis=1), strict=True):
        y, state_a = stage.step(piece_a, state_a)
        got_a.append(y)
        y, state_b = stage.step(piece_b, state_b)
        got_b.append(y)
    interleaved = [
        np.concatenate([*got_a, stage.flush(state_a)], axis=1),
        np.concatenate([*got_b, stage.flush(state_b)], axis=1),
    ]
    together = offline(stage, np.concatenate([a, b]))
    np.testing.assert_array_equal(np.concatenate(interleaved), together)
    np.testing.assert_array_equal(np.concatenate([offline(stage, a), offline(stage, b)]), together)


def test_the_future_does_not_change_what_was_given_out() -> None:
    stage = Resample(44_100, 16_000)
    x = noise(10_000)
    changed = x.copy()
    changed[:, 6_000:] = 1.0
    before, _ = stage.step(x[:, :6_000], stage.init())
    after = offline(stage, changed)
    assert before.shape[1] > 0
    np.testing.assert_array_equal(after[:, : before.shape[1]], before)
    assert not np.array_equal(after, offline(stage, x))


def test_input_is_not_changed_and_state_keeps_its_form() -> None:
    stage = Resample(48_000, 16_000)
    x = noise(4_000, batch=3)
    kept = x.copy()
    (before,) = stage.init(batch=3)
    shape, dtype = before.shape, before.dtype
    _, (after,) = stage.step(x, (before,))
    np.testing.assert_array_equal(x, kept)
    assert (after.shape, after.dtype) == (shape, dtype) == ((3,), np.dtype(object))


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
