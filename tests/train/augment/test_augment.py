from dataclasses import replace

import numpy as np
import pytest
import torch

from models import torchaudio_cpu
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from train import augment
from train.augment.features import mask, mix_log_mel, mix_up
from train.augment.recipe import Recipe, apply_recipe
from train.data.sets import synthetic

RATE_HZ = 16_000


def tone(seconds: float = 1.0, pitch_hz: float = 500.0) -> np.ndarray:
    return (0.25 * np.sin(2 * np.pi * pitch_hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(
        np.float32
    )


def test_at_level_sets_the_active_level_whatever_the_pauses():
    x = np.concatenate([tone(), np.zeros(3 * RATE_HZ, np.float32)])
    y = augment.set_level(x, -20.0)
    assert 20 * np.log10(np.sqrt(np.mean(y[:RATE_HZ] ** 2))) == pytest.approx(-20.0, abs=0.01)


def test_silence_stays_silent():
    silence = np.zeros(RATE_HZ, np.float32)
    assert not augment.set_level(silence, -20.0).any()
    assert not augment.audible_mask(silence).any()


def test_audible_ends_300_ms_after_the_sound():
    x = np.concatenate([np.zeros(RATE_HZ, np.float32), tone(), np.zeros(RATE_HZ, np.float32)])
    heard = np.flatnonzero(augment.audible_mask(x))
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


def peak_hz(x: np.ndarray) -> int:
    """Frequency of the strongest of the first second's components."""
    return int(np.abs(np.fft.rfft(x[:RATE_HZ], RATE_HZ)).argmax())


def level_db(x: np.ndarray, rate_hz: int = RATE_HZ) -> float:
    return 20 * np.log10(augment.active_level(x, rate_hz))


def test_gain_is_exact_and_not_limited():
    assert level_db(augment.apply_gain(tone(), 20.0)) == pytest.approx(level_db(tone()) + 20.0, abs=1e-4)


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 17.5])
@pytest.mark.parametrize("rate_hz", [16_000, 22_050])
def test_a_background_lies_under_the_sound_by_the_asked_ratio_of_active_levels(snr_db, rate_hz):
    rng = np.random.default_rng(0)
    sound = np.zeros(2 * rate_hz, np.float32)
    sound[: rate_hz // 2] = 0.1 * rng.standard_normal(rate_hz // 2)  # mostly pause
    background = rng.standard_normal(3 * rate_hz // 4).astype(np.float32) ** 3
    under = augment.mix_at_snr(sound, background, snr_db, rate_hz) - sound
    assert level_db(sound, rate_hz) - level_db(under, rate_hz) == pytest.approx(snr_db, abs=0.1)
    np.testing.assert_allclose(under[: rate_hz // 2], under[3 * rate_hz // 4 :][: rate_hz // 2], atol=1e-6)


def test_there_is_no_ratio_to_silence():
    silence = np.zeros(RATE_HZ, np.float32)
    assert not augment.mix_at_snr(silence, tone(), 0.0).any()
    np.testing.assert_array_equal(augment.mix_at_snr(tone(), silence, 0.0), tone())


@pytest.mark.parametrize("colour", augment.COLOURS)
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_noise_has_its_colour_and_its_ratio(colour, rate_hz):
    sound = tone(8.0)
    noise = (
        augment.add_noise_at_snr(np.random.default_rng(1), sound, 12.0, augment.COLOURS[colour], rate_hz)
        - sound
    )
    assert level_db(sound, rate_hz) - level_db(noise, rate_hz) == pytest.approx(12.0, abs=0.1)
    power = np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(len(noise), 1 / rate_hz)
    octaves = [power[(hz >= low) & (hz < 2 * low)].mean() for low in (200, 400, 800, 1_600, 3_200)]
    slopes = np.diff(10 * np.log10(octaves))
    expected = {"white": 0.0, "pink": -3.01, "brown": -6.02, "blue": 3.01, "violet": 6.02}[colour]
    np.testing.assert_allclose(slopes, expected, atol=0.7)


def test_a_shift_moves_and_leaves_silence():
    x = np.arange(1, 6, dtype=np.float32)
    assert augment.shift(x, 2).tolist() == [0, 0, 1, 2, 3]
    assert augment.shift(x, -2).tolist() == [3, 4, 5, 0, 0]
    assert augment.shift(x, 0).tolist() == x.tolist()
    assert not augment.shift(x, 9).any()
    assert not augment.shift(x, -9).any()


def test_change_speed_does_not_alias():
    assert np.abs(augment.change_speed(tone(pitch_hz=7_500), 1.25)[200:-200]).max() < 1e-3


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.3])
def test_stretch_changes_length_and_not_pitch(factor):
    y = augment.stretch(tone(3.0, 507), factor)
    assert len(y) == round(3 * RATE_HZ / factor)
    assert peak_hz(y[RATE_HZ // 2 :]) == pytest.approx(507, abs=1)
    assert np.abs(y[4_000:-4_000]).max() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("semitones", [-4.0, 0.5, 12.0])
def test_change_pitch_changes_pitch_and_not_length(semitones):
    y = augment.change_pitch(tone(3.0), semitones)
    assert len(y) == 3 * RATE_HZ
    assert peak_hz(y[RATE_HZ // 2 :]) == pytest.approx(500 * 2 ** (semitones / 12), abs=2)


def test_stretch_takes_what_is_shorter_than_its_window():
    assert len(augment.stretch(tone(0.02), 0.5)) == 640


@pytest.mark.parametrize("codec", augment.CODECS)
@pytest.mark.parametrize("hardness", [0.0, 1.0])
def test_codecs_are_heard_but_keep_length_and_place(codec, hardness):
    rng = np.random.default_rng(0)
    x = np.zeros(50_001, np.float32)
    x[20_000:40_000] = 0.1 * rng.standard_normal(20_000)
    x += 0.2 * augment.fit_length(tone(4.0), len(x))
    y = augment.transcode(x, codec, hardness)
    assert y.shape == x.shape
    assert y.dtype == np.float32
    spectra = np.fft.rfft(x, 1 << 17), np.fft.rfft(y, 1 << 17)
    assert np.fft.irfft(spectra[1] * np.conj(spectra[0])).argmax() == 0
    error_db = 10 * np.log10(np.mean((y - x) ** 2) / np.mean(x**2))
    assert -40 < error_db < 2  # Opus at its hardest, 6 kbit/s, makes up noise of its own


@pytest.mark.parametrize("codec", augment.CODECS)
def test_harder_coding_is_further_from_the_sound(codec):
    x = 0.1 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    errors = [np.mean((augment.transcode(x, codec, hardness) - x) ** 2) for hardness in (0.0, 0.5, 1.0)]
    assert errors == sorted(errors)
    assert errors[0] < errors[2]


def test_a_rate_that_a_codec_has_not_is_refused():
    with pytest.raises(ValueError, match="opus at 22050 Hz cannot be written"):
        augment.transcode(tone(), "opus", 0.5, 22_050)


def test_mu_law_rounds_small_sound_finely_and_large_coarsely():
    x = np.linspace(-1.2, 1.2, 100_001, dtype=np.float32)
    y = augment.mu_law(x)
    assert len(np.unique(y)) == 256
    error = np.abs(y - np.clip(x, -1, 1))
    assert error[np.abs(x) < 0.01].max() < 0.0003
    assert error.max() == pytest.approx(0.022, abs=0.003)


def test_a_limited_band_keeps_what_is_below_and_loses_what_is_above():
    low, high = tone(2.0, 1_000), tone(2.0, 5_000)
    y = augment.limit_band(low + high, 3_400.0)
    assert len(y) == len(low)
    np.testing.assert_allclose(y[2_000:-2_000], low[2_000:-2_000], atol=2e-3)
    np.testing.assert_array_equal(augment.limit_band(high, 8_000.0), high)


def test_a_far_microphone_is_duller_and_noisy_at_about_the_level():
    rng = np.random.default_rng(0)
    x = 0.1 * rng.standard_normal(3 * RATE_HZ).astype(np.float32)
    for seed in range(6):
        y = augment.far_microphone(
            np.random.default_rng(seed), np.concatenate([x, np.zeros(RATE_HZ, np.float32)])
        )
        power = np.abs(np.fft.rfft(y[: 3 * RATE_HZ])) ** 2
        edge = 3_000 * 3
        assert power[2 * edge :].mean() < 0.4 * power[:edge].mean()
        assert level_db(y) == pytest.approx(level_db(x), abs=2.0)
        assert augment.active_level(y[-RATE_HZ // 10 :]) > 0


@pytest.mark.parametrize(
    "change",
    [
        augment.random_filter,
        lambda rng, x: augment.equalise(rng, x, 12.0),
        augment.reverberate,
        augment.far_microphone,
        lambda rng, x: augment.add_noise_at_snr(rng, x, 10.0, 0.5),
        lambda rng, x: apply_recipe(rng, x, EVERYTHING, any_background),
    ],
)
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
        assert not np.array_equal(y, change(np.random.default_rng(seed + 100), x))


def any_background(rng: np.random.Generator, samples: int) -> np.ndarray:
    return rng.standard_normal(samples).astype(np.float32)


EVERYTHING = Recipe(
    speed=1.0, pitch=1.0, move=1.0, background=1.0, room=0.5, far=0.5, filter=1.0, noise=1.0, codec=1.0
)
NOTHING = Recipe(
    speed=0, pitch=0, move=0, background=0, room=0, far=0, filter=0, noise=0, codec=0, gain_db=(0.0, 0.0)
)


def test_a_recipe_of_nothing_changes_nothing_and_one_of_one_thing_that_alone():
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(apply_recipe(rng, tone(), NOTHING), tone())
    quieter = apply_recipe(rng, tone(), replace(NOTHING, gain_db=(-6.0, -6.0)))
    np.testing.assert_allclose(quieter, tone() * 10 ** (-0.3), rtol=1e-5)
    faster = apply_recipe(rng, tone(2.0), replace(NOTHING, speed=1.0, speed_factor=(1.25, 1.25)))
    assert peak_hz(faster) == pytest.approx(625, abs=1)
    assert not faster[-6_000:].any()


def test_a_recipe_is_followed_as_often_as_it_says():
    rng = np.random.default_rng(0)
    changed = [
        not np.array_equal(apply_recipe(rng, tone(0.2), replace(NOTHING, filter=0.3)), tone(0.2))
        for _ in range(400)
    ]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.07)


def test_a_recipe_with_background_wants_one():
    with pytest.raises(ValueError, match=r"Recipe\(background=1.0\) needs a background"):
        apply_recipe(np.random.default_rng(0), tone(), EVERYTHING)


def test_masks_are_stripes_of_the_clips_mean_no_wider_than_asked():
    x = np.random.default_rng(0).standard_normal((40, 98, 64)).astype(np.float32) + 5.0
    before = x.copy()
    y = mask(np.random.default_rng(1), x, masks=1, widest_bands=8, widest_frames=20)
    np.testing.assert_array_equal(x, before)
    hidden = y != x
    bands, frames = hidden.all(axis=1).sum(axis=1), hidden.all(axis=2).sum(axis=1)
    assert (bands.min(), bands.max()) == (0, 8)
    assert frames.min() < 3
    assert 17 < frames.max() <= 20
    for clip in range(40):
        assert hidden[clip].sum() == bands[clip] * 98 + frames[clip] * 64 - bands[clip] * frames[clip]
        edges = np.abs(np.diff(hidden[clip].all(axis=0).astype(int))).sum()
        assert edges <= 2  # one stripe
        np.testing.assert_allclose(y[clip][hidden[clip]], x[clip].mean(), rtol=1e-5)
    np.testing.assert_array_equal(y, mask(np.random.default_rng(1), x, 1, 8, 20))


def test_masks_hide_as_much_as_torchaudios_do():
    x = np.random.default_rng(0).standard_normal((400, 98, 64)).astype(np.float32)
    transforms = torchaudio_cpu.load().transforms
    torch.manual_seed(0)
    theirs = transforms.FrequencyMasking(17, iid_masks=True)(torch.from_numpy(x).transpose(1, 2)[:, None])
    share = (mask(np.random.default_rng(0), x, 1, 16, 0) != x).mean()
    assert share == pytest.approx((theirs == 0).float().mean().item(), abs=0.01)


def test_mixed_clips_and_labels_have_the_same_shares():
    x = np.repeat(np.eye(8, dtype=np.float32)[:, None], 5, axis=1)
    labels = np.eye(8, dtype=np.float32)
    mixed, mixed_labels = mix_up(np.random.default_rng(0), x, labels, 0.5)
    np.testing.assert_array_equal(mixed[:, 0], mixed_labels)
    np.testing.assert_allclose(mixed_labels.sum(axis=1), 1.0, rtol=1e-6)
    assert (np.diag(mixed_labels) >= 0.5).all()
    assert (np.diag(mixed_labels) < 1.0).sum() >= 6
    again, _ = mix_up(np.random.default_rng(0), x, labels, 0.5)
    np.testing.assert_array_equal(mixed, again)


def test_frames_added_up_are_about_those_of_the_sum():
    front_end = LogMel()
    rng = np.random.default_rng(0)
    noise, other = 0.1 * rng.standard_normal((2, 4 * RATE_HZ)).astype(np.float32)
    frames = [
        offline(front_end, x[None]) for x in (noise, other, np.sqrt(0.8) * noise + np.sqrt(0.2) * other)
    ]
    added = mix_log_mel(frames[0], frames[1], np.array([0.8], np.float32), front_end.config.log_offset)
    power = [np.mean(np.square(np.exp(x) - front_end.config.log_offset)) for x in (added, frames[2])]
    assert 10 * np.log10(power[0] / power[1]) == pytest.approx(0.0, abs=0.3)
    alone = mix_log_mel(frames[0], frames[1], np.array([1.0], np.float32), front_end.config.log_offset)
    np.testing.assert_allclose(alone, frames[0], atol=1e-4)


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


def test_an_equaliser_keeps_to_its_range_and_to_the_time():
    x = np.random.default_rng(0).standard_normal(RATE_HZ).astype(np.float32)
    for seed in range(5):
        y = augment.equalise(np.random.default_rng(seed), x, 6.0)
        before, after = np.fft.rfft(x)[:8_000], np.fft.rfft(y)[:8_000]
        bands = [np.abs(spectrum).reshape(80, 100).mean(1) for spectrum in (before, after)]
        gain_db = 20 * np.log10(bands[1] / bands[0])
        assert np.abs(gain_db).max() < 6.3
        assert np.ptp(gain_db) > 1.0
        assert np.argmax(np.fft.irfft(after * before.conj())) == 0  # no delay
