"""The folds of a run: those it learns from, the one that chooses its weights, and the one it is tested on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from streamer.errors import ConfigError
from train.data.recordings import FOLDS


class HoldsOut:
    """Base class of the configuration of a run, which names the folds that the run does not learn from.

    Attributes
    ----------
    folds : sequence of int
        Numbers of all folds of the data.
    fold : int
        Test fold, which the run never learns from.
    validation_fold : int
        Validation fold, on which the best weights are chosen. With 0 the run learns from all folds but the test fold,
        and is validated on one that it learns from.
    """

    folds: ClassVar[Sequence[int]] = FOLDS
    fold: int
    validation_fold: int

    def __post_init__(self) -> None:
        """Refuse folds that do not exist, and one fold for both validation and test.

        Raises
        ------
        ConfigError
        """
        known = self.fold in self.folds and self.validation_fold in (0, *self.folds)
        if not known or self.fold == self.validation_fold:
            raise ConfigError(
                f"fold is {self.fold}, validation_fold {self.validation_fold}; expected two of 1 to {len(self.folds)}, "
                "or validation_fold=0 to learn from all folds but the test's"
            )

    @property
    def learnt_folds(self) -> tuple[int, ...]:
        """Folds that the run learns from: all but the test and the validation fold."""
        return tuple(fold for fold in self.folds if fold not in (self.fold, self.validation_fold))

    @property
    def checked_fold(self) -> int:
        """Fold that the run is validated on: the validation fold, or without one the first fold that it learns from."""
        return self.validation_fold or self.learnt_folds[0]
