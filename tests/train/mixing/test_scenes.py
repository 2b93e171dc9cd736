import numpy as np
import pytest

from tests.train.toy_data import make_toy_data
from train.data.cache import SoundCache
from train.data.sets.all_sound import unambiguous_recordings
from train.mixing.scenes import IGNORE, MUSIC, NO_CLASS, OTHER, SceneConfig, Scenes, step_labels

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
        assert set(np.unique(scene.music)) <= {MUSIC, OTHER, IGNORE}


def test_music_alone_is_never_labelled_other(cache):
    labels = Scenes(cache, only((1, 0, 0, 0, 0, 0, 0, 0))).make(np.random.default_rng(0), 80_000).music
    assert OTHER not in labels
    assert np.mean(labels == MUSIC) > 0.5


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
    labels = np.concatenate([np.full(20 * HOP, OTHER), np.full(20 * HOP, MUSIC)]).astype(np.int8)
    steps = step_labels(labels, HOP, SceneConfig(unknowable_s=0.32))
    assert steps.tolist() == [IGNORE] * 8 + [OTHER] * 12 + [IGNORE] * 8 + [MUSIC] * 12
