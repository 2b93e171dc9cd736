"""Augmentation of batches of features: masks and mixtures.

Masking by torchaudio is not used: it draws from torch's global generator and takes longer, see
`benchmarks.training_data`.
"""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array


def mask(rng: np.random.Generator, x: Array, masks: int, widest_bands: int, widest_frames: int) -> Array:
    """Return frames in which random stripes of bands and frames hold the clip's mean: SpecAugment (Park et al. 2019).

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    x : float32 array, shape (batch, frames, bands)
        Log-mel frames.
    masks : int
        Number of stripes in each direction.
    widest_bands, widest_frames : int
        Largest width of a stripe; the smallest is 0.

    Returns
    -------
    float32 array, shape (batch, frames, bands)
    """
    batch, frames, bands = x.shape
    over_bands = _stripes(rng, batch, masks, bands, widest_bands)
    over_frames = _stripes(rng, batch, masks, frames, widest_frames)
    masked = over_frames[:, :, None] | over_bands[:, None, :]
    return np.where(masked, x.mean(axis=(1, 2), keepdims=True), x)


def mix_up(rng: np.random.Generator, x: Array, labels: Array, alpha: float) -> tuple[Array, Array]:
    """Return each clip mixed with another of the batch, in shares from Beta(alpha, alpha): mixup (Zhang et al. 2018).

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    x : float32 array, shape (batch, ...)
        Sound or features.
    labels : float32 array, shape (batch, ...)
        Probabilities of classes, mixed in the same shares.
    alpha : float
        Parameter of the distribution, above 0; small values mix little.

    Returns
    -------
    x, labels : float32 arrays of the same shapes
        Mixtures, in which a clip's own share is at least one half.
    """
    batch = len(x)
    share = rng.beta(alpha, alpha, batch).astype(np.float32)
    share = np.maximum(share, 1 - share)
    other = rng.permutation(batch)
    return _mix(x, share, other), _mix(labels, share, other)


def mix_log_mel(x: Array, other: Array, share: Array, log_offset: float) -> Array:
    """Return the log-mel frames of the mixtures of two batches of sounds, given the log-mel frames of the sounds.

    Powers are added, as if the sounds' phases were unrelated, which is right on average for different sounds.

    Parameters
    ----------
    x, other : float32 array, shape (batch, frames, bands)
        Frames, ``log(magnitude + log_offset)``.
    share : float32 array, shape (batch,)
        Weight of the power of `x`, 0 to 1; the rest is the weight of `other`.
    log_offset : float
        Number that the front end adds to each magnitude before it takes the logarithm.

    Returns
    -------
    float32 array, shape (batch, frames, bands)
    """
    share = share[:, None, None]
    power = share * np.square(np.exp(x) - log_offset) + (1 - share) * np.square(np.exp(other) - log_offset)
    mixed: Array = np.log(np.sqrt(power) + log_offset).astype(np.float32)
    return mixed


def _stripes(rng: np.random.Generator, batch: int, masks: int, length: int, widest: int) -> Array:
    """Return where `masks` random stripes lie, bool, shape (batch, length)."""
    width = rng.integers(0, min(widest, length) + 1, (batch, masks, 1))
    first = np.floor(rng.random((batch, masks, 1)) * (length - width + 1))
    at = np.arange(length)
    stripes: Array = np.any((at >= first) & (at < first + width), axis=1)
    return stripes


def _mix(x: Array, share: Array, other: Array) -> Array:
    share = share.reshape(-1, *[1] * (x.ndim - 1))
    mixed: Array = x * share + x[other] * (1 - share)
    return mixed
