import numpy as np
import pytest

from tests.train.made_predictions import choice
from train.evaluate.metrics.classification import accuracy
from train.evaluate.metrics.spread import bootstrap, over_folds
from train.evaluate.predictions import pool


def test_mean_and_spread_over_folds():
    both = pool([choice(1), choice(2), choice(3)])
    found = over_folds(both, accuracy)
    each = [accuracy(choice(fold)) for fold in (1, 2, 3)]
    assert list(found.folds.values()) == each
    assert (found.mean, found.spread) == (pytest.approx(np.mean(each)), pytest.approx(np.std(each, ddof=1)))
    assert over_folds(choice(1), accuracy).spread == 0.0


def test_the_interval_is_that_of_a_share_and_shrinks_with_the_clips():
    low, high = bootstrap(np.arange(400) % 5 > 0)
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert (low, high) == (pytest.approx(0.8 - half, abs=0.01), pytest.approx(0.8 + half, abs=0.01))
    assert bootstrap(np.ones(20)) == (1.0, 1.0)
