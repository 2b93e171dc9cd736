"""Between the spectra of a capture and those of the network, which knows less of them: fewer bins, one channel."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.dsp.stft import StftConfig

EXTENDED_HZ = 3_000.0
"""What the mask lets through above the network's bins is what it lets through in this much below their end."""

LEAST_SHARE = np.float32(0.001)
"""Of the channels' energy, in their mean: it has more of all but what is turned round from one channel to another."""


def without_offset(spectra: Array, config: StftConfig) -> Array:
    """Spectra less the constant in each frame, which is no voice: some devices add one to all that they hear.

    Parameters
    ----------
    spectra : complex64 array, shape (..., bins)
    config : StftConfig
        Theirs.
    """
    left: Array = spectra - spectra[..., :1] * config.constant
    return left


def for_network(spectra: Array, config: StftConfig) -> Array:
    """What the network hears: the mean of the channels in its bins, at its scale.

    Parameters
    ----------
    spectra : complex64 array, shape (batch, frames, channels, bins)
        Bin ``k`` is the frequency of the network's bin ``k``; bins may be more or fewer.
    config : StftConfig
        The network's.

    Returns
    -------
    float32 array, shape (batch, frames, 2 * config.bins)
        Real parts, then imaginary ones; zero where there is no such bin.
    """
    bins = min(spectra.shape[3], config.bins)
    mono = spectra[..., :bins].mean(axis=2) * _scale(spectra, config)
    heard = np.zeros((*mono.shape[:2], 2, config.bins), np.float32)
    heard[:, :, 0, :bins], heard[:, :, 1, :bins] = mono.real, mono.imag
    return heard.reshape(*mono.shape[:2], 2 * config.bins)


def _scale(spectra: Array, config: StftConfig) -> np.float32:
    """Of the network's spectra to those of a capture, by the lengths of their windows."""
    return np.float32(config.window_samples / (2 * (spectra.shape[3] - 1)))


def heard_share(heard: Array, spectra: Array, config: StftConfig) -> Array:
    """How much of what is said of a frame holds: what cancels in the mean of the channels, the network has not heard.

    Of the whole frame: a voice in the midst of what cancels and is a thousand times as strong goes with it.

    Parameters
    ----------
    heard : float32 array, shape (batch, frames, 2 * config.bins)
        As of `for_network`.
    spectra : complex64 array, shape (batch, frames, channels, bins)
    config : StftConfig
        The network's.

    Returns
    -------
    float32 array, shape (batch, frames)
        1 where the mean has `LEAST_SHARE` of the channels' energy or more, and less the less it has.
    """
    known = spectra[..., : config.bins]
    there = (known.real**2 + known.imag**2).mean(axis=2).sum(axis=2) * _scale(spectra, config) ** 2
    share: Array = np.square(heard).sum(axis=2) / np.maximum(LEAST_SHARE * there, np.float32(1e-20))
    return np.minimum(share, np.float32(1))


def full_mask(mask: Array, spectra: Array, config: StftConfig) -> Array:
    """The network's mask for every bin of a capture.

    Above the network's bins it is one real number in each frame: the share, 0 to 1, that it lets through of the
    energy in the `EXTENDED_HZ` below their end.

    Parameters
    ----------
    mask : float32 array, shape (batch, frames, 2 * config.bins)
    spectra : complex64 array, shape (batch, frames, channels, bins)
    config : StftConfig
        The network's.

    Returns
    -------
    complex64 array, shape (batch, frames, bins)
    """
    bins, known = spectra.shape[3], min(spectra.shape[3], config.bins)
    full = np.empty((*mask.shape[:2], bins), np.complex64)
    full[..., :known].real = mask[..., :known]
    full[..., :known].imag = mask[..., config.bins : config.bins + known]
    if bins > known:
        width = round(EXTENDED_HZ * config.window_samples / config.sample_rate_hz)
        top = slice(known - width, known)
        parts = spectra[..., top]
        energy = (parts.real**2 + parts.imag**2).sum(axis=2)
        through = (energy * full[..., top].real).sum(axis=2) / np.maximum(
            energy.sum(axis=2), np.float32(1e-12)
        )
        full[..., known:] = np.clip(through, 0.0, 1.0)[..., None]
    return full
