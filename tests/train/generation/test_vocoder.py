"""Sound from log-mel frames: the frames come back, seeds, levels and lengths."""

import numpy as np
import pytest

from models.front_ends import music_front_end
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from train.generation.bounds import revocode
from train.generation.vocoder import PEAK, at_peak, frames_of_samples, linear_power, shaped_noise, vocode

FRONT_END = music_front_end()
RATE_HZ = FRONT_END.sample_rate_hz


def chord(seconds=1.0):
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    envelope = 0.2 + 0.8 * (np.sin(2 * np.pi * 2 * t) > 0)
    return (0.2 * envelope * sum(np.sin(2 * np.pi * hz * t) for hz in (330, 660, 1_500))).astype(np.float32)


def frames_of(sound):
    return offline(LogMel(FRONT_END), sound[None])[0]


def test_the_loud_bands_of_a_sound_come_back_from_its_frames_alone():
    sound = chord()
    made = revocode(sound, FRONT_END, 0)
    assert made.shape == sound.shape
    assert made.dtype == np.float32
    given, found = frames_of(sound), frames_of(made)
    loud = given > given.max() - 4.0
    away = (found - given)[loud]
    assert np.abs(away - away.mean()).mean() < 0.7  # 3 dB
    assert np.abs((frames_of(chord()[::-1].copy()) - given)[loud]).mean() > 1.0


def test_power_of_bins_gives_the_bands_again_and_is_never_negative():
    from streamer.dsp.log_mel import mel_matrix

    rng = np.random.default_rng(0)
    smooth = np.cumsum(rng.normal(0, 0.2, (3, 112)), axis=1).astype(np.float32)
    power = linear_power(smooth, FRONT_END)
    assert power.shape == (3, 1_025)
    assert power.min() >= 0
    bands = np.log(power @ mel_matrix(FRONT_END).T)
    away = bands - smooth
    assert np.abs(away - away.mean()).max() < 0.3


def test_the_seed_determines_the_sound_and_torch_s_own_generator_is_left_alone():
    import torch

    frames = frames_of(chord(0.5))
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, again, other = (vocode(frames, FRONT_END, 6_600, seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("samples", [1, 500, 5_000])
@pytest.mark.parametrize("level", [-40.0, 80.0])
def test_sound_has_its_length_and_is_below_full_scale(samples, level):
    rng = np.random.default_rng(0)
    shape = (frames_of_samples(FRONT_END, samples), FRONT_END.mel_bands)
    sound = vocode(rng.normal(level, 1.0, shape).astype(np.float32), FRONT_END, samples, 0)
    assert sound.shape == (samples,)
    assert np.abs(sound).max() == pytest.approx(PEAK)


def test_silence_stays_silence():
    assert not at_peak(np.zeros(4, np.float32)).any()
    assert at_peak(np.array([-4.0, 2.0], np.float32)).tolist() == pytest.approx([-PEAK, PEAK / 2])


def test_noise_has_the_spectrum_that_is_asked_for():
    power = np.full(1_025, 1e-4)
    power[100:200] = 1.0
    noise = shaped_noise(power, RATE_HZ, np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    bins = 8_000 / 1_024
    inside, outside = spectrum[int(110 * bins) : int(190 * bins)], spectrum[int(300 * bins) :]
    assert inside.mean() == pytest.approx(1e4 * outside.mean(), rel=0.1)
