import numpy as np
import pytest
from scipy.special import expit, logit

from streamer.errors import ConfigError
from streamer.inference.manifest_parts import Thresholds
from train.evaluate import operating_points
from train.evaluate.operating_points import Goal

SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
POSITIVE = np.array([0, 0, 1, 0, 1, 0, 1, 1], bool)


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        (Goal("precision", 1.0), 0.8),
        (Goal("precision", 0.75), 0.6),
        (Goal("recall", 1.0), 0.3),
        (Goal("recall", 0.7), 0.6),
        (Goal("recall", 0.5), 0.8),
        (Goal("f1"), 0.3),  # precision 4/6 at full recall: 0.8
        (Goal("false_positives", 0.0), np.nextafter(0.7, 1.0)),  # just above the highest negative
        (Goal("false_positives", 0.5), np.nextafter(0.4, 1.0)),  # of four negatives one is above
    ],
)
def test_thresholds_meet_their_goal_by_hand(goal, expected):
    assert operating_points.choose_threshold(SCORES, POSITIVE, goal) == expected


def test_a_precision_that_cannot_be_had_gives_the_best_there_is():
    assert operating_points.choose_threshold(SCORES, ~POSITIVE, Goal("precision", 0.9)) == 0.1


def test_goals_and_classes_that_make_no_sense_are_refused():
    with pytest.raises(
        ConfigError, match="goal is 'precision' 95; expected one of precision, recall, f1, false_positives"
    ):
        Goal("precision", 95)
    with pytest.raises(ConfigError, match="0 of 8 validation scores are positives"):
        operating_points.choose_threshold(SCORES, POSITIVE & False, Goal("f1"))


def test_who_prefers_precision_never_gets_the_easier_threshold():
    points = {
        "balanced": [Thresholds(0.9, 0.5), Thresholds(0.4, 0.2)],
        "precision": [Thresholds(0.6, 0.3), Thresholds(0.8, 0.5)],
        "recall": [Thresholds(0.95, 0.6), Thresholds(0.1, 0.05)],
    }
    assert operating_points.order_points(points) == {
        "balanced": (Thresholds(0.9, 0.5), Thresholds(0.4, 0.2)),
        "precision": (Thresholds(0.9, 0.5), Thresholds(0.8, 0.5)),
        "recall": (Thresholds(0.9, 0.5), Thresholds(0.1, 0.05)),
    }


def test_off_is_where_few_positives_are_lost_within_bounds():
    def odds_ratio(positives):
        point = operating_points.operating_point(0.8, np.asarray(positives))
        return np.exp(logit(point.on) - logit(point.off))

    tenth = float(expit(logit(0.8) - np.log(10)))
    assert odds_ratio([tenth] * 10) == pytest.approx(10)
    assert odds_ratio([0.99] * 10) == pytest.approx(3)
    assert odds_ratio([0.001] * 10) == pytest.approx(30)
    assert odds_ratio([]) == pytest.approx(30)


def test_few_positives_draw_a_threshold_towards_all_labels():
    rng = np.random.default_rng(0)
    few, many, none = np.zeros(1_000, bool), np.zeros(1_000, bool), np.zeros(1_000, bool)
    few[:5], many[:400] = True, True
    scores = np.stack(
        [np.where(t, 0.9, 0.05) + rng.uniform(0, 0.05, 1_000) for t in (few, many, none)], axis=1
    )
    scores[:5, 0] = 0.3  # the rare label is shy
    truth = np.stack([few, many, none], axis=1)
    goal = Goal("f1")
    rare, common, absent = (point.on for point in operating_points.operating_points(scores, truth, goal))
    pooled = operating_points.choose_threshold(scores.ravel(), truth.ravel(), goal)
    assert absent == pytest.approx(pooled)
    assert logit(rare) == pytest.approx((5 * logit(0.3) + 20 * logit(pooled)) / 25)
    own = operating_points.choose_threshold(scores[:, 1], many, goal)
    assert logit(common) == pytest.approx((400 * logit(own) + 20 * logit(pooled)) / 420)
