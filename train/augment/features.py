"""Augmentation of batches of features: masks and mixtures.

torchaudio's masking draws from torch's own generator and takes longer, see `benchmarks.training_data`.
"""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array


def mask(rng: np.random.Generator, x: Array, masks: int, widest_bands: int, widest_frames: int) -> Array:
    """SpecAugment (Park et al. 2019): stripes over bands and over frames at the clip's mean.

    Parameters
    ----------
    rng : numpy.random.Generator
    x : float32 array, shape (batch, frames, bands)
        Never changed.
    masks : int
        Stripes of each direction.
    widest_bands, widest_frames : int
        A stripe's width is 0 to this, both included.

    Returns
    -------
    float32 array, shape (batch, frames, bands)
    """
    batch, frames, bands = x.shape
    over_bands = _stripes(rng, batch, masks, bands, widest_bands)
    over_frames = _stripes(rng, batch, masks, frames, widest_frames)
    hidden = over_frames[:, :, None] | over_bands[:, None, :]
    return np.where(hidden, x.mean(axis=(1, 2), keepdims=True), x)


def mix_up(rng: np.random.Generator, x: Array, labels: Array, alpha: float) -> tuple[Array, Array]:
    """Mixup (Zhang et al. 2018): each clip with another of the batch, in shares from Beta(alpha, alpha).

    Parameters
    ----------
    rng : numpy.random.Generator
    x : float32 array, shape (batch, ...)
        Sound or features.
    labels : float32 array, shape (batch, ...)
        Probabilities of classes, mixed in the same shares.
    alpha : float
        Above 0; small ones mix little.

    Returns
    -------
    x, labels : float32 arrays of the same shapes
        A clip's own share is at least a half.
    """
    batch = len(x)
    share = rng.beta(alpha, alpha, batch).astype(np.float32)
    share = np.maximum(share, 1 - share)
    other = rng.permutation(batch)
    return _mixed(x, share, other), _mixed(labels, share, other)


def _stripes(rng: np.random.Generator, batch: int, masks: int, length: int, widest: int) -> Array:
    """Where `masks` stripes lie, bool, shape (batch, length)."""
    width = rng.integers(0, min(widest, length) + 1, (batch, masks, 1))
    first = np.floor(rng.random((batch, masks, 1)) * (length - width + 1))
    at = np.arange(length)
    return ((at >= first) & (at < first + width)).any(axis=1)


def _mixed(x: Array, share: Array, other: Array) -> Array:
    share = share.reshape(-1, *[1] * (x.ndim - 1))
    return x * share + x[other] * (1 - share)


def mix_log_mel(x: Array, other: Array, share: Array, log_offset: float) -> Array:
    """Log-mel frames of two sounds that sound together, as if they had no phase in common.

    Magnitudes add up as the root of the sum of their squares, which is right on average for unlike sounds.

    Parameters
    ----------
    x, other : float32 array, shape (batch, frames, bands)
        ``log(magnitude + log_offset)``.
    share : float32 array, shape (batch,)
        Of the power of `x`, 0 to 1; the rest is of `other`.
    log_offset : float

    Returns
    -------
    float32 array, shape (batch, frames, bands)
    """
    share = share[:, None, None]
    power = share * np.square(np.exp(x) - log_offset) + (1 - share) * np.square(np.exp(other) - log_offset)
    return np.log(np.sqrt(power) + log_offset).astype(np.float32)
