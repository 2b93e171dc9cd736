import dataclasses

import numpy as np
import pytest

from streamer.errors import ConfigError
from tests.train.made_predictions import choice, detection
from train.evaluate.predictions import load, pool


def same(a, b):
    for field in dataclasses.fields(a):
        mine, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype
        else:
            assert mine == other


@pytest.mark.parametrize("made", [choice(), detection()], ids=["choice", "detection"])
def test_what_is_saved_is_what_is_loaded(made, tmp_path):
    made.save(tmp_path / "predictions" / "test.npz")
    same(load(tmp_path / "predictions" / "test.npz"), made)
    assert [path.name for path in (tmp_path / "predictions").iterdir()] == ["test.npz"]


def altered(tmp_path, **changes):
    choice().save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        content = {**file, **changes}
    np.savez(tmp_path / "a.npz", **{key: value for key, value in content.items() if value is not None})
    return tmp_path / "a.npz"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": np.array(7)}, "has schema 7; expected 1: evaluate again"),
        ({"schema": None}, "has schema None; expected 1"),
        ({"truth": None, "clips": None}, "lacks clips, truth; evaluate again"),
        ({"truth": np.zeros(40)}, "has truth of float64; expected kind 'i'"),
        ({"truth": np.full(40, 4)}, "have truth from 4 to 4; expected an index below 4, or -1"),
        ({"folds": np.ones(3, int)}, r"have folds of shape \(3,\); 40 clips and 4 labels need \(40,\)"),
        ({"scores": np.full((40, 2, 4), 1.5)}, "are from 1.5 to 1.5; expected probabilities, 0 to 1"),
        ({"scores": np.full((40, 2, 4), np.nan)}, "have NaN among a clip's scores"),
        ({"step_s": np.array(0.0)}, "have step_s 0; expected above 0 seconds"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(changes, words, tmp_path):
    with pytest.raises(ConfigError, match=words):
        load(altered(tmp_path, **changes))


def test_a_score_that_is_no_number_amid_a_clip_is_refused():
    made = choice()
    for hole in (np.s_[1, 3, :], np.s_[1, 3, 2]):
        scores = made.scores.copy()
        scores[hole] = np.nan
        with pytest.raises(ConfigError, match="expected it after a clip's end only"):
            dataclasses.replace(made, scores=scores)


def test_a_file_that_is_absent_pickled_or_cut_short_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"a\.npz does not exist; expected predictions: python -m train"):
        load(tmp_path / "a.npz")
    path = altered(tmp_path, labels=np.array(["cat", None, "dog", "hen"], object))
    with pytest.raises(
        ConfigError, match=r"is not an npz file .*; expected predictions: python -m train evaluate"
    ):
        load(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(
        ConfigError, match=r"is not an npz file .*; expected predictions: python -m train evaluate"
    ):
        load(path)


def test_folds_are_pooled_whatever_their_lengths():
    first, second = choice(1), choice(2)
    short = dataclasses.replace(second, scores=second.scores[:, :8])
    both = pool([first, short])
    assert both.clips == first.clips + short.clips
    assert both.folds.tolist() == [1] * 40 + [2] * 40
    assert both.steps.tolist() == first.steps.tolist() + short.steps.tolist()
    assert both.command == f"{first.command}; {second.command}"
    gate = detection()
    np.testing.assert_array_equal(pool([gate]).step_truth, gate.step_truth)


def test_what_does_not_go_together_is_not_pooled():
    with pytest.raises(ConfigError, match="no predictions to pool"):
        pool([])
    with pytest.raises(ConfigError, match="clip toy/1-0 was held out twice"):
        pool([choice(1), choice(1)])
    with pytest.raises(ConfigError, match=r"have task gate, those of toy sounds"):
        pool([choice(1), detection()])
