import numpy as np
import pytest

from train import augment
from train.data import synthetic

RATE_HZ = 16_000


def tone(seconds: float = 1.0, pitch_hz: float = 500.0) -> np.ndarray:
    return (0.25 * np.sin(2 * np.pi * pitch_hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(
        np.float32
    )


def test_at_level_sets_the_active_level_whatever_the_pauses():
    x = np.concatenate([tone(), np.zeros(3 * RATE_HZ, np.float32)])
    y = augment.at_level(x, -20.0)
    assert 20 * np.log10(np.sqrt(np.mean(y[:RATE_HZ] ** 2))) == pytest.approx(-20.0, abs=0.01)


def test_silence_stays_silent():
    silence = np.zeros(RATE_HZ, np.float32)
    assert not augment.at_level(silence, -20.0).any()
    assert not augment.audible(silence).any()


def test_audible_ends_300_ms_after_the_sound():
    x = np.concatenate([np.zeros(RATE_HZ, np.float32), tone(), np.zeros(RATE_HZ, np.float32)])
    heard = np.flatnonzero(augment.audible(x))
    assert (heard[0], heard[-1] + 1) == (int(0.7 * RATE_HZ), int(2.3 * RATE_HZ))


def test_change_speed_moves_pitch_and_length():
    y = augment.change_speed(tone(), 1.25)
    assert len(y) == pytest.approx(RATE_HZ / 1.25, abs=2)
    assert np.abs(np.fft.rfft(y, RATE_HZ)).argmax() == pytest.approx(625, abs=1)


def test_quantise_leaves_that_many_values():
    y = augment.quantise(tone(), 3)
    assert set(np.unique(y * 4)) <= {-4, -3, -2, -1, 0, 1, 2, 3, 4}


def test_noise_has_the_asked_level():
    noise = augment.add_noise(np.random.default_rng(0), np.zeros(4 * RATE_HZ, np.float32), -40.0)
    assert 20 * np.log10(augment.active_level(noise)) == pytest.approx(-40.0, abs=0.1)


@pytest.mark.parametrize("change", [augment.random_filter, augment.reverberate])
def test_random_changes_are_seeded_finite_and_leave_the_input(change):
    for seed in range(8):
        x = tone()
        before = x.copy()
        y = change(np.random.default_rng(seed), x)
        assert y.shape == x.shape
        assert y.dtype == np.float32
        assert np.isfinite(y).all()
        assert not np.array_equal(x, y)
        np.testing.assert_array_equal(x, before)
        np.testing.assert_array_equal(y, change(np.random.default_rng(seed), x))


def test_reverberation_is_causal():
    x = np.zeros(RATE_HZ, np.float32)
    x[RATE_HZ // 2 :] = tone()[: RATE_HZ // 2]
    y = augment.reverberate(np.random.default_rng(0), x)
    assert np.abs(y[: RATE_HZ // 2]).max() < 1e-5


@pytest.mark.parametrize("maker", synthetic.MAKERS)
@pytest.mark.parametrize("samples", [700, 50_001])
def test_synthetic_sound_is_finite_and_at_full_scale(maker, samples):
    for seed in range(5):
        x = maker(np.random.default_rng(seed), samples)
        assert x.shape == (samples,)
        assert x.dtype == np.float32
        assert np.isfinite(x).all()
        assert np.abs(x).max() <= 1.0 + 1e-6
