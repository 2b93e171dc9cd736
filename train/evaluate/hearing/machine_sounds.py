"""Make sounds of machines and telephones, none of which is music, to measure what models say of them.

The training makes sounds that are not music, too (`train.data.sets.synthetic`). These are others: hum with the
harmonics of a transformer, fans that spin up, bells with the partials of a gong, the tones of telephone networks. So
what a model learnt from the former does not decide about the latter.

Every function of `MACHINES` takes a generator and a number of samples at 16 kHz, and returns float64 samples of any
level. A machine sets in and stops, once or several times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from scipy.signal import butter, sosfilt

from streamer.arrays import Array
from train.data.decode import RATE_HZ

Maker: TypeAlias = Callable[[np.random.Generator, int], Array]
"""``make(rng, samples)`` returns that many samples of a sound."""
DTMF_LOW_HZ, DTMF_HIGH_HZ = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)
"""Rows and columns of a telephone's keys (ITU-T Q.23)."""
LINE_TONES = (
    ((350.0, 440.0), 60.0, 0.0),
    ((480.0, 620.0), 0.5, 0.5),
    ((440.0, 480.0), 2.0, 4.0),
    ((425.0,), 1.0, 4.0),
    ((425.0,), 0.48, 0.48),
)
"""Tones of telephone networks in America and Europe: frequencies, seconds on, seconds off (ITU-T E.180)."""
GONG_PARTIALS = (1.0, 1.52, 2.0, 2.74, 3.76, 4.61, 5.9)
"""Frequencies of a small bell's partials, as multiples of the lowest."""


def mains_hum(rng: np.random.Generator, samples: int) -> Array:
    """Return the hum of a transformer or a bad cable: harmonics of 50 or 60 Hz, switched on and off."""
    return _hum(rng, samples, float(rng.choice([50.0, 60.0]))) * _switched(rng, samples, 0.005)


def fan(rng: np.random.Generator, samples: int) -> Array:
    """Return a fan that spins up and down: rushing air, and the tone of its blades."""
    speed = _switched(rng, samples, rng.uniform(0.5, 1.5))
    blades_hz = rng.uniform(60.0, 320.0) * np.maximum(speed, 0.05)
    phase = np.cumsum(blades_hz) / RATE_HZ
    tone = sum(
        rng.uniform(0.2, 1.0) / k * np.sin(2 * np.pi * (k * phase + rng.random())) for k in range(1, 5)
    )
    air = _band_noise(rng, samples, rng.uniform(80.0, 200.0), rng.uniform(900.0, 5_000.0))
    out: Array = (air + rng.uniform(0.05, 0.6) * tone) * speed**2
    return out


def fridge(rng: np.random.Generator, samples: int) -> Array:
    """Return a refrigerator whose compressor starts with a click, hums, and shakes when it stops."""
    running = _switched(rng, samples, 0.15)
    hum = _hum(rng, samples, float(rng.choice([48.6, 49.2, 58.3])))
    out = hum * running + 0.2 * _band_noise(rng, samples, 100.0, 900.0) * running
    for first in _edges(running):
        rattle = _decaying(samples - first, rng.uniform(0.1, 0.35)) * np.sin(
            2 * np.pi * rng.uniform(9.0, 14.0) * np.arange(samples - first) / RATE_HZ
        )
        out[first:] += 2.0 * rattle * _band_noise(rng, samples - first, 60.0, 1_500.0)
    return out


