"""Average the channels of captured sound in a compiled loop."""

from __future__ import annotations

import numpy as np
from numba import njit

from streamer.arrays import Array

SAMPLE_LIMIT = 1e6
"""Largest magnitude of a valid sample. Larger samples, and NaN, are muted, so that no power overflows."""


@njit(nogil=True, cache=True)
def downmix(block: Array, mono: Array) -> int:
    """Average the channels into `mono`; invalid samples count as zero.

    Parameters
    ----------
    block : float32 array, shape (frames, channels)
    mono : float32 array, shape (frames,)
        Filled with the mean.

    Returns
    -------
    int
        Number of samples that were NaN, infinite or beyond `SAMPLE_LIMIT`.
    """
    frames, channels = block.shape
    muted = 0
    scale = np.float32(1.0 / channels)
    for i in range(frames):
        total = np.float32(0.0)
        for c in range(channels):
            value = block[i, c]
            if abs(value) <= SAMPLE_LIMIT:  # false for NaN
                total += value
            else:
                muted += 1
        mono[i] = total * scale
    return muted
