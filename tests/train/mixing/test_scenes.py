import numpy as np
import pytest

from streamer.errors import ConfigError
from tests.train.toy_data import make_toy_data, write
from train.data.cache import SoundCache
from train.data.recordings import Recording
from train.data.sets import mir1k, speech
from train.data.sets.all_sound import unambiguous_recordings
from train.mixing import scenes as scenes_module
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.mixing.scenes import NO_CLASS, PARTS, SPEED, VOICE_SPEED, SceneConfig, Scenes, step_labels

HOP = 640


def only(part_weights: tuple[float, ...]) -> SceneConfig:
    return SceneConfig(weights=part_weights)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    return SoundCache(unambiguous_recordings(root, root / "cache", [1, 2, 3]), root / "cache")


def test_scenes_are_seeded_finite_and_within_full_scale(cache):
    scenes = Scenes(cache, SceneConfig())
    for seed in range(6):
        scene = scenes.make(np.random.default_rng(seed), 40_000)
        again = scenes.make(np.random.default_rng(seed), 40_000)
        np.testing.assert_array_equal(scene.sound, again.sound)
        assert scene.sound.dtype == np.float32
        assert scene.sound.shape == scene.music.shape == scene.classes.shape == (40_000,)
        assert np.abs(scene.sound).max() <= 1.0
        assert set(np.unique(scene.music)) <= {PRESENT, OTHER, IGNORE}


def test_music_alone_is_never_labelled_other(cache):
    labels = Scenes(cache, only((1, 0, 0, 0, 0, 0, 0, 0))).make(np.random.default_rng(0), 80_000).music
    assert OTHER not in labels
    assert np.mean(labels == PRESENT) > 0.5


@pytest.mark.parametrize("part", [3, 4, 5, 6, 7])
def test_parts_without_music_are_labelled_other(cache, part):
    weights = tuple(float(n == part) for n in range(8))
    labels = Scenes(cache, only(weights)).make(np.random.default_rng(0), 40_000).music
    assert (labels == OTHER).all()


def test_drowned_music_is_ignored(cache):
    config = SceneConfig(weights=(0, 1, 0, 0, 0, 0, 0, 0), audible_db=100.0)
    labels = Scenes(cache, config).make(np.random.default_rng(0), 40_000).music
    assert (labels == IGNORE).all()


def test_everyday_sounds_are_labelled_by_their_class_and_others_are_ignored(cache):
    categories = sorted({r.category for r in cache.recordings if r.kind == "sound"})
    sounds = only((0, 0, 0, 0, 0, 1, 0, 0))
    known = Scenes(cache, sounds, categories).make(np.random.default_rng(0), 80_000).classes
    assert set(np.unique(known)) <= {IGNORE, *range(len(categories))}
    assert known.max() >= 0
    assert (Scenes(cache, sounds).make(np.random.default_rng(0), 80_000).classes == IGNORE).all()


@pytest.mark.parametrize("part", [0, 1, 3, 7])
def test_parts_without_everyday_sounds_hold_no_class(cache, part):
    weights = tuple(float(n == part) for n in range(8))
    scene = Scenes(cache, only(weights), ["any"]).make(np.random.default_rng(0), 40_000)
    assert (scene.classes == NO_CLASS).all()


def test_drowned_sounds_are_ignored(cache):
    config = SceneConfig(weights=(0, 0, 1, 0, 0, 0, 0, 0), audible_db=100.0)
    categories = sorted({r.category for r in cache.recordings if r.kind == "sound"})
    scene = Scenes(cache, config, categories).make(np.random.default_rng(0), 40_000)
    assert (scene.classes == IGNORE).all()


def test_step_labels_ignore_what_follows_a_change():
    labels = np.concatenate([np.full(20 * HOP, OTHER), np.full(20 * HOP, PRESENT)]).astype(np.int8)
    steps = step_labels(labels, HOP, SceneConfig(unknowable_s=0.32))
    assert steps.tolist() == [IGNORE] * 8 + [OTHER] * 12 + [IGNORE] * 8 + [PRESENT] * 12


def part(name: str) -> SceneConfig:
    return only(tuple(float(part == name) for part in PARTS))


@pytest.fixture(scope="module")
def with_songs(tmp_path_factory):
    """Recordings with the voices of songs, which the gate's own recordings lack."""
    root = make_toy_data(tmp_path_factory.mktemp("songs"))
    found = mir1k.recordings(root) + speech.recordings(root)
    return SoundCache(found, root / "cache")


