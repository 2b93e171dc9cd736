"""Augmentation of batches of features: masks and mixtures.

Masking by torchaudio is not used: it draws from torch's global generator and takes longer, see
`benchmarks.training_data`.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.special import expit

from streamer.arrays import Array

TURNS = 5
"""Number of bands at which `colour` draws a gain."""


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


def warp(rng: np.random.Generator, x: Array, most_speed: float, most_bands: float) -> Array:
    """Return frames at another speed and pitch, by linear interpolation; those that a speed lacks are mirrored.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    x : float32 array, shape (batch, frames, bands)
        Log-mel frames.
    most_speed : float
        Largest factor of the speed, 1 or more; the smallest is its inverse.
    most_bands : float
        Largest shift by bands, up or down; the outermost band is repeated.

    Returns
    -------
    float32 array, shape (batch, frames, bands)
    """
    batch, frames, bands = x.shape
    speed = np.power(most_speed, rng.uniform(-1.0, 1.0, (batch,)))
    shift = rng.uniform(-most_bands, most_bands, (batch,))
    warped = np.empty_like(x)
    for row in range(batch):
        at_band = np.clip(np.arange(bands) + shift[row], 0, bands - 1)
        grid = np.meshgrid(np.arange(frames) * speed[row], at_band, indexing="ij")
        map_coordinates(x[row], grid, output=warped[row], order=1, mode="mirror")
    return warped


def colour(rng: np.random.Generator, x: Array, most_db: float, limited: float, log_offset: float) -> Array:
    """Return frames as through other microphones and lines: at another level, in other proportions, or band-limited.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    x : float32 array, shape (batch, frames, bands)
        Log-mel frames, ``log(magnitude + log_offset)``.
    most_db : float
        Largest gain or loss at `TURNS` bands; between them it is linear in decibels.
    limited : float
        Share of the clips of which the highest bands are lost, and of half of these the lowest ones too, as on a
        telephone or in a recording at a low rate.
    log_offset : float
        Number that the front end adds to each magnitude before it takes the logarithm.

    Returns
    -------
    float32 array, shape (batch, frames, bands)
    """
    batch, _, bands = x.shape
    at = np.arange(bands)
    turns = np.linspace(0, bands - 1, TURNS)
    gain_db: Array = np.stack(
        [np.interp(at, turns, own) for own in rng.uniform(-most_db, most_db, (batch, TURNS))]
    )
    for row in np.flatnonzero(rng.random(batch) < limited):
        depth_db, width = rng.uniform(20.0, 80.0), rng.uniform(0.5, 4.0)
        gain_db[row] -= depth_db * expit((at - rng.uniform(0.4, 1.0) * bands) / width)
        if rng.random() < 0.5:
            gain_db[row] -= depth_db * expit((rng.uniform(0.0, 0.2) * bands - at) / width)
    gain: Array = (10 ** (gain_db / 20)).astype(np.float32)[:, None, :]
    magnitude = np.maximum(np.exp(x) - np.float32(log_offset), 0)
    coloured: Array = np.log(magnitude * gain + np.float32(log_offset))
    return coloured


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
