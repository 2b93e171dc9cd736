"""Arrays of several folds, addressed as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from streamer.arrays import Array


class FoldArrays:
    """Addresses the rows of several folds' arrays by one running number, without copying them together.

    The arrays are mapped from disk and may be larger than memory.

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
        """Return all rows of an array in memory; meant for small arrays such as labels."""
        return np.concatenate([fold[name] for fold in self._folds])

    def take(self, name: str, rows: Array) -> Array:
        """Return some rows of an array in the order of `rows`; float16 is widened to float32."""
        fold = np.searchsorted(self._edges, rows, side="right") - 1
        places = zip(fold, rows - self._edges[fold], strict=True)
        taken = np.stack([self._folds[number][name][row] for number, row in places])
        return taken.astype(np.float32) if taken.dtype == np.float16 else taken
