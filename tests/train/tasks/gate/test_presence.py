"""Figures of the labels of a gate: what a second is, and when a step is settled."""

import numpy as np

from train.data.recordings import Recording
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.tasks.gate.presence import _by_second, _present
from train.tasks.gate.scene_scores import settled

MUSIC, SPEECH, SINGING = range(3)


def test_a_step_is_settled_once_its_label_has_been_the_same_for_long_enough():
    present = np.array([[1, 1, 1, 1, 0, 0, 0, 1, -1, 0, 0, 0]], np.int8)[:, :, None]
    expected = [-1, -1, 1, 1, -1, -1, 0, -1, -1, -1, -1, 0]
    assert settled(present, 2)[0, :, 0].tolist() == expected


def test_a_second_has_the_mean_score_and_no_label_where_that_changes():
    recording = Recording("toys", "a", (), "speech", "any", 5)
    second = np.repeat(np.arange(5), 4)  # the last may be a part of a second
    scores = np.repeat(np.linspace(0, 1, 20)[:, None], 3, axis=1)
    present = np.full((20, 3), OTHER, np.int8)
    present[10:, SPEECH] = PRESENT
    found = _by_second(recording, scores, present, second)
    np.testing.assert_allclose(found.scores[:, 0], [scores[4 * s : 4 * s + 4, 0].mean() for s in (1, 2, 3)])
    assert found.present[:, SPEECH].tolist() == [OTHER, IGNORE, PRESENT]
    assert found.present[:, MUSIC].tolist() == [OTHER] * 3


def test_pauses_of_speech_are_left_out_and_a_song_sings_where_its_voice_is_heard():
    noise = 0.1 * np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    speech = noise.copy()
    speech[16_000:32_000] = 0
    said = _present(Recording("speech", "a", (), "speech", "any", 5), speech, None)
    assert said[:, 8_000].tolist() == [OTHER, PRESENT, OTHER]
    assert said[:, 24_000].tolist() == [OTHER, IGNORE, OTHER]
    song = Recording("mir1k", "a/sum", (), "music", "song", 5)
    sung = _present(song, noise, np.where(np.arange(48_000) < 24_000, noise, 0))
    assert (sung[SINGING, 3_000], sung[SINGING, 45_000]) == (PRESENT, OTHER)
    assert (sung[MUSIC] == PRESENT).all()
