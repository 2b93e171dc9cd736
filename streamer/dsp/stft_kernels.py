"""Compute the short-time Fourier transform and its inverse in compiled loops.

As in `streamer.dsp.log_mel_kernels`, each frame is transformed alone, by the same instructions, so the result does
not depend on how the sound is cut into blocks.
"""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.kernels.fourier import c2r, r2c
from streamer.kernels.kernel import helper, kernel

_AXES = np.zeros(
    1, np.int64
)  # axes of the FFT; a global constant, so that no array is allocated for each frame


@kernel(
    "const float32[:,:,:], float32[:,:,:], int64[:], const float32[:], int, float32[:], complex64[:,:,:,:]"
)
def analyse(x: Array, held: Array, waiting: Array, window: Array, hop: int, frame: Array, out: Array) -> None:
    """Compute the spectra of the frames that `x` completes.

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
    frame : float32 array, shape (window_samples,)
        Any numbers, over which this works.
    out : complex64 array, shape (batch, frames, channels, window_samples // 2 + 1)
        Filled with the spectra of all frames that `x` completes.
    """
    batch, samples, channels = x.shape
    width = window.shape[0]
    before = waiting[0]
    frames = out.shape[1]
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


@helper
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


@kernel("complex64[:,:,:,:], float32[:,:,:], int64[:], const float32[:], int, float32[:], float32[:,:,:]")
def synthesise(
    x: Array, overlap: Array, early: Array, window: Array, hop: int, sound: Array, out: Array
) -> None:
    """Compute the samples that overlapping and adding the frames completes.

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
    sound : float32 array, shape (2 * (bins - 1),)
        Any numbers, over which this works.
    out : float32 array, shape (batch, samples, channels)
        Filled with the samples.
    """
    batch, frames, channels, _ = x.shape
    width = window.shape[0]
    silent = frames - out.shape[1] // hop
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
