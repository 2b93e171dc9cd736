import re

import pytest

from streamer.errors import ConfigError
from tests.train.toy_task import LineConfig


def test_all_folds_but_those_held_out_are_learnt():
    assert LineConfig().learnt_folds == (1, 2, 3)
    assert LineConfig(fold=2, validation_fold=0).learnt_folds == (1, 3, 4, 5)
    whole = LineConfig(fold=0, validation_fold=0)
    assert whole.learnt_folds == (1, 2, 3, 4, 5)
    assert whole.checked_fold == 1
    assert [config.learns_from_all_folds for config in (LineConfig(), whole)] == [False, True]


@pytest.mark.parametrize(("fold", "validation_fold"), [(0, 4), (4, 4), (6, 4), (5, -1), (-1, 0)])
def test_no_other_folds_are_held_out(fold, validation_fold):
    said = (
        f"fold is {fold}, validation_fold {validation_fold}; expected two of 1 to 5, or validation_fold=0 to "
    )
    with pytest.raises(ConfigError, match=re.escape(said) + ".* or both 0 to learn from all folds"):
        LineConfig(fold=fold, validation_fold=validation_fold)


def test_a_fold_that_is_not_held_out_is_not_measured_on():
    assert [LineConfig().fold_of(split) for split in ("validation", "test")] == [4, 5]
    half = LineConfig(validation_fold=0)
    assert half.fold_of("test") == 5
    with pytest.raises(
        ConfigError, match="validation_fold 0, so there is no fold for the split validation; expec"
    ):
        half.fold_of("validation")
    whole = LineConfig(fold=0, validation_fold=0)
    for split in ("validation", "test"):
        with pytest.raises(
            ConfigError, match=r"no fold is held out to measure it on; .*: evaluate the run that its"
        ):
            whole.fold_of(split)
