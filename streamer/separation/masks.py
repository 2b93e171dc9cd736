"""Convert between the spectra of a capture and those of the network, which has fewer bins and one channel."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.dsp.stft import StftConfig

EXTENDED_HZ = 3_000.0
"""Width of the band below the end of the network's bins whose mask decides on the sound above them."""

LEAST_SHARE = np.float32(0.001)
"""Share of the channels' energy below which their mean is taken for cancelled: all sound has more of its energy in the
mean, unless one channel is another one inverted."""


def without_offset(spectra: Array, config: StftConfig) -> Array:
    """Return spectra without the constant offset that some devices add to all sound.

    Parameters
    ----------
    spectra : complex64 array, shape (..., bins)
    config : StftConfig
        Transform of the spectra.
    """
    left: Array = spectra - spectra[..., :1] * config.constant
    return left


def network_input(spectra: Array, config: StftConfig) -> Array:
    """Return the network's input: the downmix in the network's bins and at its scale.

    Parameters
    ----------
    spectra : complex64 array, shape (batch, frames, bins)
        Spectra of the downmix. Bin ``k`` has the frequency of the network's bin ``k``. There may be more bins or fewer.
    config : StftConfig
        Transform of the network.

    Returns
    -------
    float32 array, shape (batch, frames, 2 * config.bins)
        Real parts, then imaginary ones; zero in bins that the capture lacks.
    """
    bins = min(spectra.shape[2], config.bins)
    mono = spectra[..., :bins] * _scale(spectra, config)
    parts = np.zeros((*mono.shape[:2], 2, config.bins), np.float32)
    parts[:, :, 0, :bins], parts[:, :, 1, :bins] = mono.real, mono.imag
    return parts.reshape(*mono.shape[:2], 2 * config.bins)


def _scale(spectra: Array, config: StftConfig) -> np.float32:
    """Return the factor from a capture's spectra to the network's, by the lengths of their windows."""
    return np.float32(config.window_samples / (2 * (spectra.shape[-1] - 1)))


def trusted_share(mono: Array, spectra: Array, config: StftConfig) -> Array:
    """Return a factor, 0 to 1, for the mask of each frame: lower if the channels cancel in the network's input.

    They do until the downmix has noticed it, and after that in no frame. There is one factor for all bins of a frame.
    So a voice is lost too if sound a thousand times as strong cancels.

    Parameters
    ----------
    mono : float32 array, shape (batch, frames, 2 * config.bins)
        The network's input, as `network_input` returns it.
    spectra : complex64 array, shape (batch, frames, channels, bins)
        Spectra of the capture.
    config : StftConfig
        Transform of the network.

    Returns
    -------
    float32 array, shape (batch, frames)
        1 if the mean has at least `LEAST_SHARE` of the channels' energy, and proportionally less if it has less.
    """
    known = spectra[..., : config.bins]
    there = (known.real**2 + known.imag**2).mean(axis=2).sum(axis=2) * _scale(spectra, config) ** 2
    share: Array = np.square(mono).sum(axis=2) / np.maximum(LEAST_SHARE * there, np.float32(1e-20))
    return np.minimum(share, np.float32(1))


def full_mask(mask: Array, spectra: Array, config: StftConfig) -> Array:
    """Return the network's mask extended to every bin of a capture.

    Above the network's bins the mask is one real number for each frame, 0 to 1: the share of the energy that the mask
    lets through in the highest `EXTENDED_HZ` of the network's bins.

    Parameters
    ----------
    mask : float32 array, shape (batch, frames, 2 * config.bins)
    spectra : complex64 array, shape (batch, frames, channels, bins)
        Spectra of the capture.
    config : StftConfig
        Transform of the network.

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