def dryer(rng: np.random.Generator, samples: int) -> Array:
    """Return a tumble dryer: a motor, hot air, clothes that fall at each turn of the drum, and buttons that click."""
    running = _switched(rng, samples, 0.8)
    out = 0.5 * _hum(rng, samples, 49.4) + _band_noise(rng, samples, 60.0, rng.uniform(600.0, 2_500.0))
    t = np.arange(samples) / RATE_HZ
    for at_s in np.arange(rng.uniform(0.0, 1.0), t[-1], 60.0 / rng.uniform(42.0, 58.0)):
        first = round((at_s + rng.uniform(-0.08, 0.08)) * RATE_HZ)
        if 0 <= first < samples:
            out[first:] += (
                3.0 * _decaying(samples - first, 0.06) * _band_noise(rng, samples - first, 40.0, 500.0)
            )
        click = first + round(rng.uniform(0.1, 0.5) * RATE_HZ)
        if rng.random() < 0.4 and 0 <= click < samples:
            ring = np.sin(2 * np.pi * rng.uniform(2_500.0, 5_500.0) * t[: samples - click])
            out[click:] += 2.0 * _decaying(samples - click, 0.004) * ring
    return out * running


def dialling(rng: np.random.Generator, samples: int) -> Array:
    """Return telephone numbers that are dialled by tones (DTMF), with pauses between the numbers."""
    on_s, off_s = rng.uniform(0.06, 0.18), rng.uniform(0.05, 0.2)
    out = np.zeros(samples)
    at_s = rng.uniform(0.2, 1.0)
    while at_s < samples / RATE_HZ:
        for _ in range(rng.integers(4, 12)):
            tones = rng.choice(DTMF_LOW_HZ), rng.choice(DTMF_HIGH_HZ)
            _add_tones(out, tones, at_s, on_s)
            at_s += on_s + off_s
        at_s += rng.uniform(1.5, 4.0)
    return out


def line_tones(rng: np.random.Generator, samples: int) -> Array:
    """Return what a telephone line says: that one may dial, that it rings over there, or that the other is busy."""
    tones_hz, on_s, off_s = LINE_TONES[rng.integers(len(LINE_TONES))]
    out = np.zeros(samples)
    at_s = rng.uniform(0.5, 2.0)
    while at_s < samples / RATE_HZ:
        _add_tones(out, tones_hz, at_s, on_s)
        at_s += on_s + off_s if off_s else samples
    return _band_limited(out, 300.0, 3_400.0)


def beeps(rng: np.random.Generator, samples: int) -> Array:
    """Return a machine that is done, or a vehicle that reverses: some beeps of a piezo, and again after a while."""
    hz, on_s = rng.uniform(900.0, 3_600.0), rng.uniform(0.08, 0.7)
    return _bursts(
        rng, samples, hz, on_s, on_s * rng.uniform(0.5, 1.5), int(rng.integers(1, 6)), rng.uniform(1.0, 5.0)
    )


def clock_alarm(rng: np.random.Generator, samples: int) -> Array:
    """Return an alarm clock: four short beeps a second, over and over."""
    return _bursts(rng, samples, rng.uniform(1_900.0, 2_300.0), 0.0625, 0.0625, 4, 0.5)


def old_bell(rng: np.random.Generator, samples: int) -> Array:
    """Return the ringing of an old telephone: a clapper between two gongs, for 1 to 2 s, then a pause."""
    gongs = [_gong(rng, hz) for hz in rng.uniform(900.0, 1_500.0) * np.array([1.0, rng.uniform(1.1, 1.35)])]
    out, at_s = np.zeros(samples + len(gongs[0])), rng.uniform(0.3, 1.5)
    strokes_hz, on_s, off_s = rng.uniform(18.0, 28.0), rng.uniform(0.8, 2.0), rng.uniform(1.0, 4.0)
    while at_s < samples / RATE_HZ:
        for k in range(round(on_s * strokes_hz)):
            first = round((at_s + k / strokes_hz) * RATE_HZ)
            if first < samples:
                out[first : first + len(gongs[0])] += rng.uniform(0.7, 1.0) * gongs[k % 2]
        at_s += on_s + off_s
    return out[:samples]


