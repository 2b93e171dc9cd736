"""Compute log-mel frames in compiled loops: framing, window, spectrum, mel bands, logarithm.

Each frame is transformed alone, by the same instructions,
so the result is equal to the last bit however the sound is cut into blocks. Inner loops run over slices from 0
on, because an index that might be negative would keep them from being vectorised.
"""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.kernels.fourier import r2c
from streamer.kernels.kernel import helper, kernel

_AXES = np.zeros(
    1, np.int64
)  # axes for `r2c`; a global constant, so that no array is allocated for each frame


@kernel(
    "const float32[:,:], const int64[:], const int64[:], float32[:,:], int64[:], const float32[:], const int64[:,:], "
    "const float32[:], const float32[:], complex64[:], float32[:], float32[:,:,:], int64[:]"
)
def log_mel_step(
    x: Array,
    counts: Array,
    rows: Array,
    pending: Array,
    filled: Array,
    window: Array,
    bands: Array,
    weights: Array,
    scalars: Array,
    spectrum: Array,
    scratch: Array,
    out: Array,
    frames: Array,
) -> None:
    """Cut what is pending of each row, followed by new samples, into frames, and compute their log-mel spectra.

    Parameters
    ----------
    x : float32 array, shape (len(rows), samples)
        The next samples of the rows.
    counts : int64 array, shape (len(rows),)
        Number of valid samples in `x`.
    rows : int64 array
        Rows of `pending` and `filled`.
    pending : float32 array, shape (streams, window_samples)
        Samples that later frames need; the first `filled` are valid. Updated.
    filled : int64 array, shape (streams,)
        Number of valid samples in `pending`. Updated.
    window : float32 array, shape (window_samples,)
        The analysis window.
    bands : int64 array, shape (mel_bands, 3)
        First spectrum bin of each band, one past its last, and the offset of its weights in `weights`.
    weights : float32 array
        Weights of the triangles, one band after the other.
    scalars : float32 array, shape (4,)
        Hop in samples, FFT length, power (1 magnitude, 2 power), and offset before the logarithm.
    spectrum : complex64 array, shape (fft_samples // 2 + 1,)
        Any numbers, over which this works.
    scratch : float32 array, shape (fft_samples // 2 + 1 + fft_samples,)
        Zeros, over which this works.
    out : float32 array, shape (len(rows), frames, mel_bands)
        Filled with the frames that are complete.
    frames : int64 array, shape (len(rows),)
        Filled with the number of frames of each row.
    """
    width, mel_bands = window.shape[0], bands.shape[0]
    hop, fft, squared, log_offset = int(scalars[0]), int(scalars[1]), scalars[2] == 2.0, scalars[3]
    strength, frame = scratch[: fft // 2 + 1], scratch[fft // 2 + 1 :]
    for n in range(len(rows)):
        new, old, held = x[n, : counts[n]], pending[rows[n]], filled[rows[n]]
        total = held + counts[n]
        frames[n] = (total - width) // hop + 1 if total >= width else 0
        for k in range(frames[n]):
            _cut(new, old, held, k * hop, window, frame)
            r2c(frame, spectrum, _AXES, True, 1.0, 1)
            _measure(spectrum, squared, strength)
            for m in range(mel_bands):
                first, stop, offset = bands[m]
                energy = _dot(strength[first:stop], weights[offset : offset + stop - first])
                out[n, k, m] = np.log(energy + log_offset)
        _keep(new, old, held, frames[n] * hop)
        filled[rows[n]] = total - frames[n] * hop


@helper
def _cut(x: Array, pending: Array, held: int, first: int, window: Array, frame: Array) -> None:
    """Fill `frame` with windowed samples, from index `first` of `pending[:held]` followed by `x`."""
    old = pending[first:held]
    n = old.shape[0]
    for i in range(n):
        frame[i] = old[i] * window[i]
    new, rest, rest_window = x[first - held + n :], frame[n:], window[n:]
    for i in range(rest_window.shape[0]):
        rest[i] = new[i] * rest_window[i]


@helper
def _measure(spectrum: Array, squared: bool, strength: Array) -> None:
    """Fill `strength` with the magnitude of every bin, or its power if `squared`."""
    for i in range(spectrum.shape[0]):
        energy = spectrum[i].real * spectrum[i].real + spectrum[i].imag * spectrum[i].imag
        strength[i] = energy if squared else np.sqrt(energy)


@helper
def _dot(a: Array, b: Array) -> np.float32:
    """Return the inner product, summed in order."""
    total = np.float32(0.0)
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@helper
def _keep(x: Array, pending: Array, held: int, passed: int) -> None:
    """Drop the first `passed` samples of `pending[:held]` followed by `x`, and keep the rest in `pending`."""
    old = pending[passed:held]
    for i in range(old.shape[0]):
        pending[i] = old[i]
    new, rest = x[max(passed - held, 0) :], pending[old.shape[0] :]
    for i in range(new.shape[0]):
        rest[i] = new[i]
