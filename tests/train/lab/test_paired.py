"""Rows of the laboratory are compared recording by recording."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from streamer.errors import ConfigError
from train.lab.outcomes import Outcomes, load, pool
from train.lab.paired import compare


def of_clips(right, fold=5, first=0):
    names = [f"toy/{first + number}" for number in range(len(right))]
    return Outcomes.count(names, np.full(len(right), fold), np.array(right, bool))


def test_examples_are_counted_by_recording():
    found = Outcomes.count(
        ["a/2", "a/1", "a/2", "a/2"], np.array([3, 1, 3, 3]), np.array([True, False, True, False])
    )
    assert found.recordings == ("a/1", "a/2")
    assert found.folds.tolist() == [1, 3]
    assert found.right.tolist() == [0, 2]
    assert found.examples.tolist() == [1, 3]


def test_counts_are_stored(tmp_path):
    whole = pool([of_clips([1, 0], fold=1), of_clips([1, 1], fold=2, first=2)])
    whole.save(tmp_path / "outcomes" / "row.npz")
    found = load(tmp_path / "outcomes" / "row.npz")
    assert found.recordings == ("toy/0", "toy/1", "toy/2", "toy/3")
    assert found.folds.tolist() == [1, 1, 2, 2]
    assert found.right.tolist() == [1, 0, 1, 1]


def test_a_file_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "row.npz", recordings=np.array(["a/1"]))
    with pytest.raises(ConfigError, match="lacks examples, folds, right; expected counts of right answers"):
        load(tmp_path / "row.npz")


def test_of_single_examples_p_is_that_of_mcnemar():
    # 14 clips that only the first gets right, 4 that only the second does, and 40 about which both agree
    first, second = of_clips([1] * 14 + [0] * 4 + [1] * 40), of_clips([0] * 14 + [1] * 4 + [1] * 40)
    found = compare(first, second)
    assert found.mean == pytest.approx(10 / 58)
    assert found.accuracies == (pytest.approx(54 / 58), pytest.approx(44 / 58))
    assert found.low < 10 / 58 < found.high
    assert found.p == pytest.approx(stats.binomtest(4, 18).pvalue, abs=0.015)
    assert (found.recordings, found.folds) == (58, (5,))


def test_examples_of_one_recording_are_not_evidence_of_their_own():
    rng = np.random.default_rng(0)
    names = np.repeat([f"toy/{number}" for number in range(12)], 50)
    folds = np.ones(len(names), int)
    of_recording = np.repeat(rng.random(12) < 0.75, 50), np.repeat(rng.random(12) < 0.4, 50)
    by_recording = compare(*(Outcomes.count(names, folds, right) for right in of_recording))
    alone = [f"{name}/{place}" for place, name in enumerate(names)]
    by_example = compare(*(Outcomes.count(alone, folds, right) for right in of_recording))
    assert by_recording.mean == pytest.approx(by_example.mean)
    assert by_recording.p > 10 * by_example.p
    assert by_recording.high - by_recording.low > 3 * (by_example.high - by_example.low)


def test_only_shared_recordings_count():
    found = compare(of_clips([1, 1, 0, 0]), of_clips([0, 1, 1], first=2))
    assert found.recordings == 2
    assert found.accuracies == (0.0, 0.5)
    assert compare(of_clips([1, 1]), of_clips([1, 1], first=1)) is None


def test_equal_rows_do_not_differ():
    rows = of_clips([1, 0, 1, 1])
    found = compare(rows, rows)
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
