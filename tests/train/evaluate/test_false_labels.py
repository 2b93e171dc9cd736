import numpy as np
import pytest
from scipy.special import logit

from streamer.inference.manifest_parts import Thresholds
from train.evaluate.false_labels import count_begins, limit_false_labels

POINTS = (Thresholds(0.5, 0.2), Thresholds(0.5, 0.2), Thresholds(0.5, 0.2))
HIGHEST = np.array([[0.9, 0.6, 0.1], [0.8, 0.4, 0.2], [0.7, 0.3, 0.3], [0.6, 0.2, 0.4]])
"""Four excerpts: the first label begins in all, the second in one, the third in none."""


def false_labels(points):
    return (np.array([point.on for point in points]) <= HIGHEST).sum(axis=0).tolist()


@pytest.mark.parametrize(
    ("most", "expected"),
    [(9, [4, 1, 0]), (5, [4, 1, 0]), (4, [3, 1, 0]), (2, [1, 1, 0]), (1.9, [0, 0, 0]), (0, [0, 0, 0])],
)
def test_the_labels_that_begin_most_often_pay_until_few_enough_are_left(most, expected):
    assert false_labels(POINTS) == [4, 1, 0]
    assert false_labels(limit_false_labels(POINTS, HIGHEST, most)) == expected


def test_a_threshold_is_raised_to_just_above_what_it_shuts_out_and_the_others_stay():
    raised = limit_false_labels(POINTS, HIGHEST, 3)
    assert 0.7 < raised[0].on < 0.71
    assert raised[1:] == POINTS[1:]


def test_the_odds_of_both_thresholds_stay_within_their_ratios():
    points = (Thresholds(0.5, 0.45), Thresholds(0.5, 0.02), Thresholds(0.5, 0.2))
    highest = np.array([[0.6, 0.9999, 1.0]])
    for point in limit_false_labels(points, highest, 0):
        assert point.on < 1
        assert np.log(2.99) < logit(point.on) - logit(point.off) < np.log(30.1)


def test_a_label_begins_again_only_after_it_has_ended():
    scores = np.array([[0.6, 0.6], [0.3, 0.1], [0.6, 0.6], [0.1, 0.6], [0.4, 0.6]])
    assert count_begins(scores, POINTS[:2]).tolist() == [1, 2]
    assert count_begins(scores[:0], POINTS[:2]).tolist() == [0, 0]
