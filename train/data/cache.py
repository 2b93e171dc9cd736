"""What was made of recordings, on disk, mapped into memory: every recording is decoded once.

Each recording has a file of its own, named by a hash of all that it was made of. So a build that was killed
goes on where it stopped, processes may build at once, splits and tasks share what they have in common, and a
changed recording or front end is made anew while all else stays.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from train.data.decode import FULL_SCALE, RATE_HZ, ClipError, decode
from train.data.hashes import FileHashes
from train.data.recordings import Recording

WORKERS = 2
"""Threads that decode; the decoders, the resampler and the front end hold no interpreter lock."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skipped:
    """A recording that is left out, and why."""

    source: str
    name: str
    reason: str


class Cache:
    """An array for each recording that can be used.

    Parameters
    ----------
    recordings : iterable of Recording
    folder : Path
        Where caches live; made if absent. Deleting it costs the making, nothing else.
    made : sequence of str
        Everything besides the recordings that the arrays depend on; part of their names.
    make : callable
        Recording to array; raises `ClipError` for a recording to be left out. It runs in threads.

    Attributes
    ----------
    recordings : tuple of Recording
        Those that can be used, in the order given.
    skipped : tuple of Skipped
        The others.
    digest : str
        SHA-256 of all contents and of how they were made: what a run was trained on.
    """

    def __init__(
        self,
        recordings: Iterable[Recording],
        folder: Path,
        made: Sequence[str],
        make: Callable[[Recording], Array],
    ) -> None:
        self._folder = folder / made[0]
        self._make = make
        self._folder.mkdir(parents=True, exist_ok=True)
        given = tuple(recordings)
        paths, reasons = self._name(given, FileHashes(folder / "hashes.json"), made)
        failed = self._build({paths[r]: r for r in given if r in paths and not paths[r].is_file()})
        reasons |= {r: failed[path] for r, path in paths.items() if path in failed}
        self.recordings = tuple(r for r in given if r not in reasons)
        self.skipped = tuple(Skipped(r.source, r.name, reasons[r]) for r in given if r in reasons)
        self._paths = [paths[r] for r in self.recordings]
        self._lengths = [len(_mapped(path)) for path in self._paths]
        names = "\n".join(path.stem for path in self._paths)
        self.digest = hashlib.sha256(names.encode()).hexdigest()
        self._report(len(given))

    def __len__(self) -> int:
        return len(self.recordings)

    def length(self, index: int) -> int:
        """Items (samples or frames) of a recording."""
        return self._lengths[index]

    def where(self, wanted: Callable[[Recording], bool]) -> list[int]:
        """Places of the recordings that `wanted` is true of."""
        return [index for index, recording in enumerate(self.recordings) if wanted(recording)]

    def part(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Part of a recording's array as it is on disk, mapped, read-only; cut at its end."""
        return _mapped(self._paths[index])[first : None if count is None else first + count]

    def _name(
        self, recordings: Sequence[Recording], hashes: FileHashes, made: Sequence[str]
    ) -> tuple[dict[Recording, Path], dict[Recording, str]]:
        """The file of each recording's array, or why there can be none."""
        paths, reasons = {}, {}
        for recording in recordings:
            try:
                contents = [hashes.of(path) for path in recording.paths]
            except OSError as error:
                reasons[recording] = f"{error.filename} cannot be read: {error.strerror}"
                continue
            streams = [recording.streams] if recording.streams else []
            described = json.dumps([*made, RATE_HZ, recording.min_seconds, contents, *streams])
            name = hashlib.sha256(described.encode()).hexdigest()
            paths[recording] = self._folder / name[:2] / f"{name}.npy"
        hashes.save()
        return paths, reasons

    def _build(self, missing: dict[Path, Recording]) -> dict[Path, str]:
        """Make the arrays that are missing; gives the reasons of those that cannot be made."""
        if not missing:
            return {}
        started = time.monotonic()
        pool = ThreadPoolExecutor(WORKERS)
        try:
            made = pool.map(self._try, missing, missing.values())
            reasons = list(tqdm(made, "decoding", len(missing), unit=" clips", disable=None))
        finally:
            pool.shutdown(cancel_futures=True)  # else an interrupted build would go on to its end
        _log.info("made %d clips in %.1f s in %s", len(missing), time.monotonic() - started, self._folder)
        return {path: reason for path, reason in zip(missing, reasons, strict=True) if reason}

    def _try(self, path: Path, recording: Recording) -> str:
        """Make one array under another name first, so that a killed build leaves no half one."""
        try:
            array = self._make(recording)
        except ClipError as error:
            return str(error)
        path.parent.mkdir(exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
        try:
            with os.fdopen(handle, "wb") as out:
                np.save(out, array)
            Path(partial).replace(path)
        finally:
            Path(partial).unlink(missing_ok=True)
        return ""

    def _report(self, given: int) -> None:
        for skipped in self.skipped:
            _log.warning("skipped %s %s: %s", skipped.source, skipped.name, skipped.reason)
        if self.skipped:
            _log.warning("skipped %d of %d recordings", len(self.skipped), given)


class SoundCache(Cache):
    """16 kHz mono sound of recordings, for whoever mixes it.

    Parameters
    ----------
    recordings : iterable of Recording
    folder : Path
        Where caches live.
    """

    def __init__(self, recordings: Iterable[Recording], folder: Path) -> None:
        super().__init__(recordings, folder, ("sound",), decode)

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
        return self.part(index, first, count).astype(np.float32) / np.float32(FULL_SCALE)

    @property
    def sounds(self) -> Sequence[Array]:
        """All recordings, each read when it is asked for: together they may not fit in memory."""
        return _Sounds(self)


class _Sounds(Sequence[Array]):
    """A cache's recordings, whole."""

    def __init__(self, cache: SoundCache) -> None:
        self._cache = cache

    def __len__(self) -> int:
        return len(self._cache)

    def __getitem__(self, index: Any) -> Any:
        return self._cache.samples(index)


def _mapped(path: Path) -> Array:
    """Mapped anew each time: a mapping holds a file open, and there may be more clips than open files allowed."""
    return np.load(path, mmap_mode="r")
