"""The folds of a run: those it learns from, the one that chooses its weights, and the one it is tested on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from streamer.errors import ConfigError
from train.data.recordings import FOLDS, Split


class HoldsOut:
    """Base class of the configuration of a run, which names the folds that the run does not learn from.

    Attributes
    ----------
    folds : sequence of int
        Numbers of all folds of the data.
    fold : int
        Test fold, which the run never learns from.
    validation_fold : int
        Validation fold, on which the best weights are chosen. With 0 there is none: the run learns from all folds but
        the test fold (see `checked_fold`).
    """

    folds: ClassVar[Sequence[int]] = FOLDS
    fold: int
    validation_fold: int

    def __post_init__(self) -> None:
        """Refuse folds that do not exist, and one fold for both validation and test.

        Raises
        ------
        ConfigError
            If `fold` is no fold, `validation_fold` is neither a fold nor 0, or both are the same.
        """
        known = self.fold in self.folds and self.validation_fold in (0, *self.folds)
        if not known or self.fold == self.validation_fold:
            raise ConfigError(
                f"fold is {self.fold}, validation_fold {self.validation_fold}; expected two of 1 to {len(self.folds)}, "
                "or validation_fold=0 to learn from all folds but the test's"
            )

    @property
    def learnt_folds(self) -> tuple[int, ...]:
        """Numbers of the folds that the run learns from, in order: all but the test and the validation fold."""
        return tuple(fold for fold in self.folds if fold not in (self.fold, self.validation_fold))

    def fold_of(self, split: Split) -> int:
        """Return the number of the fold to measure on: the test fold or the validation fold."""
        return self.fold if split == "test" else self.validation_fold

    @property
    def checked_fold(self) -> int:
        """Number of the fold on which the run computes its validation figures: `validation_fold`, if it is not 0.

        Otherwise it is the first of `learnt_folds`. A run without a validation fold learns from all data but the test
        fold, so there is no other fold to take. Figures on it show only that the training goes on, and are no measure
        of the model: such a run has no thresholds chosen either (`train.export.release.ThresholdRelease`).
        """
        return self.validation_fold or self.learnt_folds[0]
