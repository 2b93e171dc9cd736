"""Items of several streams in one array, of which each stream may have another number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from streamer.arrays import Array

NO_FAULTS: Mapping[int, Exception] = MappingProxyType({})

ONE_ROW = np.zeros(1, np.int64)
"""The row of a state that belongs to one stream alone."""


class Ragged(NamedTuple):
    """Items of several streams, one row each.

    Attributes
    ----------
    values : array, shape (streams, items, ...)
        Items of each stream from 0 on. What lies behind the last one of a stream has no meaning.
    counts : int64 array, shape (streams,)
        Number of items of each stream.
    faults : mapping of int to Exception
        Why there are no items of some streams: the error of a model, by the number of the row here.
    """

    values: Array
    counts: Array
    faults: Mapping[int, Exception] = NO_FAULTS

    @property
    def most(self) -> int:
        """Number of items in `values` for each stream, which no count exceeds."""
        return int(self.values.shape[1])

    def of(self, n: int) -> Array:
        """Return the items of one stream, shape (1, items, ...)."""
        return self.values[n : n + 1, : self.counts[n]]


def of_equal_length(values: Array) -> Ragged:
    """Return items of streams that all have the same number, shape (streams, items, ...)."""
    return Ragged(values, np.array([values.shape[1]] * len(values), np.int64))


def place_of(rows: Array) -> slice | Array:
    """Return how to index rows in increasing order: as a slice if they are adjacent, which copies nothing."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first == len(rows) - 1 else rows


def allocated(streams: int, items: int, *item: int, dtype: type = np.float32) -> tuple[Array, Array]:
    """Return arrays without values for the items of some streams, at most `items` each, and for their counts.

    A kernel fills them, and `filled` makes a `Ragged` of them.
    """
    return np.empty((streams, items, *item), dtype), np.empty(streams, np.int64)


def filled(values: Array, counts: Array) -> Ragged:
    """Return items of which at most as many are there as `values` has room for."""
    # Kernels take only arrays whose items lie one after the other.
    return Ragged(np.ascontiguousarray(values[:, : most_of(counts)]), counts)


def most_of(counts: Array) -> int:
    """Return the largest of some counts, at least one."""
    return int(counts[0]) if len(counts) == 1 else int(counts.max())


def joined(parts: Sequence[Array]) -> Ragged:
    """Return the items of several streams as one.

    Parameters
    ----------
    parts : sequence of array, shape (items, ...)
        Items of each stream, at least one stream; all parts have the same type and the same shape of an item.
    """
    if len(parts) == 1:
        return of_equal_length(parts[0][None])
    counts = np.array([len(part) for part in parts])
    values = np.empty((len(parts), counts.max(), *parts[0].shape[1:]), parts[0].dtype)
    for n, part in enumerate(parts):
        values[n, : len(part)] = part
    return Ragged(values, counts)
