import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score, roc_auc_score

from tests.train.made_predictions import choice, detection
from train.evaluate import metrics
from train.evaluate.metrics import auc, f1, threshold_at_fpr, tpr_at_fpr
from train.evaluate.predictions import Predictions, pool

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


def test_average_precision_and_curves_are_those_of_scikit_learn():
    scores = np.r_[POSITIVE, NEGATIVE]
    assert metrics.average_precision(POSITIVE, NEGATIVE) == average_precision_score(TRUTH, scores)
    false, true = metrics.roc(POSITIVE, NEGATIVE)
    assert np.trapezoid(true, false) == pytest.approx(auc(POSITIVE, NEGATIVE))
    precision, recall = metrics.precision_recall(POSITIVE, NEGATIVE)
    assert (precision[0], recall[0]) == (pytest.approx(300 / 800), 1.0)


def clip_scores(*rows, truth=(0, 1)):
    """Clips of two labels from the scores of the first; NaN ends one."""
    first = np.array(rows, np.float32)
    scores = np.stack([first, 1 - first], axis=2)
    fields = {"task": "toy", "model": "toy", "labels": ("a", "b"), "step_s": 0.5, "command": "none"}
    truth = np.array(truth)
    clips = tuple(f"toy/{n}" for n in range(len(rows)))
    return Predictions(clips=clips, truth=truth, folds=np.arange(len(rows)), scores=scores, **fields)


def test_rules_over_time_by_hand():
    made = clip_scores([0.9, 0.4, 0.2], [0.1, 0.3, np.nan])
    assert metrics.by_clip(made)[0, 0] == pytest.approx(np.log([0.9, 0.4, 0.2]).mean())
    assert metrics.by_clip(made)[1, 0] == pytest.approx(np.log([0.1, 0.3]).mean())
    assert metrics.by_clip(made, metrics.mean_probability)[:, 0] == pytest.approx([0.5, 0.2])
    assert metrics.by_clip(made, metrics.latest)[:, 0] == pytest.approx([0.2, 0.3])
    assert metrics.by_clip(made, metrics.latest, duration_s=1.0)[:, 0] == pytest.approx([0.4, 0.3])
    with pytest.raises(ValueError, match=r"expected at least one step of 0\.5 s"):
        metrics.by_clip(made, duration_s=0.4)


def test_one_step_that_is_sure_does_not_decide_alone():
    made = clip_scores([1.0, 0.4, 0.4, 0.4], truth=(0,))
    assert np.isfinite(metrics.by_clip(made)).all()


def test_accuracy_against_time_heard_by_hand():
    made = clip_scores([0.9, 0.01, 0.01], [0.9, 0.05, 0.05])
    assert metrics.accuracy_by_duration(made, seconds=(0.25, 0.5, 1.0, 5.0)) == {0.5: 0.5, 1.0: 0.5}
    assert metrics.accuracy_by_duration(made, metrics.latest, (0.5, 1.0, 1.5)) == {
        0.5: 0.5,
        1.0: 0.5,
        1.5: 0.5,
    }
    assert metrics.accuracy(made, duration_s=0.5) == 0.5


def test_clips_without_a_truth_do_not_count():
    made = clip_scores([0.9], [0.9], [0.9], truth=(0, 1, -1))
    assert metrics.accuracy(made) == 0.5
    assert metrics.confusion(made).tolist() == [[1, 0], [1, 0]]


def test_figures_by_label_are_those_of_scikit_learn_worst_first():
    made = choice()
    said = metrics.by_clip(made).argmax(axis=1)
    assert metrics.confusion(made).tolist() == confusion_matrix(made.truth, said).tolist()
    found = metrics.by_label(made)
    assert [f.f1 for f in found] == sorted(f1_score(made.truth, said, average=None))
    worst = made.labels.index(found[0].label)
    assert found[0].recall == pytest.approx(np.mean(said[made.truth == worst] == worst))
    assert sum(f.clips for f in found) == 40


def test_most_confused_pairs_are_off_the_diagonal():
    matrix = np.array([[9, 0, 4], [1, 5, 0], [0, 7, 2]])
    assert metrics.most_confused(matrix) == [(2, 1, 7), (0, 2, 4), (1, 0, 1)]
    assert metrics.most_confused(matrix, 1) == [(2, 1, 7)]
    assert metrics.most_confused(np.eye(3, dtype=int)) == []


def test_mean_and_spread_over_folds():
    both = pool([choice(1), choice(2), choice(3)])
    found = metrics.over_folds(both, metrics.accuracy)
    each = [metrics.accuracy(choice(fold)) for fold in (1, 2, 3)]
    assert list(found.folds.values()) == each
    assert (found.mean, found.spread) == (pytest.approx(np.mean(each)), pytest.approx(np.std(each, ddof=1)))
    assert metrics.over_folds(choice(1), metrics.accuracy).spread == 0.0


def test_steps_that_are_not_judged_are_left_out():
    made = detection()
    positive, negative = metrics.step_scores(made)
    assert len(positive) == len(negative) == 15 * 19
    one = metrics.steps_between(made, 0, 1)
    assert all(len(part) == 0 for part in metrics.step_scores(one))
    with pytest.raises(ValueError, match="have no step_truth; expected a detector's"):
        metrics.step_scores(choice())


def test_the_interval_is_that_of_a_share_and_shrinks_with_the_clips():
    low, high = metrics.bootstrap(np.arange(400) % 5 > 0)
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert (low, high) == (pytest.approx(0.8 - half, abs=0.01), pytest.approx(0.8 + half, abs=0.01))
    assert metrics.bootstrap(np.ones(20)) == (1.0, 1.0)