def electronic_ring(rng: np.random.Generator, samples: int) -> Array:
    """Return the warble of an electronic telephone: two or three tones in quick turn, once or twice, then a pause."""
    tones_hz = rng.uniform(600.0, 1_900.0) * np.array([1.0, 1.25, 1.5])[: rng.integers(2, 4)]
    each_s, on_s = rng.uniform(0.03, 0.09), rng.uniform(0.4, 1.2)
    out, at_s = np.zeros(samples), rng.uniform(0.3, 1.5)
    times, pause_s = int(rng.integers(1, 3)), rng.uniform(1.5, 4.0)
    while at_s < samples / RATE_HZ:
        for _ in range(times):
            for k in range(round(on_s / each_s)):
                _add_tones(out, _odd_harmonics(tones_hz[k % len(tones_hz)]), at_s + k * each_s, each_s)
            at_s += on_s + 0.3
        at_s += pause_s
    return out


def siren(rng: np.random.Generator, samples: int) -> Array:
    """Return a siren: one that is cranked up and runs down, or a horn of two tones in turn."""
    t = np.arange(samples) / RATE_HZ
    if rng.random() < 0.5:
        low_hz = rng.uniform(360.0, 450.0)
        hz = np.where((t / rng.uniform(0.5, 0.8)) % 2 < 1, low_hz, low_hz * rng.uniform(1.3, 1.37))
    else:
        cranked = (t % rng.uniform(5.0, 9.0)) < rng.uniform(2.0, 3.5)
        hz = 120.0 + rng.uniform(400.0, 900.0) * _followed(cranked, rng.uniform(0.8, 1.8))
    phase = np.cumsum(hz) / RATE_HZ
    tone = np.tanh(
        rng.uniform(1.0, 2.5) * (np.sin(2 * np.pi * phase) + 0.3 * np.sin(4 * np.pi * phase + 1.0))
    )
    return tone * _switched(rng, samples, 0.05)


def kettle(rng: np.random.Generator, samples: int) -> Array:
    """Return a kettle: boiling water, then a whistle that rises and beats, until it is taken off the stove."""
    boiling = 0.15 * _band_noise(rng, samples, 150.0, 1_800.0)
    steam = _followed(np.arange(samples) > rng.uniform(0.1, 0.3) * samples, rng.uniform(1.0, 3.0))
    steam *= np.arange(samples) < rng.uniform(0.8, 0.95) * samples
    hz = rng.uniform(1_700.0, 2_900.0) * (0.7 + 0.3 * steam)
    wobble = 1.0 + 0.004 * _band_noise(rng, samples, 2.0, 8.0)
    whistle = sum(
        np.sin(2 * np.pi * ratio * np.cumsum(hz * wobble) / RATE_HZ)
        for ratio in (1.0, rng.uniform(1.003, 1.2))
    )
    breath = 0.5 * _band_noise(rng, samples, 2_000.0, 6_000.0)
    out: Array = boiling + (whistle + breath) * steam**2
    return out


def room(rng: np.random.Generator, samples: int) -> Array:
    """Return an empty room, or a microphone's own noise: noise between two corners."""
    return _band_noise(
        rng, samples, rng.uniform(20.0, 150.0), np.exp(rng.uniform(np.log(300.0), np.log(7_500.0)))
    )


MACHINES: Mapping[str, Maker] = MappingProxyType(
    {
        maker.__name__: maker
        for maker in (
            mains_hum,
            fan,
            fridge,
            dryer,
            dialling,
            line_tones,
            beeps,
            clock_alarm,
            old_bell,
            electronic_ring,
            siren,
            kettle,
            room,
        )
    }
)
"""Functions that make sounds, by the name of the sound; `clock_alarm` and `siren` are classes of ESC-50 as well."""


def _hum(rng: np.random.Generator, samples: int, hz: float) -> Array:
    """Return a hum of 24 harmonics, of which the even ones are stronger, as iron hums twice in a period."""
    t = np.arange(samples) / RATE_HZ
    falls, out = rng.uniform(0.8, 1.8), np.zeros(samples)
    for k in range(1, 25):
        strength = 1.0 if k % 2 == 0 else rng.uniform(0.1, 0.7)
        out += strength * k**-falls * np.sin(2 * np.pi * (k * hz * t + rng.random()))
    return out


