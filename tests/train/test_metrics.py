import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from train.metrics import auc, f1, threshold_at_fpr, tpr_at_fpr

rng = np.random.default_rng(0)
POSITIVE, NEGATIVE = rng.normal(1.0, 1.0, 300).round(1), rng.normal(0.0, 1.0, 500).round(1)
TRUTH = np.r_[np.ones(300), np.zeros(500)]


def test_auc_is_that_of_scikit_learn_ties_included():
    assert auc(POSITIVE, NEGATIVE) == pytest.approx(roc_auc_score(TRUTH, np.r_[POSITIVE, NEGATIVE]))


def test_f1_is_that_of_scikit_learn():
    guess = np.r_[POSITIVE, NEGATIVE] >= 0.5
    assert f1(POSITIVE, NEGATIVE, 0.5) == pytest.approx(f1_score(TRUTH, guess))


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_threshold_keeps_false_alarms_below_the_rate(rate):
    threshold = threshold_at_fpr(NEGATIVE, rate)
    assert np.mean(threshold < NEGATIVE) <= rate
    assert tpr_at_fpr(NEGATIVE, NEGATIVE, rate) <= rate


def test_perfect_scores():
    assert auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert tpr_at_fpr(np.array([2.0, 3.0]), np.array([0.0, 1.0]), 0.01) == 1.0
