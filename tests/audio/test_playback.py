"""Test a stem on a device with another clock: it is whole, fades at its end, and is never far behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.audio.playback import CHUNK_S, MAX_WAITING_S, WAITING_S, Playback
from streamer.events.kinds import Stem

RATE_HZ = 16_000
DEVICE_HZ = 48_000
HOP = 160


def stem(start: int, samples: Array, epoch: int = 0) -> Stem:
    return Stem(
        kind="stem",
        stream="mic",
        epoch=epoch,
        start=start,
        stop=start + len(samples),
        rate=RATE_HZ,
        label="voice",
        samples=samples,
    )


def tone(start: int, count: int = HOP, channels: int = 1) -> Array:
    wave = np.sin(2 * np.pi * 440.0 * np.arange(start, start + count) / RATE_HZ).astype(np.float32)
    return np.repeat(wave[:, None], channels, axis=1)


def played(playback: Playback, seconds: float, ppm: float = 0.0, turn_hops: int = 1, begin: int = 0) -> Array:
    """Return the sound that a device plays in some seconds of its clock; the stem's clock is faster by `ppm`."""
    now, put, parts = 0.0, begin, []
    while now < seconds:
        while (put + turn_hops * HOP - begin) / RATE_HZ <= now * (1 + ppm * 1e-6):
            for _ in range(turn_hops):
                playback.put(stem(put, tone(put)))
                put += HOP
        parts.append(playback.chunk())
        now += len(parts[-1]) / DEVICE_HZ
    return np.concatenate(parts)


@pytest.mark.parametrize("ppm", [-300, 0, 300])
@pytest.mark.parametrize("turn_hops", [1, 3])
def test_clocks_that_differ_make_neither_pauses_nor_lag(ppm: int, turn_hops: int) -> None:
    playback = Playback(DEVICE_HZ, 1)
    played(playback, 120.0, ppm, turn_hops)
    assert (playback.pauses, playback.dropped_samples) == (0, 0)
    assert playback.waiting_s == pytest.approx(WAITING_S, abs=CHUNK_S * turn_hops)
    assert 1e6 * (playback.speed - 1) == pytest.approx(ppm, abs=200)


@pytest.mark.parametrize("stalled_s", [0.2, 0.3, 0.4])
def test_after_a_short_stall_of_the_device_the_level_comes_back_and_goes_no_further(stalled_s: float) -> None:
    playback = Playback(DEVICE_HZ, 1)
    played(playback, 20.0)
    late = round(stalled_s * RATE_HZ / HOP) * HOP
    begin = 20 * RATE_HZ + HOP
    playback.put(stem(begin, tone(begin, late)))
    played(playback, 180.0, begin=begin + late)
    assert (playback.pauses, playback.dropped_samples) == (0, 0)
    assert playback.waiting_s == pytest.approx(WAITING_S, abs=0.02)