def _switched(rng: np.random.Generator, samples: int, rise_s: float) -> Array:
    """Return an envelope from 0 to 1 that is on for 3 to 7 s and off for 1.5 to 4 s in turn, off at first."""
    on, at_s = np.zeros(samples, bool), rng.uniform(1.0, 3.0)
    while at_s < samples / RATE_HZ:
        stop_s = at_s + rng.uniform(3.0, 7.0)
        on[round(at_s * RATE_HZ) : round(stop_s * RATE_HZ)] = True
        at_s = stop_s + rng.uniform(1.5, 4.0)
    return _followed(on, rise_s)


def _followed(on: Array, rise_s: float) -> Array:
    """Return an envelope that approaches 1 where `on` is True and 0 elsewhere, with a time constant of `rise_s` / 3."""
    kept = np.exp(-3.0 / (rise_s * RATE_HZ))
    envelope: Array = sosfilt([[1 - kept, 0.0, 0.0, 1.0, -kept, 0.0]], on.astype(float))
    return envelope


def _edges(running: Array) -> Array:
    """Return the samples at which an envelope passes a half."""
    return np.flatnonzero(np.diff(running > 0.5)) + 1


def _decaying(samples: int, decay_s: float) -> Array:
    return np.exp(-np.arange(samples) / (decay_s * RATE_HZ))


def _band_limited(x: Array, low_hz: float, high_hz: float) -> Array:
    return sosfilt(butter(2, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos"), x)


def _band_noise(rng: np.random.Generator, samples: int, low_hz: float, high_hz: float) -> Array:
    """Return Gaussian noise between two corners, of about the level of a tone with a peak of 1."""
    noise = _band_limited(rng.standard_normal(samples), low_hz, high_hz)
    rms = float(np.sqrt(np.mean(noise**2)))
    return noise / np.float64(max(1e-9, rms * np.sqrt(2.0)))


def _odd_harmonics(hz: float) -> tuple[float, ...]:
    """Return a tone and its odd harmonics below half the sample rate, as of a square wave from a cheap circuit."""
    return tuple(hz * k for k in (1, 3, 5, 7) if hz * k < RATE_HZ / 2)


def _add_tones(out: Array, tones_hz: Sequence[float], at_s: float, length_s: float) -> None:
    """Add tones with edges of 3 ms to a sound, in place; a tone is the softer, the higher it is above the first."""
    first = round(at_s * RATE_HZ)
    t = np.arange(min(round(length_s * RATE_HZ), len(out) - first)) / RATE_HZ
    edges = np.clip(np.minimum(t, length_s - t) / 0.003, 0.0, 1.0)
    out[first : first + len(t)] += edges * sum(
        tones_hz[0] / hz * np.sin(2 * np.pi * hz * t) for hz in tones_hz
    )


def _bursts(
    rng: np.random.Generator, samples: int, hz: float, on_s: float, off_s: float, beeps: int, pause_s: float
) -> Array:
    """Return bursts of beeps of a piezo."""
    out, at_s = np.zeros(samples), rng.uniform(0.3, 2.0)
    while at_s < samples / RATE_HZ:
        for _ in range(beeps):
            _add_tones(out, _odd_harmonics(hz), at_s, on_s)
            at_s += on_s + off_s
        at_s += pause_s
    return out


def _gong(rng: np.random.Generator, hz: float) -> Array:
    """Return a struck gong of 0.6 s."""
    t = np.arange(round(0.6 * RATE_HZ)) / RATE_HZ
    out = np.zeros(len(t))
    for k, ratio in enumerate(GONG_PARTIALS, 1):
        fades = np.exp(-t * k / rng.uniform(0.15, 0.4))
        out += rng.uniform(0.3, 1.0) / k * fades * np.sin(2 * np.pi * hz * ratio * t)
    return out * np.minimum(1.0, t / 0.001)
