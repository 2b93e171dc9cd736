"""The sum of weighted samples by which sound is resampled, as a compiled loop."""

from __future__ import annotations

import numpy as np
from numba import njit

from streamer.arrays import Array


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def resample(x: Array, y: Array, first: int, hop: int, filters: Array) -> None:
    """Give samples that lie every ``hop / len(filters)`` of `x`.

    Sums are not in order, so that they are vectorised, but always in the same one.

    Parameters
    ----------
    x : float32 array, shape (batch, samples)
        From the first sample on that output `first` needs.
    y : float32 array, shape (batch, samples_out)
        Written to.
    first : int
        Which output the first of `y` is, 0 or more.
    hop : int
        `x`'s samples in ``len(filters)`` of `y`'s.
    filters : float32 array, shape (places, taps)
        By where an output lies between two samples of `x`.
    """
    places, taps = filters.shape
    origin = first * hop // places
    for b in range(x.shape[0]):
        for i in range(y.shape[1]):
            at = (first + i) * hop
            heard, weights = x[b, at // places - origin :], filters[at % places]
            total = np.float32(0.0)
            for k in range(taps):
                total += heard[k] * weights[k]
            y[b, i] = total
