"""A doubled voice, and the gains of compression and saturation."""

from __future__ import annotations

import numpy as np
import pytest

from train.augment import block_levels, compression_gain, double_voice, saturation_gain
from train.data.decode import RATE_HZ


def tone(seconds: float = 2.0, amplitude: float = 0.5) -> np.ndarray:
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * 300 * t)).astype(np.float32)


def test_a_second_voice_comes_later_softer_and_detuned() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[1_000] = 1.0
    for seed in range(5):
        second = double_voice(np.random.default_rng(seed), click) - click
        place = int(np.abs(second).argmax()) - 1_000
        assert 0.009 * RATE_HZ < place < 0.042 * RATE_HZ
        assert 0.3 < second.max() < 0.75
        assert len(second) == RATE_HZ
    doubled = double_voice(np.random.default_rng(0), tone())
    assert np.ptp(block_levels(doubled)[2:-2]) > 0.01  # beats


def test_a_compressor_brings_loud_and_soft_sound_together() -> None:
    mixture = np.concatenate([tone(amplitude=0.5), tone(amplitude=0.05)])
    gain = compression_gain(mixture, above_db=-40.0, ratio=4.0)
    levels = block_levels(mixture * gain)
    apart_db = 20 * np.log10(levels[10] / levels[-5])
    assert apart_db == pytest.approx(20 / 4, abs=0.5)
    assert gain.max() <= 1
    np.testing.assert_array_equal(compression_gain(mixture, above_db=0.0, ratio=1.0), 1.0)


def test_a_compressor_lets_go_more_slowly_than_it_takes_hold() -> None:
    mixture = np.concatenate([tone(1.0, 0.01), tone(1.0, 0.5), tone(1.0, 0.01)])
    gain = compression_gain(mixture, above_db=-10.0, ratio=8.0)
    taken, let_go = gain[RATE_HZ + 800], gain[2 * RATE_HZ + 800]
    assert taken < 0.5
    assert let_go < 0.5 < gain[2 * RATE_HZ + 8_000]


@pytest.mark.parametrize("drive_db", [0.0, 9.0])
def test_a_limiter_holds_the_peak(drive_db: float) -> None:
    mixture = tone() + tone(amplitude=0.01)
    gain = saturation_gain(mixture, drive_db)
    limited = mixture * gain
    drive = 10 ** (drive_db / 20)
    assert np.abs(limited).max() == pytest.approx(np.abs(mixture).max() * np.tanh(drive) / drive, rel=1e-3)
    assert gain.max() <= 1
    crest = np.abs(limited).max() / np.sqrt(np.square(limited).mean())
    assert crest < np.abs(mixture).max() / np.sqrt(np.square(mixture).mean())


@pytest.mark.parametrize(
    "gain", [lambda x: compression_gain(x, -10.0, 4.0), lambda x: saturation_gain(x, 6.0)]
)
def test_silence_stays_silent(gain) -> None:
    np.testing.assert_array_equal(gain(np.zeros(1_234, np.float32)), 1.0)