def test_parts_beyond_the_last_weight_do_not_occur(cache):
    shorter, longer = (SceneConfig(weights=(1.0, *[0.0] * n)) for n in (0, len(PARTS) - 1))
    scenes = [Scenes(cache, config).make(np.random.default_rng(0), 20_000) for config in (shorter, longer)]
    np.testing.assert_array_equal(scenes[0].sound, scenes[1].sound)


def test_a_voice_alone_that_sings_is_singing_and_says_nothing_of_music(with_songs):
    present = Scenes(with_songs, part("singing")).make(np.random.default_rng(0), 80_000).present
    music, speech_labels, singing = present
    assert (music == IGNORE).all()
    assert (speech_labels == OTHER).all()
    assert np.mean(singing == PRESENT) > 0.5


def test_a_part_with_an_instrument_takes_recordings_of_instruments_and_drums_alone(tmp_path):
    made = {"band": ("full", ()), "flute": ("pipe", ("solo",)), "beat": ("drums", ())}
    for number, name in enumerate(made):
        write(tmp_path / f"{name}.wav", pitch_hz=400.0 * (1 + number))
    recordings = [
        Recording("rendered", name, (tmp_path / f"{name}.wav",), "music", category, 1, tags=tags)
        for name, (category, tags) in made.items()
    ]
    heard = set()
    scenes = Scenes(SoundCache(recordings, tmp_path / "cache"), part("instrument"))
    scenes._piece = lambda index, *given, piece=scenes._piece: heard.add(index) or piece(index, *given)
    music = scenes.make(np.random.default_rng(0), 320_000).music
    assert {scenes._cache.recordings[index].name for index in heard} == {"flute", "beat"}
    assert np.mean(music == PRESENT) > 0.5


def test_a_song_under_speech_holds_music_speech_and_singing(with_songs):
    scene = Scenes(with_songs, part("song+speech")).make(np.random.default_rng(1), 160_000)
    assert [bool((row == PRESENT).any()) for row in scene.present] == [True] * 3
    np.testing.assert_array_equal(scene.music, scene.present[0])


def test_singing_over_music_is_both_where_the_voice_can_be_heard(with_songs):
    music, speech_labels, singing = (
        Scenes(with_songs, part("singing+music")).make(np.random.default_rng(1), 320_000).present
    )
    assert np.mean(music == PRESENT) > 0.5
    assert (speech_labels == OTHER).all()
    assert np.mean(singing == PRESENT) > 0.2
    assert (singing != OTHER).all()


def short_and_long(folder, monkeypatch):
    """Speech of two data sets: 4 s of one, half a second of the other."""
    monkeypatch.setattr(scenes_module, "WHOLE_SHARE_S", 2.0)
    recordings = []
    for source, seconds in (("long", 4.0), ("short", 0.5)):
        write(folder / f"{source}.wav", seconds=seconds)
        recordings.append(Recording(source, source, (folder / f"{source}.wav",), "speech", source, 1))
    return SoundCache(recordings, folder / "cache")


def test_a_data_set_with_little_sound_is_drawn_less_often(tmp_path, monkeypatch):
    scenes = Scenes(short_and_long(tmp_path, monkeypatch), part("speech"))
    np.testing.assert_allclose(scenes._shares["speech"], [0.8, 0.2])


def test_voices_are_played_at_more_speeds_than_other_sound(tmp_path, monkeypatch):
    speeds = []
    scenes = Scenes(short_and_long(tmp_path, monkeypatch), part("speech"))
    scenes._piece = lambda *given, piece=scenes._piece: speeds.append(given[3]) or piece(*given)
    scenes.make(np.random.default_rng(0), 1_600_000)
    assert min(speeds) < SPEED[0]
    assert max(speeds) > SPEED[1]
    assert VOICE_SPEED[0] <= min(speeds) <= max(speeds) <= VOICE_SPEED[1]


def test_parts_of_which_there_are_no_recordings_are_refused(tmp_path):
    root = make_toy_data(tmp_path)
    sentences = SoundCache(speech.recordings(root), root / "cache")
    with pytest.raises(ConfigError, match="parts with song, and no recording is of that kind; expected some"):
        Scenes(sentences, part("song")).make(np.random.default_rng(0), 20_000)
