"""How sound begins, ends and changes over without a click."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array


def rising(samples: int) -> Array:
    """Half a period of a raised cosine, from 0 to 1: float32, shape (samples, 1). With its reverse it adds up to 1."""
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(samples) + 0.5) / samples)
    return ramp.astype(np.float32)[:, None]
