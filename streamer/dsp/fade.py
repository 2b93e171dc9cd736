"""Make ramps with which sound begins and ends without a click."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array


def rising(samples: int) -> Array:
    """Return a ramp from 0 to 1: half a period of a raised cosine.

    Returns
    -------
    float32 array, shape (samples, 1)
        The ramp. It adds up to 1 with its reverse, so the two also cross-fade.
    """
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(samples) + 0.5) / samples)
    return ramp.astype(np.float32)[:, None]
