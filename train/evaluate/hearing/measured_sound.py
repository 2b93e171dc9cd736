"""The sound that models are measured on: recordings of collections, and machines that are made here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from train.augment.levels import clip, mix_at_snr, quantise, set_level
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.data.sets.all_sound import AMBIGUOUS, ONLY_MEASURED, SINGLE_SOUNDS
from train.data.sets.catalogue import DATA_SETS
from train.evaluate.hearing.machine_sounds import MACHINES, Maker, room

MADE = "machines"
"""Name of the collection of made sounds of machines and telephones."""
COLLECTIONS = (*sorted(ONLY_MEASURED), *SINGLE_SOUNDS, MADE)
"""Names of collections to measure on what a model did not learn from: data sets of `train.data.sets.catalogue`, and
`MADE`."""
SHORTEST_S = 1.0
"""Shortest recording that is measured."""
SEED = 20_26
TAKES = 4
"""Number of different sounds that are made of each machine."""
MADE_S = 20.0
"""Length of a made sound."""
LEVELS_DBFS = (-20, -40, -60, -75, -90)
"""Levels of the made sounds. The floor of hearing lies at -80 dBFS unless it is set."""
SOFTEST_DBFS = -60
"""Level down to which made sounds count in the figures of their machine; there are figures of each level as well."""
ROOM_SNR_DB = (25.0, 50.0)
"""Range of how much softer than the machine the room is in which it stands."""
CONVERTER_BITS = 16


@dataclass(frozen=True)
class MeasuredExample:
    """A recording that models are measured on, and the rows of figures that it counts in.

    Attributes
    ----------
    collection : str
        Name of the collection.
    recording : Recording
        Labels of the recording.
    sound : float32 array, shape (samples,)
        Sound of the recording at 16 kHz; full scale is -1 to 1.
    rows : tuple of str
        Names of the rows, such as ``animals, sound``.
    """

    collection: str
    recording: Recording
    sound: Array
    rows: tuple[str, ...]


def examples(collections: Sequence[str], root: Path, cache: Path) -> Iterator[MeasuredExample]:
    """Yield what there is to measure on in collections, one after the other.

    Parameters
    ----------
    collections : sequence of str
        Names of data sets in `train.data.sets.catalogue`, or `MADE`.
    root, cache : Path
        Folder of the data sets, and folder of all caches.
    """
    for name in collections:
        yield from made_examples() if name == MADE else _recorded_examples(name, root, cache)


def _recorded_examples(name: str, root: Path, cache: Path) -> Iterator[MeasuredExample]:
    found = [r for r in DATA_SETS[name].recordings(root, cache) if (r.source, r.category) not in AMBIGUOUS]
    sounds = SoundCache(found, cache)
    for index, recording in enumerate(tqdm(sounds.recordings, desc=name, disable=None)):
        if sounds.length(index) >= SHORTEST_S * RATE_HZ:
            yield MeasuredExample(name, recording, sounds.samples(index), (f"{name}, {recording.kind}",))


def made_examples(takes: int = TAKES) -> Iterator[MeasuredExample]:
    """Yield `takes` sounds of each machine at each level, with the noise of a room, as a 16-bit converter gives them.

    A take sounds the same at all levels, but for the rounding. The same `takes` give the same sounds.
    """
    for kind, (machine, make) in enumerate(tqdm(MACHINES.items(), desc=MADE, disable=None)):
        for take in range(takes):
            sound = _in_a_room(np.random.default_rng((SEED, kind, take)), make)
            for level_dbfs in LEVELS_DBFS:
                rows: tuple[str, ...] = (f"{MADE} at {level_dbfs} dBFS",)
                if level_dbfs >= SOFTEST_DBFS:
                    rows = (f"{MADE}, {machine}", *rows)
                recording = Recording(MADE, f"{machine} {take} at {level_dbfs} dBFS", (), "sound", machine, 5)
                yield MeasuredExample(
                    MADE, recording, quantise(clip(set_level(sound, level_dbfs)), CONVERTER_BITS), rows
                )


def _in_a_room(rng: np.random.Generator, make: Maker) -> Array:
    """Return a made sound, float32, with a room around it."""
    samples = round(MADE_S * RATE_HZ)
    sound = make(rng, samples).astype(np.float32)
    return mix_at_snr(sound, room(rng, samples).astype(np.float32), rng.uniform(*ROOM_SNR_DB))
