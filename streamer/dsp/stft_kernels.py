"""Compute the short-time Fourier transform and its inverse in compiled loops.

As in `streamer.dsp.log_mel_kernels`, each frame is transformed alone, by the same instructions, so the result does
not depend on how the sound is cut into blocks.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from rocket_fft.lowlevel import c2r, r2c

from streamer.arrays import Array

_AXES = np.zeros(
    1, np.int64
)  # axes of the FFT; a global constant, so that no array is allocated for each frame


@njit(nogil=True, cache=True)
def analyse(x: Array, held: Array, waiting: Array, window: Array, hop: int) -> Array:
    """Return the spectra of the frames that `x` completes.

    Parameters
    ----------
    x : float32 array, shape (batch, samples, channels)
        The next samples.
    held : float32 array, shape (batch, channels, window_samples)
        The last samples. Updated.
    waiting : int64 array, shape (batch,)
        Number of samples after the last frame, below `hop` and the same for every stream. Updated.
    window : float32 array, shape (window_samples,)
        The analysis window.
    hop : int
        Step between frames, in samples.

    Returns
    -------
    complex64 array, shape (batch, frames, channels, window_samples // 2 + 1)
    """
    batch, samples, channels = x.shape
    width = window.shape[0]
    before = waiting[0]
    frames = (before + samples) // hop
    out = np.empty((batch, frames, channels, width // 2 + 1), np.complex64)
    frame = np.empty(width, np.float32)
    for b in range(batch):
        taken = 0
        for k in range(frames):
            new = hop - before if k == 0 else hop
            _shift_in(x[b, taken : taken + new], held[b])
            taken += new
            for c in range(channels):
                for i in range(width):
                    frame[i] = held[b, c, i] * window[i]
                r2c(frame, out[b, k, c], _AXES, True, 1.0, 1)
        _shift_in(x[b, taken:], held[b])
        waiting[b] = before + samples - frames * hop
    return out


@njit(nogil=True, cache=True)
def _shift_in(x: Array, held: Array) -> None:
    """Append `x`, shape (samples, channels), to `held`, shape (channels, width), and drop as many from its start."""
    channels, width = held.shape
    x = x[max(0, x.shape[0] - width) :]
    new = x.shape[0]
    for c in range(channels):
        row = held[c]
        for i in range(width - new):
            row[i] = row[i + new]
        for i in range(new):
            row[width - new + i] = x[i, c]


@njit(nogil=True, cache=True)
def synthesise(x: Array, overlap: Array, early: Array, window: Array, hop: int) -> Array:
    """Return the samples that overlapping and adding the frames completes.

    Parameters
    ----------
    x : complex64 array, shape (batch, frames, channels, bins)
        The next spectra.
    overlap : float32 array, shape (batch, channels, synthesis_samples)
        Sums over the next samples. Updated.
    early : int64 array, shape (batch,)
        Number of frames so far that completed no sample, at most one less than the window has hops. Updated.
    window : float32 array, shape (synthesis_samples,)
        The synthesis window.
    hop : int
        Step between frames, in samples.

    Returns
    -------
    float32 array, shape (batch, samples, channels)
    """
    batch, frames, channels, bins = x.shape
    width = window.shape[0]
    silent = min(width // hop - 1 - early[0], frames)
    out = np.empty((batch, (frames - silent) * hop, channels), np.float32)
    sound = np.empty(2 * (bins - 1), np.float32)
    scale = 1.0 / sound.shape[0]
    tail = sound[sound.shape[0] - width :]
    for b in range(batch):
        for k in range(frames):
            for c in range(channels):
                c2r(x[b, k, c], sound, _AXES, False, scale, 1)
                row = overlap[b, c]
                for i in range(width):
                    row[i] += tail[i] * window[i]
                first = (k - silent) * hop
                if first >= 0:
                    for i in range(hop):
                        out[b, first + i, c] = row[i]
                for i in range(width - hop):
                    row[i] = row[i + hop]
                row[width - hop :] = 0.0
        early[b] += silent
    return out
