import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from tests.train.made_predictions import choice, toy_clips
from train.evaluate.metrics.classification import (
    accuracy,
    accuracy_by_duration,
    by_label,
    confusion,
    most_confused,
)
from train.evaluate.metrics.clip_scores import by_clip, latest


def test_accuracy_against_time_heard_by_hand():
    made = toy_clips([0.9, 0.01, 0.01], [0.9, 0.05, 0.05])
    assert accuracy_by_duration(made, seconds=(0.25, 0.5, 1.0, 5.0)) == {0.5: 0.5, 1.0: 0.5}
    assert accuracy_by_duration(made, latest, (0.5, 1.0, 1.5)) == {
        0.5: 0.5,
        1.0: 0.5,
        1.5: 0.5,
    }
    assert accuracy(made, duration_s=0.5) == 0.5


def test_clips_without_a_truth_do_not_count():
    made = toy_clips([0.9], [0.9], [0.9], truth=(0, 1, -1))
    assert accuracy(made) == 0.5
    assert confusion(made).tolist() == [[1, 0], [1, 0]]


def test_figures_by_label_are_those_of_scikit_learn_worst_first():
    made = choice()
    said = by_clip(made).argmax(axis=1)
    assert confusion(made).tolist() == confusion_matrix(made.truth, said).tolist()
    found = by_label(made)
    assert [f.f1 for f in found] == sorted(f1_score(made.truth, said, average=None))
    worst = made.labels.index(found[0].label)
    assert found[0].recall == pytest.approx(np.mean(said[made.truth == worst] == worst))
    assert sum(f.clips for f in found) == 40


def test_most_confused_pairs_are_off_the_diagonal():
    matrix = np.array([[9, 0, 4], [1, 5, 0], [0, 7, 2]])
    assert most_confused(matrix) == [(2, 1, 7), (0, 2, 4), (1, 0, 1)]
    assert most_confused(matrix, 1) == [(2, 1, 7)]
    assert most_confused(np.eye(3, dtype=int)) == []
