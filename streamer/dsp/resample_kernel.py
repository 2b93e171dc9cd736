"""Sum weighted samples for the resampler in a compiled loop."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.kernels.kernel import helper, kernel


@kernel(
    "const float32[:,:], const int64[:], const int64[:], float32[:,:], int64[:,:], int, const float32[:,:], "
    "float32[:], float32[:,:], int64[:]",
    fastmath=("reassoc", "contract"),
)
def resample(
    x: Array,
    counts: Array,
    rows: Array,
    held: Array,
    done: Array,
    hop: int,
    filters: Array,
    sound: Array,
    y: Array,
    given: Array,
) -> None:
    """Resample new samples of some streams after those that are held, and hold what later outputs need.

    An output is computed once the last input that its filter covers is there. The order of the additions lets them be
    vectorised; it is always the same.

    Parameters
    ----------
    x : float32 array, shape (len(rows), samples)
        The next samples of the rows.
    counts : int64 array, shape (len(rows),)
        Number of valid samples in `x`.
    rows : int64 array
        Rows of `held` and `done`.
    held : float32 array, shape (streams, taps - 1)
        Input from the first sample on that the next output needs. Updated.
    done : int64 array, shape (streams, 2)
        Number of samples taken and given. Updated.
    hop : int
        Number of input samples for ``len(filters)`` output samples.
    filters : float32 array, shape (places, taps)
        Filters by the position of an output between two input samples.
    sound : float32 array, shape (taps - 1 + samples,)
        Any numbers, over which this works.
    y : float32 array, shape (len(rows), samples_out)
        Filled with the output samples.
    given : int64 array, shape (len(rows),)
        Filled with the number of output samples of each row.
    """
    places, taps = filters.shape
    reach = taps // 2
    for n in range(len(rows)):
        row, count, first_out = rows[n], counts[n], done[rows[n], 1]
        given[n] = max(0, -((reach - done[row, 0] - count) * places // hop) - first_out)
        first = first_out * hop // places - reach + 1
        kept = done[row, 0] - first
        _copy(held[row, :kept], sound)
        _copy(x[n, :count], sound[kept:])
        origin = first_out * hop // places
        for i in range(given[n]):
            at = (first_out + i) * hop
            around, weights = sound[at // places - origin :], filters[at % places]
            total = np.float32(0.0)
            for k in range(taps):
                total += around[k] * weights[k]
            y[n, i] = total
        passed = (first_out + given[n]) * hop // places - reach + 1 - first
        _copy(sound[passed : kept + count], held[row])
        done[row, 0] += count
        done[row, 1] += given[n]


@helper
def _copy(source: Array, target: Array) -> None:
    for i in range(source.shape[0]):
        target[i] = source[i]
