"""Which folds a run learns from, which one chooses its weights, and which it never hears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from streamer.errors import ConfigError
from train.data.recordings import FOLDS


class HoldsOut:
    """Base of a run's configuration, a dataclass with ``fold`` and ``validation_fold``.

    Attributes
    ----------
    folds : sequence of int
        That there are.
    fold : int
        Never heard.
    validation_fold : int
        Chooses the weights; 0 learns from all folds but the test's, and is validated on what it learns.
    """

    folds: ClassVar[Sequence[int]] = FOLDS
    fold: int
    validation_fold: int

    def __post_init__(self) -> None:
        """Refuse folds that are none, or one that is to test what it chose.

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
        """Folds that the weights are learnt from."""
        return tuple(fold for fold in self.folds if fold not in (self.fold, self.validation_fold))

    @property
    def checked_fold(self) -> int:
        """The fold that a run is validated on while it learns."""
        return self.validation_fold or self.learnt_folds[0]
