import numpy as np
import pytest

from streamer.errors import ConfigError
from train import augment
from train.evaluate.robustness import STANDARD, Degradation, background, measure

rng = np.random.default_rng(0)
T = np.arange(16_000) / 16_000
TONES = [
    np.float32(0.3) * np.sin(2 * np.pi * hz * T, dtype=np.float64).astype(np.float32)
    for hz in (300, 500, 300, 500)
]
TRUTH = np.array([0, 1, 0, 1])


def pitch_told(sounds):
    """How often the higher of two tones is told by whether its strongest frequency is above 400 Hz."""
    said = [np.abs(np.fft.rfft(sound, 16_000)).argmax() > 400 for sound in sounds]
    return float(np.mean(said == TRUTH.astype(bool)))


def test_figures_fall_with_what_harms_and_stay_with_what_does_not():
    harmful = Degradation("speed", "times", (1.0, 1.6), lambda x, factor, _: augment.change_speed(x, factor))
    found = measure(
        TONES,
        pitch_told,
        "accuracy",
        "python -m train inspect toy",
        [harmful, background("hiss", TONES[:1], (60.0,))],
    )
    assert found["clean"] == 1.0
    assert (found["sounds"], found["figure"], found["command"]) == (
        4,
        "accuracy",
        "python -m train inspect toy",
    )
    assert found["curves"] == [
        {"name": "speed", "unit": "times", "levels": [1.0, 1.6], "values": [1.0, 0.5]},
        {"name": "hiss", "unit": "dB SNR", "levels": [60.0], "values": [1.0]},
    ]


@pytest.mark.parametrize("degradation", STANDARD, ids=lambda d: d.name)
def test_every_degradation_changes_sound_at_each_level_and_keeps_it_finite(degradation):
    sound = TONES[0] + 0.1 * rng.standard_normal(16_000).astype(np.float32)
    before = sound.copy()
    heard = {}

    def listen(sounds):
        heard[len(heard)] = sounds[0]
        return 0.0

    measure([sound], listen, "none", "none", [degradation])
    np.testing.assert_array_equal(sound, before)
    clean = heard.pop(len(degradation.levels))
    np.testing.assert_array_equal(clean, sound)
    for given in heard.values():
        assert given.dtype == np.float32
        assert np.isfinite(given).all()
        assert np.abs(given).max() <= 1.0
        assert len(given) != len(sound) or not np.allclose(given, sound, atol=1e-5)


def test_a_sound_has_the_same_noise_at_each_level_and_for_each_model():
    noise = next(d for d in STANDARD if d.name == "white noise")
    runs = []
    for _ in range(2):
        kept = []
        measure(TONES[:2], lambda sounds, kept=kept: kept.append(sounds) or 0.0, "none", "none", [noise])
        runs.append(kept)
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)
    first, second = runs[0][0][0] - TONES[0], runs[0][1][0] - TONES[0]
    np.testing.assert_allclose(second, first * 10**0.5, atol=1e-5)  # 10 dB more of the same


def test_no_sounds_are_refused():
    with pytest.raises(ConfigError, match="got no sounds to measure robustness on; expected at least one"):
        measure([], pitch_told, "accuracy", "none")
