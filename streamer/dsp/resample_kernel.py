"""Sum weighted samples for the resampler in a compiled loop."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.kernels.kernel import kernel


@kernel("const float32[:,:], float32[:,:], int, int, const float32[:,:]", fastmath=("reassoc", "contract"))
def resample(x: Array, y: Array, first: int, hop: int, filters: Array) -> None:
    """Fill `y` with output samples, which lie ``hop / len(filters)`` samples of `x` apart.

    The order of the additions lets them be vectorised; it is always the same.

    Parameters
    ----------
    x : float32 array, shape (batch, samples)
        Input, from the first sample that output `first` needs.
    y : float32 array, shape (batch, samples_out)
        Filled with the output.
    first : int
        Index of the first output in `y`, 0 or more.
    hop : int
        Number of input samples for ``len(filters)`` output samples.
    filters : float32 array, shape (places, taps)
        Filters by the position of an output between two samples of `x`.
    """
    places, taps = filters.shape
    origin = first * hop // places
    for b in range(x.shape[0]):
        for i in range(y.shape[1]):
            at = (first + i) * hop
            around, weights = x[b, at // places - origin :], filters[at % places]
            total = np.float32(0.0)
            for k in range(taps):
                total += around[k] * weights[k]
            y[b, i] = total
