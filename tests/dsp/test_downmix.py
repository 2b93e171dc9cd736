"""Test the downmix of captured sound: the mean of the channels, or one of them where they cancel each other."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.dsp.downmix import (
    AUDIBLE,
    CLEAR_WINDOWS,
    FADE_S,
    MEAN,
    SAMPLE_LIMIT,
    WEAK_WINDOWS,
    WINDOW_S,
    Downmix,
    chosen_channels,
    downmixed,
    muted_samples,
)
from tests.contract import check_stage

RATE_HZ = 8_000
WINDOW = round(WINDOW_S * RATE_HZ)
FADE = round(FADE_S * RATE_HZ)


def noise(seconds: float, seed: int = 0, rms: float = 0.1) -> Array:
    samples = np.random.default_rng(seed).normal(0, rms, round(seconds * RATE_HZ))
    return samples.astype(np.float32)


def chosen_of(*channels: Array) -> int | None:
    stage = Downmix(RATE_HZ, len(channels))
    _, state = stage.step(np.stack(channels, axis=1)[None], stage.init())
    (chosen,) = chosen_channels(state).tolist()
    return None if chosen == MEAN else chosen


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_it_is_a_stage(channels: int) -> None:
    x = np.random.default_rng(0).normal(0, 0.1, (2, 3 * WINDOW, channels)).astype(np.float32)
    if channels == 2:
        x[1, :, 1] = -x[1, :, 0]
    check_stage(Downmix(RATE_HZ, channels), x)


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_sound_that_does_not_cancel_is_the_mean(channels: int) -> None:
    sound = np.stack([noise(2, seed) for seed in range(channels)], axis=1)
    total = np.zeros(len(sound), np.float32)
    for c in range(channels):
        total += sound[:, c]
    np.testing.assert_array_equal(downmixed(sound, RATE_HZ), total * np.float32(1 / channels))


@pytest.mark.parametrize(
    ("gain", "chosen"), [(-1.0, 0), (-1.2, 1), (-0.8, 0), (-0.3, None), (0.0, None), (1.0, None)]
)
def test_of_two_that_cancel_the_louder_is_heard(gain: float, chosen: int | None) -> None:
    first = noise(1)
    second = (gain * first).astype(np.float32)
    mono = downmixed(np.stack([first, second], axis=1), RATE_HZ)
    mean = (first + second) * np.float32(0.5)
    np.testing.assert_array_equal(mono[:WINDOW], mean[:WINDOW])
    heard = mean if chosen is None else (first, second)[chosen]
    np.testing.assert_array_equal(mono[WINDOW + FADE :], heard[WINDOW + FADE :])
    assert chosen_of(first, second) == chosen


def test_between_mean_and_channel_it_fades() -> None:
    low = (0.5 * np.sin(np.arange(RATE_HZ) * 2 * np.pi * 3 / RATE_HZ)).astype(np.float32)
    mono = downmixed(np.stack([low, -low], axis=1), RATE_HZ)
    assert np.abs(np.diff(mono)).max() < 2 * 0.5 / FADE


def test_a_channel_that_is_inverted_in_an_array_is_no_cancellation() -> None:
    sounds = [noise(1)] * 7
    assert chosen_of(*sounds, -sounds[0]) is None
    assert chosen_of(*sounds[:4], *[-sound for sound in sounds[:4]]) == 0
    assert chosen_of(noise(1), -noise(1), np.zeros(RATE_HZ, np.float32)) == 0


def test_an_offset_hides_nothing() -> None:
    sound = noise(1, rms=0.01)
    assert chosen_of(sound + np.float32(0.4), np.float32(0.4) - sound) is not None
    assert chosen_of(sound + np.float32(0.4), sound - np.float32(0.4)) is None


def test_silence_and_what_is_hardly_more_decide_nothing() -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    faint = noise(1, rms=0.5 * AUDIBLE**0.5)
    assert chosen_of(silence, silence) is None
    assert chosen_of(faint, -faint) is None
    loud = noise(0.5)
    first = np.concatenate([loud, np.zeros(20 * RATE_HZ, np.float32), loud])
    assert chosen_of(first, -first) == 0


def test_the_mean_comes_back_when_they_have_not_cancelled_for_a_while() -> None:
    wrong, right = noise(1), noise(WINDOW_S * (CLEAR_WINDOWS + 2), seed=1)
    first = np.concatenate([wrong, right])
    for windows, chosen in ((CLEAR_WINDOWS - 1, 0), (CLEAR_WINDOWS, None)):
        stop = len(wrong) + windows * WINDOW
        second = np.concatenate([-wrong, right])
        assert chosen_of(first[:stop], second[:stop]) == chosen


def test_a_channel_that_falls_silent_is_left() -> None:
    sound = noise(1 + WINDOW_S * (WEAK_WINDOWS + 1))
    dead = np.where(np.arange(len(sound)) < RATE_HZ, 1.1 * sound, 0.0).astype(np.float32)
    third = np.where(np.arange(len(sound)) < RATE_HZ, 0.0, sound).astype(np.float32)
    assert chosen_of(dead[:RATE_HZ], -sound[:RATE_HZ], third[:RATE_HZ]) == 0
    assert chosen_of(dead, -sound, third) == 1


def test_one_channel_is_copied() -> None:
    sound = noise(1)
    np.testing.assert_array_equal(downmixed(sound[:, None], RATE_HZ), sound)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2 * SAMPLE_LIMIT])
def test_what_is_no_sound_is_muted_and_counted(bad: float) -> None:
    block = np.full((4, 2), 0.5, np.float32)
    block[1, 0] = block[2, 0] = block[2, 1] = bad
    for sound, muted, expected in (
        (block, 3, [0.5, 0.25, 0.0, 0.5]),
        (block[:, :1].copy(), 2, [0.5, 0.0, 0.0, 0.5]),
    ):
        stage = Downmix(RATE_HZ, sound.shape[1])
        mono, state = stage.step(sound[None], stage.init())
        assert mono[0].tolist() == expected
        assert muted_samples(state).tolist() == [muted]
