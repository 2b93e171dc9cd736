"""Synthetic sound that is not music: noises, beeps, sirens, ringing bells, knocks, ticks, hum, dial tones.

Every function of `MAKERS` takes a generator and a number of samples at 16 kHz, and returns float32 samples with a peak
near 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.fft import irfft

from streamer.arrays import Array
from train.data.decode import RATE_HZ


def gaussian_noise(rng: np.random.Generator, samples: int, exponent: float, rate_hz: int = RATE_HZ) -> Array:
    """Return Gaussian noise whose amplitude is proportional to 1 / frequency to the `exponent`, and flat below 30 Hz.

    The peak is 1.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of everything random.
    samples : int
        Length of the noise.
    exponent : float
        Exponent of 1 / frequency: 0 is white, 0.5 pink, 1 brown, -0.5 blue.
    rate_hz : int
        Sample rate of the sound, in hertz.

    Returns
    -------
    float32 array, shape (samples,)
    """
    whole = 1 << max(1, samples - 1).bit_length()  # a power of two transforms fastest
    hz = np.maximum(np.fft.rfftfreq(whole, 1 / rate_hz), 30.0)
    spectrum = rng.standard_normal((2, len(hz)), np.float32)
    noise = irfft((spectrum[0] + 1j * spectrum[1]) * (hz**-exponent).astype(np.float32), whole)[:samples]
    return _normalised(noise)


def coloured_noise(rng: np.random.Generator, samples: int) -> Array:
    """Return noise whose spectrum falls by 0 (white) to 9 dB per octave; at times it swells like rain or wind."""
    noise = gaussian_noise(rng, samples, rng.uniform(0.0, 1.5))
    return _normalised(noise * _swell(rng, samples)) if rng.random() < 0.4 else noise


def beeps(rng: np.random.Generator, samples: int) -> Array:
    """Return a tone of one pitch, or two or three in turn, switched on and off at an even pace: alarms, horns, rings.

    In half of them, such bursts come and go.
    """
    t = np.arange(samples) / RATE_HZ
    period_s = np.exp(rng.uniform(np.log(0.03), np.log(1.5)))
    place = np.floor(t / period_s).astype(np.int64)
    ratios = np.array([1.0, rng.choice([1.0, rng.uniform(0.7, 1.45)]), rng.uniform(0.6, 1.6)])
    turns = rng.choice([2, 2, 3])
    pitch_hz = np.exp(rng.uniform(np.log(250), np.log(4_000))) * ratios[place % turns]
    tone = _harmonics(rng, np.cumsum(pitch_hz) / RATE_HZ)
    duty = rng.choice([1.0, rng.uniform(0.2, 0.8)])
    sounds = t % period_s < duty * period_s
    if rng.random() < 0.5:
        sounds &= _comes_and_goes(rng, t)
    return _normalised(tone * sounds)


def siren(rng: np.random.Generator, samples: int) -> Array:
    """Return a tone whose pitch glides up and down, or nears one pitch and then another, as of sirens."""
    t = np.arange(samples) / RATE_HZ
    phase = t * np.exp(rng.uniform(np.log(0.1), np.log(3.0))) + rng.random()
    rise = phase % 1.0
    nears = np.exp(-rng.uniform(3.0, 30.0) * (rise % 0.5))
    swings = (
        np.sin(2 * np.pi * phase),
        2 * np.abs(2 * rise - 1) - 1,
        np.where(rise < 0.5, 1.0 - 2.0 * nears, 2.0 * nears - 1.0),
    )
    swing = swings[rng.integers(len(swings))]
    centre_hz = np.exp(rng.uniform(np.log(200), np.log(2_000)))
    pitch_hz = centre_hz * 2.0 ** (rng.uniform(0.15, 1.0) * swing)
    return _normalised(_harmonics(rng, np.cumsum(pitch_hz) / RATE_HZ))


def ringing(rng: np.random.Generator, samples: int) -> Array:
    """Return one or two bells that a clapper strikes many times a second: doorbells, school bells, old telephones."""
    t = np.arange(samples) / RATE_HZ
    strokes_hz, decay_s = rng.uniform(8.0, 35.0), np.exp(rng.uniform(np.log(0.03), np.log(0.6)))
    bells, out = int(rng.integers(1, 3)), np.zeros(samples)
    for bell in range(bells):
        age_s = ((t * strokes_hz / bells + bell / bells) % 1.0) * bells / strokes_hz
        lowest_hz = np.exp(rng.uniform(np.log(500), np.log(3_000)))
        for ratio in (1.0, *rng.uniform(1.2, 6.0, rng.integers(2, 7))):
            if lowest_hz * ratio < RATE_HZ / 2:
                rings = np.sin(2 * np.pi * (lowest_hz * ratio * t + rng.random()))
                # Between strokes a partial keeps some of its sound: it does not begin afresh.
                out += rng.uniform(0.2, 1.0) / ratio * rings * (0.3 + np.exp(-age_s * ratio / decay_s))
    return _normalised(out * _comes_and_goes(rng, t))


def knocks(rng: np.random.Generator, samples: int) -> Array:
    """Return damped, noisy thumps at an even or uneven pace: knocks, ticks, steps, drips."""
    out = np.zeros(samples)
    decay_s = np.exp(rng.uniform(np.log(0.003), np.log(0.08)))
    length = min(samples, int(6 * decay_s * RATE_HZ) + 1)
    t = np.arange(length) / RATE_HZ
    ring_hz, share = np.exp(rng.uniform(np.log(80), np.log(5_000))), rng.random()
    pace_s, jitter = rng.uniform(0.1, 1.2), rng.choice([0.02, 0.5])
    at = rng.uniform(0, pace_s)
    while (first := int(at * RATE_HZ)) < samples:
        thump = share * np.sin(2 * np.pi * ring_hz * t) + (1 - share) * rng.standard_normal(length)
        thump *= np.exp(-t / decay_s) * rng.uniform(0.5, 1.0)
        out[first : first + length] += thump[: samples - first]
        at += pace_s * (1 + jitter * rng.uniform(-0.9, 0.9))
    return _normalised(out)


def hum(rng: np.random.Generator, samples: int) -> Array:
    """Return a steady tone with many harmonics, and some noise: mains hum, motors, fans, compressors."""
    t = np.arange(samples) / RATE_HZ
    pitch_hz = rng.choice([50.0, 60.0, np.exp(rng.uniform(np.log(25), np.log(400)))])
    drift = 1.0 + rng.uniform(0.0, 0.01) * np.sin(2 * np.pi * rng.uniform(0.02, 0.5) * t + 6 * rng.random())
    cycles = np.cumsum(pitch_hz * drift) / RATE_HZ
    falls = rng.uniform(0.3, 2.0)
    numbers = np.arange(1, min(40, int(0.4 * RATE_HZ / pitch_hz)) + 1)
    # The least strength of a harmonic re what it would be in an even spectrum.
    lowest = rng.choice([0.0, 0.7])
    strengths = rng.uniform(lowest, 1.0, len(numbers)) * numbers**-falls
    # One period as a table, which is read at the pace of the pitch: summing sines over all samples would take long.
    places = np.arange(2_048) / 2_048
    table = strengths @ np.sin(2 * np.pi * (numbers[:, None] * places + rng.random((len(numbers), 1))))
    tone = np.interp(cycles % 1.0, places, table, period=1.0)
    noise = gaussian_noise(rng, samples, rng.uniform(0.2, 1.5))
    beat = 1.0 + rng.uniform(0.0, 0.5) * np.sin(2 * np.pi * rng.uniform(0.5, 12.0) * t)
    noise_share = np.exp(rng.uniform(np.log(0.003), np.log(2.0)))
    sounds = _comes_and_goes(rng, t) if rng.random() < 0.3 else 1.0
    return _normalised((_normalised(tone) * beat + noise_share * noise) * sounds)


def dial_tones(rng: np.random.Generator, samples: int) -> Array:
    """Return two tones at once, switched on and off, the same again and again or others each time: telephones."""
    t = np.arange(samples) / RATE_HZ
    period_s, duty = np.exp(rng.uniform(np.log(0.1), np.log(4.0))), rng.uniform(0.25, 1.0)
    place = np.floor(t / period_s).astype(np.int64)
    hz = np.exp(rng.uniform(np.log(300), np.log(1_700), (2, place[-1] + 1)))
    if rng.random() < 0.5:  # one signal, as of a line that is engaged
        hz[:] = hz[:, :1]
    tones = np.sin(2 * np.pi * np.cumsum(hz[:, place], axis=1) / RATE_HZ)
    return _normalised(tones.sum(axis=0) * (t % period_s < duty * period_s))


MAKERS: tuple[Callable[[np.random.Generator, int], Array], ...] = (
    coloured_noise,
    beeps,
    siren,
    ringing,
    knocks,
    hum,
    dial_tones,
)


def _harmonics(rng: np.random.Generator, cycles: Array) -> Array:
    """Return a tone of one to eight harmonics, or odd ones alone; `cycles` is its phase in periods."""
    strengths = rng.uniform(0.0, 1.0, rng.integers(0, 8))
    step = rng.choice([1, 1, 2])
    numbers = 1 + step * np.arange(1, len(strengths) + 1)
    # Those near half the sample rate are left out. The tone's usual pitch decides, since pitches may glide.
    usual = float(np.median(np.diff(cycles))) if len(cycles) > 1 else 0.0
    parts = [
        s / n * np.sin(2 * np.pi * n * cycles)
        for n, s in zip(numbers, strengths, strict=True)
        if n * usual < 0.4
    ]
    tone: Array = np.sum([np.sin(2 * np.pi * cycles), *parts], axis=0)
    return tone


def _comes_and_goes(rng: np.random.Generator, t: Array) -> Array:
    """Return whether something sounds at the times `t` that is on and off for a while in turn, as a bool array."""
    on_s, off_s = np.exp(rng.uniform(np.log(0.4), np.log(4.0), 2))
    sounds: Array = (t + rng.uniform(0.0, on_s)) % (on_s + off_s) < on_s
    return sounds


def _swell(rng: np.random.Generator, samples: int) -> Array:
    """Return a slow random envelope from 0.1 to 1."""
    points = rng.uniform(0.1, 1.0, max(2, samples // (RATE_HZ // 2)))
    return np.interp(np.linspace(0, len(points) - 1, samples), np.arange(len(points)), points)


def _normalised(x: Array) -> Array:
    peak = np.abs(x).max(initial=0.0)
    return (x / peak if peak > 0 else x).astype(np.float32)
