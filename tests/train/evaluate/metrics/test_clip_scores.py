import numpy as np
import pytest

from tests.train.made_predictions import toy_clips
from train.evaluate.metrics.clip_scores import by_clip, latest, mean_probability


def test_rules_over_time_by_hand():
    made = toy_clips([0.9, 0.4, 0.2], [0.1, 0.3, np.nan])
    assert by_clip(made)[0, 0] == pytest.approx(np.log([0.9, 0.4, 0.2]).mean())
    assert by_clip(made)[1, 0] == pytest.approx(np.log([0.1, 0.3]).mean())
    assert by_clip(made, mean_probability)[:, 0] == pytest.approx([0.5, 0.2])
    assert by_clip(made, latest)[:, 0] == pytest.approx([0.2, 0.3])
    assert by_clip(made, latest, duration_s=1.0)[:, 0] == pytest.approx([0.4, 0.3])
    with pytest.raises(ValueError, match=r"expected at least one step of 0\.5 s"):
        by_clip(made, duration_s=0.4)


def test_one_step_that_is_sure_does_not_decide_alone():
    made = toy_clips([1.0, 0.4, 0.4, 0.4], truth=(0,))
    assert np.isfinite(by_clip(made)).all()
