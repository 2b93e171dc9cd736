"""Whether there is music, speech and singing: the labels of recordings, and of recordings that are mixed.

The rules are those of ``docs/labels.md``: music is what instruments, drums, humming and whistling a tune make; a voice
alone that sings is singing, and nothing is learnt from it about music.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from streamer.arrays import Array
from train import augment
from train.data.recordings import Recording
from train.data.sets.debian import INSTRUMENTAL_PACKAGES

PRESENT, OTHER, IGNORE = 1, 0, -1
"""Labels: it is there; it is not there; it cannot be said, or must not be learnt."""
NAMES = ("music", "speech", "singing")
"""Order of the labels in an array of presence."""
UNKNOWN_VOICES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "ambience": frozenset(
            {
                "applause",
                "busy-street",
                "cafe",
                "cinematic",
                "city",
                "coffee-shop",
                "crowd_cheering",
                "crowded-bar",
                "library",
                "office",
                "restaurant",
                "subway-station",
                "supermarket",
                "tuning-radio",
                "unsure",
            }
        ),
        "debian": frozenset({"voices"}),
        "effects": frozenset({"unsure"}),
    }
)
"""Categories of sound, by data set, in which people may speak or sing: nothing is learnt from them about voices."""
INSTRUMENTAL: frozenset[str] = frozenset({"instruments", "rendered"})
"""Data sets without voices."""
HEARD_DB, UNHEARD_DB = -15.0, -35.0
"""Level of a voice re the song that it is part of, in dB: it is there from the first on, and is not up to the
second."""


def presence_of(recording: Recording) -> tuple[int, int, int]:
    """Return the labels of a recording's audible parts: music, speech and singing, each `PRESENT`, `OTHER` or `IGNORE`.

    Parameters
    ----------
    recording : Recording
        Recording to label.
    """
    if recording.kind == "speech":
        return OTHER, PRESENT, OTHER
    if recording.kind == "singing":
        return IGNORE, OTHER, PRESENT
    if recording.kind == "sound":
        voices = IGNORE if recording.category in UNKNOWN_VOICES.get(recording.source, ()) else OTHER
        return OTHER, voices, voices
    rap = IGNORE if recording.category == "hiphop" else OTHER
    return PRESENT, rap, OTHER if _is_instrumental(recording) else IGNORE


def is_solo(recording: Recording) -> bool:
    """Return whether a recording is of one instrument alone, or of drums alone."""
    rendered_alone = "solo" in recording.tags or recording.category == "drums"
    return recording.source == "instruments" or (recording.source == "rendered" and rendered_alone)


def _is_instrumental(recording: Recording) -> bool:
    if recording.source == "mir1k":
        return recording.category == "accompaniment"
    if recording.source == "debian":
        return recording.name.startswith(INSTRUMENTAL_PACKAGES)
    return recording.source in INSTRUMENTAL


def without_pauses(labels: Array, sound: Array) -> Array:
    """Return labels in which what is present is ignored wherever the sound makes a pause.

    Parameters
    ----------
    labels : int8 array, shape (3, samples)
        Labels as if each recording sounded from its start to its end.
    sound : float32 array, shape (samples,)
        Sound at 16 kHz.
    """
    return np.where(augment.audible_mask(sound), labels, drowned(labels)).astype(np.int8)


def singing_of_song(voice: Array, song: Array) -> Array:
    """Return whether there is singing at each sample of a song, of which the voice is known, as an int8 array.

    Parameters
    ----------
    voice, song : float32 array, shape (samples,)
        The voice alone, and the whole song.
    """
    levels = augment.block_levels(voice), augment.block_levels(song)
    heard, unheard = (levels[0] >= augment.db_to_amplitude(db) * levels[1] for db in (HEARD_DB, UNHEARD_DB))
    blocks = np.where(heard & (levels[0] > 0), PRESENT, np.where(unheard, IGNORE, OTHER)).astype(np.int8)
    return np.repeat(blocks, -(-len(song) // len(blocks)))[: len(song)]


def drowned(labels: Array) -> Array:
    """Return the labels of a sound that cannot be heard: what is present in it is ignored."""
    return np.where(labels == PRESENT, IGNORE, labels).astype(np.int8)


def mixed_presence(first: Array, second: Array) -> Array:
    """Return the labels of a mixture of two sounds: what is present in either; unknown where neither, and one unknown.

    Parameters
    ----------
    first, second : int8 array, shape (3, samples)
        Labels of the sounds.
    """
    known = np.where((first == IGNORE) | (second == IGNORE), IGNORE, OTHER)
    return np.where((first == PRESENT) | (second == PRESENT), PRESENT, known).astype(np.int8)
