"""Arrays of several folds, addressed as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from streamer.arrays import Array


class FoldArrays:
    """Presents the arrays of several folds as one: rows are counted from the first row of the first fold on.

    The arrays are mapped from disk, may be larger than memory, and are not copied together.

    Parameters
    ----------
    folds : sequence of mapping
        Arrays of each fold by name, one row per example. All folds have the same names, and all arrays of a fold the
        same length.
    """

    def __init__(self, folds: Sequence[Mapping[str, Array]]) -> None:
        self._folds = folds
        self._edges = np.cumsum([0, *(len(next(iter(fold.values()))) for fold in folds)])

    def __len__(self) -> int:
        return int(self._edges[-1])

    def all(self, name: str) -> Array:
        """Return all rows, of all folds, of the array with a name, in memory; meant for small arrays such as labels."""
        return np.concatenate([fold[name] for fold in self._folds])

    def take(self, name: str, rows: Array) -> Array:
        """Return rows of the array with a name, in the order of the numbers in `rows`; float16 becomes float32."""
        fold = np.searchsorted(self._edges, rows, side="right") - 1
        places = zip(fold, rows - self._edges[fold], strict=True)
        taken = np.stack([self._folds[number][name][row] for number, row in places])
        return taken.astype(np.float32) if taken.dtype == np.float16 else taken
