"""How figures fall as sound gets worse: noise, level, filters, rooms, codecs, speed, pitch."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from streamer.errors import ConfigError
from train import augment
from train.augment.noise import COLOURS
from train.augment.rooms import add_room
from train.data.decode import RATE_HZ

Apply = Callable[[Array, float, np.random.Generator], Array]
Figure = Callable[[Sequence[Array]], float]
"""Sounds, 16 kHz, float32, changed or not, to how well they are told."""


@dataclass(frozen=True)
class Degradation:
    """Something that happens to sound, at several strengths.

    Attributes
    ----------
    name, unit : str
        Of the curve, and of its levels.
    levels : tuple of float
        In the order in which they are drawn.
    apply : callable
        ``apply(sound, level, rng)``: float32 (samples,) at 16 kHz to the same; the sound given is not changed.
    """

    name: str
    unit: str
    levels: tuple[float, ...]
    apply: Apply


NOISES = (30.0, 20.0, 10.0, 5.0, 0.0, -5.0)
STANDARD = (
    Degradation("white noise", "dB SNR", NOISES, lambda x, db, rng: augment.add_noise_at_snr(rng, x, db)),
    Degradation(
        "pink noise",
        "dB SNR",
        NOISES,
        lambda x, db, rng: augment.add_noise_at_snr(rng, x, db, COLOURS["pink"]),
    ),
    Degradation(
        "gain, clipped", "dB", (-40, -30, -20, -10, 10, 20), lambda x, db, _: augment.apply_gain(x, db)
    ),
    Degradation(
        "speed", "times", (0.8, 0.9, 1.1, 1.25), lambda x, factor, _: augment.change_speed(x, factor)
    ),
    Degradation("tempo", "times", (0.8, 0.9, 1.1, 1.25), lambda x, factor, _: augment.stretch(x, factor)),
    Degradation(
        "pitch", "semitones", (-4, -2, -1, 1, 2, 4), lambda x, tones, _: augment.change_pitch(x, tones)
    ),
    Degradation("low-pass", "Hz", (6_000, 4_000, 3_000, 2_000), lambda x, hz, _: augment.limit_band(x, hz)),
    Degradation(
        "room",
        "s of decay by 60 dB",
        (0.2, 0.4, 0.8, 1.6),
        lambda x, s, rng: add_room(rng, x, s, 0.0, RATE_HZ),
    ),
    Degradation(
        "MP3", "hardness", (0.0, 0.5, 0.9, 1.0), lambda x, hard, _: augment.transcode(x, "mp3", hard)
    ),
    Degradation(
        "Opus", "hardness", (0.0, 0.5, 0.9, 1.0), lambda x, hard, _: augment.transcode(x, "opus", hard)
    ),
    Degradation("bits", "a sample", (12, 10, 8, 6), lambda x, bits, _: augment.quantise(x, int(bits))),
)
"""What a microphone, a recording and a line do to sound. In the room the tail is as strong as the direct sound."""


def background(name: str, sounds: Sequence[Array], levels: tuple[float, ...] = NOISES) -> Degradation:
    """Sounds of another kind, drawn at random, mixed in: speech over music, music under speech.

    Parameters
    ----------
    name : str
        Of the curve.
    sounds : sequence of float32 arrays, shape (samples,)
        At 16 kHz; held out as well.
    levels : tuple of float
        dB of the sound re the background.
    """

    def mix(x: Array, snr_db: float, rng: np.random.Generator) -> Array:
        return augment.mix_at_snr(x, sounds[int(rng.integers(len(sounds)))], snr_db)

    return Degradation(name, "dB SNR", levels, mix)


def measure(
    sounds: Sequence[Array],
    figure: Figure,
    name: str,
    command: str,
    degradations: Sequence[Degradation] = STANDARD,
    seed: int = 0,
) -> dict[str, Any]:
    """A figure on held-out sounds, clean and at each level of each degradation: content of ``robustness.json``.

    Parameters
    ----------
    sounds : sequence of float32 arrays, shape (samples,)
        At 16 kHz.
    figure : callable
        Of all sounds, by the exported model, stepping.
    name : str
        Of the figure.
    command : str
        That this is part of.
    degradations : sequence of Degradation
    seed : int
        Each sound's noise, room and the like depend on it, the degradation and the sound's place alone: the same
        at each level, and for each model.

    Returns
    -------
    dict
        ``{"command", "figure", "sounds", "clean", "curves": [{"name", "unit", "levels", "values"}]}``.

    Raises
    ------
    ConfigError
        If there are no sounds.
    """
    if not len(sounds):
        raise ConfigError("got no sounds to measure robustness on; expected at least one held-out clip")
    curves = []
    for degradation in tqdm(degradations, "degrading", disable=None):
        values = [
            figure([_degraded(sound, degradation, level, seed, place) for place, sound in enumerate(sounds)])
            for level in degradation.levels
        ]
        curves.append(
            {
                "name": degradation.name,
                "unit": degradation.unit,
                "levels": list(degradation.levels),
                "values": values,
            }
        )
    return {
        "command": command,
        "figure": name,
        "sounds": len(sounds),
        "clean": figure(sounds),
        "curves": curves,
    }


def _degraded(sound: Array, degradation: Degradation, level: float, seed: int, place: int) -> Array:
    rng = np.random.default_rng((seed, zlib.crc32(degradation.name.encode()), place))
    return np.clip(degradation.apply(sound, level, rng), -1.0, 1.0).astype(np.float32)
