import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from tests.train.made_predictions import choice, detection
from train.evaluate.metrics.detection import DetectorScores, step_scores, threshold_at_fpr
from train.evaluate.predictions import steps_between

rng = np.random.default_rng(0)
SCORES = DetectorScores(rng.normal(1.0, 1.0, 300).round(1), rng.normal(0.0, 1.0, 500).round(1))
BOTH = np.r_[SCORES.positive, SCORES.negative]
TRUTH = np.r_[np.ones(300), np.zeros(500)]
PERFECT = DetectorScores(np.array([2.0, 3.0]), np.array([0.0, 1.0]))


def test_auc_is_that_of_scikit_learn_ties_included():
    assert SCORES.auc() == pytest.approx(roc_auc_score(TRUTH, BOTH))


def test_f1_is_that_of_scikit_learn():
    guess = BOTH >= 0.5
    assert SCORES.f1(0.5) == pytest.approx(f1_score(TRUTH, guess))


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_threshold_keeps_false_alarms_below_the_rate(rate):
    threshold = threshold_at_fpr(SCORES.negative, rate)
    assert np.mean(threshold < SCORES.negative) <= rate
    assert DetectorScores(SCORES.negative, SCORES.negative).tpr_at_fpr(rate) <= rate


def test_perfect_scores():
    assert PERFECT.auc() == 1.0
    assert PERFECT.tpr_at_fpr(0.01) == 1.0


def test_average_precision_and_curves_are_those_of_scikit_learn():
    assert SCORES.average_precision() == average_precision_score(TRUTH, BOTH)
    false, true = SCORES.roc()
    assert np.trapezoid(true, false) == pytest.approx(SCORES.auc())
    precision, recall = SCORES.precision_recall()
    assert (precision[0], recall[0]) == (pytest.approx(300 / 800), 1.0)


def test_steps_that_are_not_judged_are_left_out():
    made = detection()
    scores = step_scores(made)
    assert len(scores.positive) == len(scores.negative) == 15 * 19
    first = step_scores(steps_between(made, 0, 1))
    assert len(first.positive) == len(first.negative) == 0
    with pytest.raises(ValueError, match="have no step_truth; expected a detector's"):
        step_scores(choice())
