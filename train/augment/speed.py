"""Change position, speed, tempo and pitch of sound."""

from __future__ import annotations

import math

import numpy as np
import soxr
import torch

from models import torchaudio_cpu
from streamer.arrays import Array

WINDOW, HOP = 1_024, 256
"""Window and hop of the phase vocoder, in samples: 64 ms at 16 kHz resolve the harmonics of a bass note."""


def fit_length(x: Array, samples: int) -> Array:
    """Return a sound of `samples` samples: cut at its end, or with silence appended."""
    return np.pad(x[:samples], (0, max(0, samples - len(x))))


def shift(x: Array, samples: int) -> Array:
    """Return a sound delayed by `samples` samples (advanced if below 0), of the same length; the gap is silent."""
    y = np.zeros_like(x)
    if samples >= 0:
        y[samples:] = x[: max(0, len(x) - samples)]
    else:
        y[:samples] = x[-samples:]
    return y


def change_speed(x: Array, factor: float) -> Array:
    """Return a sound played faster or slower, which raises or lowers its pitch too, by resampling (soxr).

    Parameters
    ----------
    x : float32 array, shape (samples,)
        Sound at any rate.
    factor : float
        Factor of the speed, above 0; 2 is twice as fast, an octave higher and half as long.

    Returns
    -------
    float32 array, shape (about samples / factor,)
        Sound at the same rate.
    """
    changed: Array = soxr.resample(x, factor, 1.0)
    return changed


def stretch(x: Array, factor: float) -> Array:
    """Return a sound at another tempo (faster for a factor above 1) and the same pitch, by torchaudio's phase vocoder.

    Parameters
    ----------
    x : float32 array, shape (samples,)
        Sound; full scale is -1 to 1.
    factor : float
        Factor of the tempo; 0.5 to 2 sounds natural.

    Returns
    -------
    float32 array, shape (round(samples / factor),)
    """
    window = torch.hann_window(WINDOW)
    advance = torch.linspace(0, math.pi * HOP, WINDOW // 2 + 1)[:, None]
    padded = torch.from_numpy(fit_length(x, max(len(x), WINDOW)))
    with torch.inference_mode():
        # Padded with zeros: a mirrored start has bins out of phase, which the vocoder carries on, so that slowed tones
        # lose up to 13 dB.
        spectrum = torch.stft(padded, WINDOW, HOP, window=window, pad_mode="constant", return_complex=True)
        other = torchaudio_cpu.load().functional.phase_vocoder(spectrum, factor, advance)
        y: Array = torch.istft(other, WINDOW, HOP, window=window).numpy()
    return fit_length(y, round(len(x) / factor))


def change_pitch(x: Array, semitones: float) -> Array:
    """Return a sound whose pitch is higher by `semitones` (lower if below 0), of the same tempo and length.

    torchaudio's ``pitch_shift`` is not used since it is a thousand times slower: it resamples by ratios of large
    integers.
    """
    factor = 2.0 ** (semitones / 12.0)
    return fit_length(change_speed(stretch(x, 1.0 / factor), factor), len(x))
