"""Arrays of several folds as if they were one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from streamer.arrays import Array


class FoldArrays:
    """Named arrays with one row an example.

    Parameters
    ----------
    folds : sequence of mapping
        The same names in each; a fold's arrays have one length.
    """

    def __init__(self, folds: Sequence[Mapping[str, Array]]) -> None:
        self._folds = folds
        self._edges = np.cumsum([0, *(len(next(iter(fold.values()))) for fold in folds)])

    def __len__(self) -> int:
        return int(self._edges[-1])

    def all(self, name: str) -> Array:
        """Every row of an array; for small ones."""
        return np.concatenate([fold[name] for fold in self._folds])

    def take(self, name: str, rows: Array) -> Array:
        """Some rows of an array, in the order asked for; half floats as float32."""
        fold = np.searchsorted(self._edges, rows, side="right") - 1
        places = zip(fold, rows - self._edges[fold], strict=True)
        taken = np.stack([self._folds[number][name][row] for number, row in places])
        return taken.astype(np.float32) if taken.dtype == np.float16 else taken
