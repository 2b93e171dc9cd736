"""Scenes laid over each other as frames."""

import numpy as np
import pytest

from train.mixing.blends import OVER_DB, blend, tilt
from train.mixing.presence import IGNORE, OTHER, PRESENT

SCENES, STEPS, HOP, BANDS = 40, 10, 4, 12
LOUD, SILENT = -5.0, np.log(1e-10)
MUSIC, SPEECH = 0, 1


def batch():
    """Scenes of speech at one level, of which the first half fall silent in their second half."""
    frames = np.full((SCENES, STEPS * HOP, BANDS), LOUD, np.float32)
    frames[: SCENES // 2, STEPS * HOP // 2 :] = SILENT
    present = np.full((SCENES, STEPS, 3), OTHER, np.int8)
    present[..., SPEECH] = PRESENT
    present[: SCENES // 2, STEPS // 2 :, SPEECH] = OTHER
    return frames, present


def test_only_so_many_scenes_are_blended_and_powers_add_up():
    frames, present = batch()
    before, labels = frames.copy(), present.copy()
    blend(np.random.default_rng(0), frames, present, 10, -10.0)
    assert np.array_equal(frames[:30], before[:30])
    assert np.array_equal(present[:30], labels[:30])
    assert (frames[30:] >= before[30:]).all()
    assert (frames[30:, : STEPS * HOP // 2] > before[30:, : STEPS * HOP // 2]).all()
    own, sum_of_powers = np.exp(before[31, 0, 0]), np.exp(frames[31, 0, 0])
    added_db = 10 * np.log10((sum_of_powers - own) / own)
    assert -OVER_DB[1] - 0.1 < added_db < -OVER_DB[0] + 0.1


def test_what_is_in_either_scene_is_there_unless_the_other_hides_it():
    frames, present = batch()
    present[: SCENES // 2, :, MUSIC] = PRESENT
    labels = present.copy()
    blend(np.random.default_rng(0), frames, present, SCENES, -10.0)
    assert (
        present[..., SPEECH][labels[..., SPEECH] == PRESENT] == PRESENT
    ).all()  # at most 5 dB below the other
    fallen = present[: SCENES // 2, STEPS // 2 :, SPEECH]
    assert (fallen == PRESENT).any()  # the other speaks where the own scene has fallen silent
    music = present[SCENES // 2 :, :, MUSIC]
    assert {PRESENT, OTHER, IGNORE} == set(np.unique(music))


def test_a_scene_far_below_the_other_teaches_nothing_there():
    frames, present = batch()
    frames[1] = LOUD - 40.0 / 4.343
    blend(np.random.default_rng(0), frames, present, SCENES, -10.0)
    assert (present[1, : STEPS // 2, SPEECH] != OTHER).all()
    alone = np.full((1, STEPS * HOP, BANDS), LOUD, np.float32), np.full((1, STEPS, 3), OTHER, np.int8)
    blend(np.random.default_rng(0), *alone, 0, -10.0)
    assert (alone[0] == LOUD).all()


@pytest.mark.parametrize("most_db", [0.0, 6.0])
def test_each_scene_gets_a_colour_of_its_own_and_silence_stays(most_db):
    frames, _ = batch()
    tilted = tilt(np.random.default_rng(0), frames, most_db, SILENT)
    assert (tilted[frames == np.float32(SILENT)] == np.float32(SILENT)).all()
    change_db = 10 / np.log(10) * (tilted - frames)
    assert np.abs(change_db).max() <= most_db + 1e-3
    curves = change_db[SCENES // 2 :, 0]
    assert (np.ptp(curves, axis=0) > 1).all() == bool(most_db)
    assert np.allclose(change_db[SCENES // 2], curves[0])
