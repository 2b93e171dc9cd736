"""Apply filters, rooms and microphones to sound."""

from __future__ import annotations

import numpy as np
import soxr
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from streamer.arrays import Array
from streamer.dsp.log_mel import hz_to_mel
from train.augment.levels import db_to_amplitude
from train.augment.noise import add_noise_at_snr
from train.augment.speed import fit_length
from train.data.decode import RATE_HZ

TONE_CONTROLS = 8
"""Number of frequencies at which `equalise` draws a gain, evenly over the mel scale."""


def random_filter(rng: np.random.Generator, x: Array, rate_hz: int = RATE_HZ) -> Array:
    """Return a sound after a random filter like that of a loudspeaker: low-pass, high-pass or a resonance."""
    kind = rng.integers(3)
    if kind == 0:  # low-pass, down to a telephone's band
        a = np.exp(-2 * np.pi * np.exp(rng.uniform(np.log(1_500), np.log(7_000))) / rate_hz)
        y = lfilter([1 - a], [1, -a], x)
    elif kind == 1:  # high-pass, as small loudspeakers
        a = np.exp(-2 * np.pi * np.exp(rng.uniform(np.log(60), np.log(500))) / rate_hz)
        y = lfilter([1, -1], [1, -a], x)
    else:  # two-pole resonance mixed with the dry sound
        radius, angle = rng.uniform(0.7, 0.97), np.pi * rng.uniform(0.02, 0.9)
        y = x + rng.uniform(0.2, 1.0) * lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], x)
    return _float32(y)


def equalise(rng: np.random.Generator, x: Array, most_db: float, rate_hz: int = RATE_HZ) -> Array:
    """Return a sound with a random, smooth gain over the mel scale, like another throat, instrument or mixing desk.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    x : float32 array, shape (samples,)
        Sound; full scale is -1 to 1.
    most_db : float
        Largest gain, up or down, at each of `TONE_CONTROLS` frequencies. In between it is interpolated in dB.
    rate_hz : int
        Sample rate of the sound, in hertz.
    """
    size = next_fast_len(
        len(x) + rate_hz // 10, real=True
    )  # room for the ringing, which would wrap to the start
    mel = hz_to_mel(np.fft.rfftfreq(size, 1.0 / rate_hz), "htk")
    knobs = np.linspace(0.0, mel[-1], TONE_CONTROLS)
    gains_db = np.interp(mel, knobs, rng.uniform(-most_db, most_db, TONE_CONTROLS))
    return _float32(irfft(rfft(x, size) * 10 ** (gains_db / 20), size)[: len(x)])


def limit_band(x: Array, highest_hz: float, rate_hz: int = RATE_HZ) -> Array:
    """Return a sound without anything above `highest_hz`, like a recording at twice that rate."""
    factor = 2.0 * highest_hz / rate_hz
    return (
        fit_length(soxr.resample(soxr.resample(x, 1.0, factor), factor, 1.0), len(x))
        if factor < 1
        else x.copy()
    )


def reverberate(rng: np.random.Generator, x: Array, rate_hz: int = RATE_HZ) -> Array:
    """Return a sound with the reverberation of a random room: noise that decays by 60 dB in 0.1 to 0.8 s.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator that draws the room.
    x : float32 array, shape (samples,)
        Sound, to which the reverberation is added.
    rate_hz : int
        Its sample rate.

    Returns
    -------
    float32 array, shape (samples,)
    """
    decay_s = rng.uniform(0.1, 0.8)
    return add_room(rng, x, decay_s, rng.uniform(-12.0, 3.0), rate_hz)


def far_microphone(rng: np.random.Generator, x: Array, rate_hz: int = RATE_HZ) -> Array:
    """Return a sound as from across a room: more reverberation than direct sound, dull, with noise 5 to 30 dB below.

    The level stays about the same, like that of a microphone with automatic gain. The arguments and the shape of the
    result are those of `reverberate`.
    """
    y = add_room(rng, x, rng.uniform(0.3, 1.0), rng.uniform(0.0, 12.0), rate_hz)
    y = sosfilt(butter(2, np.exp(rng.uniform(np.log(2_000), np.log(6_500))), fs=rate_hz, output="sos"), y)
    y *= np.sqrt(np.mean(np.square(x)) / np.maximum(np.mean(np.square(y)), 1e-20))
    return add_noise_at_snr(rng, _float32(y), rng.uniform(5.0, 30.0), rng.uniform(0.0, 1.0), rate_hz)


def add_room(rng: np.random.Generator, x: Array, decay_s: float, tail_db: float, rate_hz: int) -> Array:
    """Return a sound with a tail of reverberation that falls by 60 dB in `decay_s` seconds (Moorer 1979).

    The tail has a level of `tail_db` dB re the direct sound. The other arguments are those of `reverberate`.
    """
    t = np.arange(int(decay_s * rate_hz), dtype=np.float32) / rate_hz
    tail = rng.standard_normal(len(t), np.float32) * np.float32(10.0) ** (-3.0 * t / decay_s)
    tail *= np.float32(db_to_amplitude(tail_db) / np.linalg.norm(tail))
    tail[0] = 1.0  # the direct sound
    return _float32(fftconvolve(x, tail)[: len(x)])


def _float32(x: Array) -> Array:
    """Return a sound as float32; filters of SciPy give float64."""
    return x.astype(np.float32)
