"""Robustness: a figure on sound degraded by noise, level, filters, rooms, codecs, speed or pitch."""

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
"""Function from sounds, float32 at 16 kHz, to a figure of how well a model classifies them."""


@dataclass(frozen=True)
class Degradation:
    """A kind of degradation of sound, such as noise, at several strengths.

    Attributes
    ----------
    name, unit : str
        Name of the curve in the plot, and unit of `levels`.
    levels : tuple of float
        Strengths, in the order in which the plot shows them.
    apply : callable
        Function ``apply(sound, level, rng)``, which returns a degraded copy of a float32 sound (samples,) at 16 kHz.
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
"""Degradations by microphones, recordings and telephone lines. The reverberation of the room is as strong as the direct
sound."""


def background(name: str, sounds: Sequence[Array], levels: tuple[float, ...] = NOISES) -> Degradation:
    """Return a degradation that mixes in random sounds of another kind, such as speech over music.

    Parameters
    ----------
    name : str
        Name of the curve.
    sounds : sequence of float32 arrays, shape (samples,)
        Sounds to mix in, at 16 kHz; they must be held out as well.
    levels : tuple of float
        Level of the sound relative to the background, in dB.
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
    """Return a figure on clean sounds and at each level of each degradation: the content of ``robustness.json``.

    Parameters
    ----------
    sounds : sequence of float32 arrays, shape (samples,)
        Held-out sounds at 16 kHz.
    figure : callable
        Function that returns the figure, such as the accuracy of the exported model, over all sounds.
    name : str
        Name of the figure.
    command : str
        Command line of this measurement, which is noted in the result.
    degradations : sequence of Degradation
        Degradations to apply, one after another.
    seed : int
        Seed of everything random. The noise or room of a sound depends only on the seed, the degradation and the
        sound's index, so that it is the same at each level and for each model.

    Returns
    -------
    dict
        Entries ``{"command", "figure", "sounds", "clean", "curves": [{"name", "unit", "levels", "values"}]}``.

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
