"""Turn log-mel frames into sound: linear spectra by the pseudo-inverse of the mel filters, phases by Griffin-Lim."""

from __future__ import annotations

import numpy as np
import torch

from models import torchaudio_cpu
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig, mel_matrix

ITERATIONS = 60
MOMENTUM = 0.99
"""Iterations and momentum of fast Griffin-Lim (Perraudin et al. 2013)."""
PEAK = 0.9
"""Largest sample of a sound; full scale is 1."""


def frames_of_samples(config: LogMelConfig, samples: int) -> int:
    """Return how many frames `vocode` needs for so many samples."""
    return _padded(config, samples) // config.hop_samples + 1


def vocode(frames: Array, config: LogMelConfig, samples: int, seed: int) -> Array:
    """Return a sound whose log-mel frames are about those given, apart from the level.

    Parameters
    ----------
    frames : float32 array, shape (frames, mel_bands)
        Natural logarithms of power, `frames_of_samples` of them.
    config : LogMelConfig
        Front end that the frames are of; its `power` is 2.
    samples : int
        Number of samples.
    seed : int
        Seed of the phases that Griffin-Lim begins with.

    Returns
    -------
    float32 array, shape (samples,)
        Sound at ``config.sample_rate_hz`` with a peak of `PEAK`; silence where the frames have no power.
    """
    power = linear_power(frames, config)
    griffin_lim = torchaudio_cpu.load().functional.griffinlim
    with torch.random.fork_rng(devices=[]):  # torchaudio draws from torch's own generator
        torch.default_generator.manual_seed(seed)
        sound = griffin_lim(
            torch.from_numpy(power.T.copy()),
            window=torch.hann_window(config.window_samples),
            n_fft=config.fft_samples,
            hop_length=config.hop_samples,
            win_length=config.window_samples,
            power=2.0,
            n_iter=ITERATIONS,
            momentum=MOMENTUM,
            length=_padded(config, samples),
            rand_init=True,
        )
    return at_peak(sound.numpy()[:samples])


def linear_power(frames: Array, config: LogMelConfig) -> Array:
    """Return the power of each frequency bin of frames: what fits the bands best, where that is not negative.

    Parameters
    ----------
    frames : float32 array, shape (frames, mel_bands)
        Natural logarithms of power.
    config : LogMelConfig
        Front end that the frames are of.

    Returns
    -------
    float32 array, shape (frames, fft_samples // 2 + 1)
        Power, relative to the loudest bin of all frames.
    """
    # Relative to the loudest band, so that no power overflows.
    bands = np.exp((frames - frames.max()).astype(np.float64))
    bins = np.maximum(bands @ np.linalg.pinv(mel_matrix(config).astype(np.float64)).T, 0.0)
    relative: Array = (bins / bins.max()).astype(np.float32)
    return relative


def shaped_noise(power: Array, samples: int, rng: np.random.Generator) -> Array:
    """Return noise whose mean spectrum is given.

    Parameters
    ----------
    power : float array, shape (bins,)
        Power at equally spaced frequencies from 0 to half the sample rate.
    samples : int
        Number of samples.
    rng : Generator
        Generator of the noise.

    Returns
    -------
    float32 array, shape (samples,)
        Noise with a peak of `PEAK`.
    """
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    at = np.linspace(0.0, len(power) - 1.0, len(spectrum))
    amplitudes = np.interp(at, np.arange(len(power)), np.sqrt(power))
    return at_peak(np.fft.irfft(spectrum * amplitudes, samples).astype(np.float32))


def at_peak(sound: Array) -> Array:
    """Return a sound with a peak of `PEAK`; silence stays silence."""
    peak = float(np.abs(sound).max(initial=0.0))
    scaled: Array = sound * np.float32(PEAK / peak) if peak > 0 else sound
    return scaled


def _padded(config: LogMelConfig, samples: int) -> int:
    """Return a length at which torch's transform can mirror the sound at its ends."""
    return max(samples, config.fft_samples)
