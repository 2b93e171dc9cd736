"""Compiled loops of the short-time Fourier transform and its inverse.

As in `streamer.dsp.log_mel_kernels`, every frame is transformed alone, by the same instructions, whatever block it
came in.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from rocket_fft.lowlevel import c2r, r2c

from streamer.arrays import Array

_AXES = np.zeros(1, np.int64)  # what is transformed along; a constant here, to make none for each frame


@njit(nogil=True, cache=True)
def analyse(x: Array, held: Array, waiting: Array, window: Array, hop: int) -> Array:
    """Give the spectra of the frames that `x` completes.

    Parameters
    ----------
    x : float32 array, shape (batch, samples, channels)
    held : float32 array, shape (batch, channels, window_samples)
        The last samples; updated.
    waiting : int64 array, shape (batch,)
        How many samples came after the last frame, below `hop`; updated; the same in every slot.
    window : float32 array, shape (window_samples,)
    hop : int

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
    """Add samples (samples, channels) at the end of `held` (channels, width), and forget as many at its start."""
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
    """Overlap and add the frames; give the samples that are whole.

    Parameters
    ----------
    x : complex64 array, shape (batch, frames, channels, bins)
    overlap : float32 array, shape (batch, channels, window_samples)
        Sums of the samples to come; updated.
    early : int64 array, shape (batch,)
        Frames that came before any sample was whole, at most one less than the window has hops; updated.
    window : float32 array, shape (synthesis_samples,)
    hop : int

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
