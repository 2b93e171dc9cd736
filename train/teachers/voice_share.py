"""Share of the voice in the power of both stems, for separations that do not say whether there is a voice."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array

HOP_S = 0.01
"""Hop, in seconds, for which there is a share."""
_EPSILON = 1e-10


def voice_share(voice: Array, music: Array, rate_hz: int) -> tuple[Array, int]:
    """Return the share of the voice in the power of both stems, 0 to 1, hop by hop.

    Parameters
    ----------
    voice, music : float32 array, shape (samples, channels)
        Estimated stems.
    rate_hz : int
        Sample rate of the stems, in hertz.

    Returns
    -------
    share : float array, shape (hops,)
        The share in each hop, the last of which may be cut short.
    hop_samples : int
        Samples of a hop.
    """
    hop_samples = round(HOP_S * rate_hz)
    powers = []
    for stem in (voice, music):
        power = np.square(stem).mean(axis=1)
        power = np.pad(power, (0, -len(power) % hop_samples))
        powers.append(power.reshape(-1, hop_samples).mean(axis=1))
    share: Array = powers[0] / np.maximum(powers[0] + powers[1], _EPSILON)
    return share, hop_samples
