import numpy as np
import pytest
import soundfile

from train.data.cache import SoundCache
from train.data.recordings import Recording
from train.mixing.distillation import excerpts as excerpts_module
from train.mixing.distillation.excerpts import Excerpts
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.mixing.scenes import NO_CLASS

RATE_HZ = 16_000
KINDS = (("music", 3.0), ("speech", 0.5), ("sound", 0.5), ("singing", 1.0), ("doubt", 1.0))


@pytest.fixture
def sounds(tmp_path):
    """Recordings of constant, unlike values, each a kind of its own."""
    found = []
    for number, (kind, seconds) in enumerate(KINDS, start=1):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, np.full(round(seconds * RATE_HZ), number / 10), RATE_HZ)
        found.append(Recording("toy", kind, (path,), "music" if kind == "doubt" else kind, kind, 1))
    return SoundCache(found, tmp_path / "cache")


def made(sounds, count, seconds, places=None):
    places = range(len(sounds)) if places is None else places
    cut = Excerpts(sounds, places, lambda recording: recording.category == "doubt")
    return list(cut.make(np.random.default_rng(0), count, seconds))


@pytest.fixture
def unchanged(monkeypatch):
    monkeypatch.setattr(excerpts_module, "AUGMENTED_SHARE", 0.0)


@pytest.mark.usefixtures("unchanged")
def test_one_excerpt_of_all_has_each_recording_in_turn_with_its_labels(sounds):
    (scene,) = made(sounds, 1, 6.0)
    value = np.round(scene.sound * 10).astype(int)
    np.testing.assert_array_equal(value, np.repeat([1, 2, 3, 4, 5], [48_000, 8_000, 8_000, 16_000, 16_000]))
    for number, (music, classes) in enumerate(
        [(PRESENT, NO_CLASS), (OTHER, NO_CLASS), (OTHER, IGNORE), (IGNORE, NO_CLASS), (IGNORE, NO_CLASS)],
        start=1,
    ):
        assert set(scene.music[value == number]) == {music}, KINDS[number - 1]
        assert set(scene.classes[value == number]) == {classes}, KINDS[number - 1]


@pytest.mark.usefixtures("unchanged")
def test_excerpts_lie_evenly_over_all_of_the_time(sounds):
    found = made(sounds, 1_000, 0.5)
    share = np.mean([np.round(scene.sound * 10) == 1 for scene in found])
    assert share == pytest.approx(3.0 / 6.0, abs=0.05)
    assert {len(scene.sound) for scene in found} == {8_000}
    assert len(np.unique(np.round(np.concatenate([scene.sound for scene in found]) * 10))) == 5


@pytest.mark.usefixtures("unchanged")
def test_past_the_end_is_silence_that_is_no_music(sounds):
    (scene,) = made(sounds, 1, 4.0, [0])
    assert not scene.sound[48_000:].any()
    assert set(scene.music[:48_000]) == {PRESENT}
    assert PRESENT not in scene.music[-8_000:]


def test_half_of_them_are_changed_and_all_are_reproducible(sounds):
    found, again = made(sounds, 40, 1.0, [0]), made(sounds, 40, 1.0, [0])
    changed = [not np.allclose(scene.sound, 0.1, atol=1e-3) for scene in found]
    assert 10 <= sum(changed) <= 30
    assert all(np.array_equal(a.sound, b.sound) for a, b in zip(found, again, strict=True))


def test_of_nothing_there_are_none(sounds):
    assert made(sounds, 5, 1.0, []) == []
    assert Excerpts(sounds, [], bool).hours == 0.0
    assert Excerpts(sounds, [0, 1], bool).hours == pytest.approx(3.5 / 3600)