@pytest.mark.parametrize(("capture_hz", "device_hz"), [(48_000, 16_000), (44_100, 16_000), (96_000, 44_100)])
def test_a_device_of_a_lower_rate_hears_nothing_folded_down(capture_hz: int, device_hz: int) -> None:
    playback = Playback(device_hz, 1)
    playback.chunk()  # silence, before any rate is known
    above = 0.75 * device_hz
    wave = np.sin(2 * np.pi * above * np.arange(capture_hz) / capture_hz).astype(np.float32)[:, None]
    heard = []
    for n in range(0, capture_hz, capture_hz // 100):
        playback.put(replace(stem(n, wave[n : n + capture_hz // 100]), rate=capture_hz))
        heard.append(playback.chunk())
    assert np.abs(np.concatenate(heard)[device_hz // 4 :]).max() < 1e-3


def test_what_is_played_is_the_stem() -> None:
    sound = played(Playback(DEVICE_HZ, 2), 3.0)
    assert sound.shape[1] == 2
    np.testing.assert_array_equal(sound[:, 0], sound[:, 1])
    steady = sound[DEVICE_HZ : 2 * DEVICE_HZ, 0].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady)))) ** 2
    peak = int(np.argmax(spectrum))
    assert peak == pytest.approx(440, abs=2)
    rest = spectrum.sum() - spectrum[peak - 8 : peak + 9].sum()
    assert 10 * np.log10(spectrum.sum() / rest) > 60  # no click, no hole
    assert np.sqrt(2 * np.mean(steady**2)) == pytest.approx(1.0, abs=0.01)


def test_nothing_sounds_before_enough_waits_and_then_it_rises() -> None:
    playback = Playback(RATE_HZ, 1)
    for n in range(round(WAITING_S * RATE_HZ) // HOP - 1):
        playback.put(stem(n * HOP, np.ones((HOP, 1), np.float32)))
        assert not playback.chunk().any()
    for n in range(6, 20):
        playback.put(stem(n * HOP, np.ones((HOP, 1), np.float32)))
    sound = np.concatenate([playback.chunk() for _ in range(5)])
    assert np.abs(np.diff(sound[:, 0])).max() < 0.02
    assert sound.max() > 0.9


@pytest.mark.parametrize("more", [0, 1, 80, HOP - 1])
def test_sound_that_runs_out_ends_softly_and_is_counted_once_it_goes_on(more: int) -> None:
    playback = Playback(RATE_HZ, 1)
    ones = np.ones((8 * HOP + more, 1), np.float32)
    playback.put(stem(0, ones))
    sound = np.concatenate([playback.chunk() for _ in range(12)])[:, 0]
    assert np.abs(np.diff(sound)).max() < 0.02
    assert sound.sum() == pytest.approx(7 * HOP + more / 2, abs=2.0)  # all, less half of what rises and falls
    assert not playback.playing
    assert playback.pauses == 0  # it may have been the end
    playback.put(stem(len(ones), ones))
    assert playback.pauses == 1


def test_what_comes_all_at_once_is_left_out_but_for_what_should_be_next_and_counted() -> None:
    playback = Playback(RATE_HZ, 1)
    playback.put(stem(0, tone(0, RATE_HZ)))
    playback.chunk()
    assert playback.waiting_s == pytest.approx(2 * WAITING_S - CHUNK_S)
    assert playback.dropped_samples == RATE_HZ - round(2 * WAITING_S * RATE_HZ)


def test_while_the_device_takes_nothing_no_more_than_a_second_is_held() -> None:
    playback = Playback(RATE_HZ, 1)
    for n in range(1_000):
        playback.put(stem(n * HOP, tone(n * HOP)))
    assert playback.waiting_s == 1.0
    assert playback.dropped_samples == 900 * HOP


def test_the_end_of_a_stem_is_no_pause() -> None:
    playback = Playback(RATE_HZ, 1)
    ones = np.ones((8 * HOP, 1), np.float32)
    playback.put(stem(0, ones))
    for _ in range(12):
        playback.chunk()
    playback.put(stem(80 * HOP, ones))
    playback.put(stem(0, ones, epoch=1))
    assert playback.pauses == 0


def test_what_was_too_short_to_begin_with_is_not_played_with_what_comes_much_later() -> None:
    playback = Playback(RATE_HZ, 1)
    playback.put(stem(0, np.full((HOP, 1), 9.0, np.float32)))
    playback.put(stem(90 * HOP, np.ones((8 * HOP, 1), np.float32)))
    assert np.concatenate([playback.chunk() for _ in range(12)]).max() < 2.0
    assert playback.dropped_samples == HOP


def test_a_slow_device_leaves_the_oldest_out_without_a_click() -> None:
    playback = Playback(RATE_HZ, 1)
    playback.put(stem(0, tone(0, 8 * HOP)))
    parts = [playback.chunk() for _ in range(2)]
    late = round(1.5 * MAX_WAITING_S * RATE_HZ)
    playback.put(stem(8 * HOP, tone(8 * HOP, late)))
    parts += [playback.chunk() for _ in range(5)]
    assert playback.dropped_samples == 6 * HOP + late - HOP - round(WAITING_S * RATE_HZ)
    assert playback.waiting_s <= WAITING_S
    steepest = 2 * np.pi * 440.0 / RATE_HZ
    assert np.abs(np.diff(np.concatenate(parts)[:, 0])).max() < 1.3 * steepest


@pytest.mark.parametrize(("channels", "expected"), [(1, [1.0, 1.0]), (2, [0.0, 1.0]), (6, [2.5, 2.5])])
def test_channels_are_as_they_are_or_their_mean(channels: int, expected: list[float]) -> None:
    playback = Playback(RATE_HZ, 2)
    levels = np.ones(1) if channels == 1 else np.arange(channels)
    playback.put(stem(0, np.tile(levels, (20 * HOP, 1)).astype(np.float32)))
    sound = np.concatenate([playback.chunk() for _ in range(4)])
    np.testing.assert_allclose(sound[-50], expected, atol=0.01)
