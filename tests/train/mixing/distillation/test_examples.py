"""Examples of clips: what of a long recording they hold."""

from __future__ import annotations

import numpy as np
import soundfile

from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.mixing.distillation.examples import SECONDS, DistillationConfig, Examples

PITCHES_HZ = (500.0, 1_000.0, 2_000.0, 4_000.0)


def loudest_hz(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    return float(np.fft.rfftfreq(len(sound), 1 / RATE_HZ)[power.argmax()])


def test_the_first_example_of_a_long_clip_is_its_beginning_and_the_others_are_any_excerpts(tmp_path):
    """The clip is four tones of ten seconds each, an octave apart, which no change of speed bridges."""
    t = np.arange(10 * RATE_HZ) / RATE_HZ
    soundfile.write(
        tmp_path / "a.wav", np.concatenate([0.3 * np.sin(2 * np.pi * hz * t) for hz in PITCHES_HZ]), RATE_HZ
    )
    dog = Recording("animals", "a", (tmp_path / "a.wav",), "sound", "dog", 1)
    config = DistillationConfig(variants=24, scenes=0)
    examples = Examples(SoundCache([dog], tmp_path), ["cat", "dog"], frozenset(), config)
    made = list(examples.make(tmp_path))
    assert len(made) == len(examples) == 24
    assert [example.clip for example in made] == [1] * 24
    assert [example.raw for example in made] == [True, *[False] * 23]
    assert all(len(example.scene.sound) == SECONDS * RATE_HZ for example in made)
    found = [loudest_hz(example.scene.sound) for example in made]
    assert found[0] == 500.0
    assert min(found[1:]) < 700.0
    assert max(found[1:]) > 1_500.0
