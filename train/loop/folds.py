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
        Test fold, which the run never learns from. With 0, as `validation_fold` is then too, there is none: the run
        learns from all folds, and nothing is left to measure its model on (see `train.export.all_folds`).
    validation_fold : int
        Validation fold, on which the best weights are chosen. With 0 there is none: the run learns from all folds but
        the test fold, and keeps its last weights (see `checked_fold`).
    """

    folds: ClassVar[Sequence[int]] = FOLDS
    fold: int
    validation_fold: int

    def __post_init__(self) -> None:
        """Refuse folds that do not exist, and one fold for both validation and test.

        Raises
        ------
        ConfigError
            If `fold` or `validation_fold` is neither a fold nor 0, both are the same fold, or `fold` alone is 0.
        """
        known = self.fold in self.folds and self.validation_fold in (0, *self.folds)
        apart = known and self.fold != self.validation_fold
        if not apart and not self.learns_from_all_folds:
            raise ConfigError(
                f"fold is {self.fold}, validation_fold {self.validation_fold}; expected two of 1 to {len(self.folds)}, "
                "or validation_fold=0 to learn from all folds but the test's, or both 0 to learn from all folds"
            )

    @property
    def learns_from_all_folds(self) -> bool:
        """Whether the run holds out no fold."""
        return self.fold == self.validation_fold == 0

    @property
    def learnt_folds(self) -> tuple[int, ...]:
        """Numbers of the folds that the run learns from, in order: all but the test and the validation fold."""
        return tuple(fold for fold in self.folds if fold not in (self.fold, self.validation_fold))

    def fold_of(self, split: Split) -> int:
        """Return the number of the fold to measure on: the test fold or the validation fold.

        Raises
        ------
        ConfigError
            If the run holds out no such fold.
        """
        if self.learns_from_all_folds:
            raise ConfigError(
                "the model learnt from all folds, so no fold is held out to measure it on; expected a model that holds "
                "one out: evaluate the run that its card names, or train with --set fold=N --set validation_fold=M"
            )
        fold = self.fold if split == "test" else self.validation_fold
        if not fold:
            raise ConfigError(
                f"the model has validation_fold 0, so there is no fold for the split {split}; expected a model that "
                "holds one out: measure on the split test, or train with --set validation_fold=N"
            )
        return fold

    @property
    def checked_fold(self) -> int:
        """Number of the fold on which the run computes its validation figures: `validation_fold`, if it is not 0.

        Otherwise it is the first of `learnt_folds`. A run without a validation fold learns from all data but the test
        fold, so there is no other fold to take. Figures on it show only that the training goes on, and are no measure
        of the model: such a run keeps its last weights, and has no thresholds chosen either
        (`train.export.release.ThresholdRelease`).
        """
        return self.validation_fold or self.learnt_folds[0]
