"""Decoded sound on disk, mapped into memory: every recording is decoded once."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from streamer.stage import Array
from train.data.recordings import Recording

RATE_HZ = 16_000
_log = logging.getLogger(__name__)


class SoundCache:
    """16 kHz mono int16 of some recordings, in one memory-mapped file keyed by the list of files.

    Parameters
    ----------
    recordings : sequence of Recording
    folder : Path
        Where the cache lives; made if absent. Deleting it costs the decoding, nothing else.
    """

    def __init__(self, recordings: Sequence[Recording], folder: Path) -> None:
        self.recordings = tuple(recordings)
        folder.mkdir(parents=True, exist_ok=True)
        key = _key(self.recordings)
        data, index = folder / f"{key}.i16", folder / f"{key}.json"
        if not index.is_file():
            _log.info("decoding %d recordings into %s", len(self.recordings), data)
            _build(self.recordings, data, index)
        edges = json.loads(index.read_text(encoding="utf-8"))
        self._edges: list[int] = edges
        self._samples = np.memmap(data, np.int16, mode="r")

    def __len__(self) -> int:
        return len(self.recordings)

    def length(self, index: int) -> int:
        """Samples of a recording."""
        return self._edges[index + 1] - self._edges[index]

    def samples(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Part of a recording, cut at its end.

        Parameters
        ----------
        index : int
            Place in `recordings`.
        first, count : int
            In samples; all that follows where `count` is absent.

        Returns
        -------
        float32 array, shape (samples,)
            Full scale is -1 to 1.
        """
        start, stop = self._edges[index] + first, self._edges[index + 1]
        if count is not None:
            stop = min(stop, start + count)
        return self._samples[start:stop].astype(np.float32) / 32_768.0

    def where(self, wanted: Callable[[Recording], bool]) -> list[int]:
        """Places of the recordings that `wanted` is true of."""
        return [index for index, recording in enumerate(self.recordings) if wanted(recording)]


def decode(recording: Recording) -> Array:
    """The mean of a recording's files at `RATE_HZ`, mono, int16, shape (samples,)."""
    parts = []
    for path in recording.paths:
        sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        mono = sound.mean(axis=1)
        parts.append(mono if rate_hz == RATE_HZ else soxr.resample(mono, rate_hz, RATE_HZ))
    shortest = min(len(part) for part in parts)
    mean = np.mean([part[:shortest] for part in parts], axis=0)
    return np.clip(np.round(mean * 32_768.0), -32_768, 32_767).astype(np.int16)


def _key(recordings: Sequence[Recording]) -> str:
    described = [[str(path), path.stat().st_size] for recording in recordings for path in recording.paths]
    names = [f"{recording.source}/{recording.name}" for recording in recordings]
    return hashlib.sha256(json.dumps([RATE_HZ, names, described]).encode()).hexdigest()[:16]


def _build(recordings: Sequence[Recording], data: Path, index: Path) -> None:
    """Write both files under other names first, so that a killed run leaves no half cache."""
    edges = [0]
    partial = data.with_suffix(f".{os.getpid()}")
    with partial.open("wb") as out:
        for recording in recordings:
            sound = decode(recording)
            out.write(sound.tobytes())
            edges.append(edges[-1] + len(sound))
    partial.replace(data)
    partial.write_text(json.dumps(edges), encoding="utf-8")
    partial.replace(index)
