"""Compute log-mel frames in compiled loops: framing, window, spectrum, mel bands, logarithm.

Every kernel releases the GIL and is cached on disk. Each frame is transformed alone, by the same instructions,
so the result is equal to the last bit however the sound is cut into blocks. Inner loops run over slices from 0
on, because an index that might be negative would keep them from being vectorised.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from rocket_fft.lowlevel import r2c

from streamer.arrays import Array

_AXES = np.zeros(
    1, np.int64
)  # axes for `r2c`; a global constant, so that no array is allocated for each frame


@njit(nogil=True, cache=True)
def log_mel_step(
    x: Array,
    pending: Array,
    filled: Array,
    window: Array,
    bands: Array,
    weights: Array,
    scalars: Array,
) -> Array:
    """Cut `pending` followed by `x` into frames and return their log-mel spectra.

    Parameters
    ----------
    x : float32 array, shape (batch, samples)
        The next samples.
    pending : float32 array, shape (batch, window_samples)
        Samples that later frames need; the first `filled` are valid. Updated.
    filled : int64 array, shape (batch,)
        Number of valid samples in `pending`, the same for every stream. Updated.
    window : float32 array, shape (window_samples,)
        The analysis window.
    bands : int64 array, shape (mel_bands, 3)
        First spectrum bin of each band, one past its last, and the offset of its weights in `weights`.
    weights : float32 array
        Weights of the triangles, one band after the other.
    scalars : float32 array, shape (4,)
        Hop in samples, FFT length, power (1 magnitude, 2 power), and offset before the logarithm.

    Returns
    -------
    float32 array, shape (batch, frames, mel_bands)
    """
    batch, samples = x.shape
    width, mel_bands = window.shape[0], bands.shape[0]
    hop, fft, squared, log_offset = int(scalars[0]), int(scalars[1]), scalars[2] == 2.0, scalars[3]
    held = filled[0]
    total = held + samples
    frames = (total - width) // hop + 1 if total >= width else 0
    out = np.empty((batch, frames, mel_bands), np.float32)
    if frames:
        frame = np.zeros(fft, np.float32)
        spectrum = np.empty(fft // 2 + 1, np.complex64)
        strength = np.empty(fft // 2 + 1, np.float32)
        for b in range(batch):
            for k in range(frames):
                _cut(x[b], pending[b], held, k * hop, window, frame)
                r2c(frame, spectrum, _AXES, True, 1.0, 1)
                _measure(spectrum, squared, strength)
                for m in range(mel_bands):
                    first, stop, offset = bands[m]
                    energy = _dot(strength[first:stop], weights[offset : offset + stop - first])
                    out[b, k, m] = np.log(energy + log_offset)
    for b in range(batch):
        _keep(x[b], pending[b], held, frames * hop)
        filled[b] = total - frames * hop
    return out


@njit(nogil=True, cache=True)
def _cut(x: Array, pending: Array, held: int, first: int, window: Array, frame: Array) -> None:
    """Fill `frame` with windowed samples, from index `first` of `pending[:held]` followed by `x`."""
    old = pending[first:held]
    n = old.shape[0]
    for i in range(n):
        frame[i] = old[i] * window[i]
    new, rest, rest_window = x[first - held + n :], frame[n:], window[n:]
    for i in range(rest_window.shape[0]):
        rest[i] = new[i] * rest_window[i]


@njit(nogil=True, cache=True)
def _measure(spectrum: Array, squared: bool, strength: Array) -> None:
    """Fill `strength` with the magnitude of every bin, or its power if `squared`."""
    for i in range(spectrum.shape[0]):
        energy = spectrum[i].real * spectrum[i].real + spectrum[i].imag * spectrum[i].imag
        strength[i] = energy if squared else np.sqrt(energy)


@njit(nogil=True, cache=True)
def _dot(a: Array, b: Array) -> np.float32:
    """Return the inner product, summed in order."""
    total = np.float32(0.0)
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@njit(nogil=True, cache=True)
def _keep(x: Array, pending: Array, held: int, passed: int) -> None:
    """Drop the first `passed` samples of `pending[:held]` followed by `x`, and keep the rest in `pending`."""
    old = pending[passed:held]
    for i in range(old.shape[0]):
        pending[i] = old[i]
    new, rest = x[max(passed - held, 0) :], pending[old.shape[0] :]
    for i in range(new.shape[0]):
        rest[i] = new[i]
