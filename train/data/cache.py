"""Arrays computed from recordings, cached on disk and mapped into memory: every recording is decoded once.

Each recording has a cache file of its own, named by a hash of everything that its array depends on. So a build that
was killed continues where it stopped, several processes can build at once, splits and tasks share files, and only a
changed recording or front end is computed again.
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
from typing import overload

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from train.data.decode import FULL_SCALE, RATE_HZ, ClipError, decode
from train.data.hashes import FileHashes
from train.data.recordings import Recording

WORKERS = 2
"""Threads that decode. The decoders, the resampler and the front end release the interpreter lock."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skipped:
    """A recording or song that cannot be used and is left out, with the reason."""

    source: str
    name: str
    reason: str


class Cache:
    """Keeps an array for each usable recording on disk; missing arrays are computed when the cache is made.

    Parameters
    ----------
    recordings : iterable of Recording
        Recordings wanted. Those whose array cannot be computed are skipped, and logged.
    folder : Path
        Folder of all caches, created if absent. Deleting it costs nothing but the time to compute them again.
    depends_on : sequence of str
        Everything besides the recordings that the arrays depend on. It becomes part of the files' names; the first
        entry names this cache's subfolder.
    make_array : callable
        ``make_array(recording)`` returns the array of a recording, with items along the first axis. It raises
        `ClipError` for a recording that cannot be used, and is called from threads.

    Attributes
    ----------
    recordings : tuple of Recording
        Usable recordings, in the order given.
    skipped : tuple of Skipped
        Recordings that are left out, each with the reason.
    digest : str
        SHA-256 over the contents of all recordings and `depends_on`: it identifies what a run was trained on.
    """

    def __init__(
        self,
        recordings: Iterable[Recording],
        folder: Path,
        depends_on: Sequence[str],
        make_array: Callable[[Recording], Array],
    ) -> None:
        self._folder = folder / depends_on[0]
        self._make_array = make_array
        self._folder.mkdir(parents=True, exist_ok=True)
        given = tuple(recordings)
        paths, reasons = self._name_files(given, FileHashes(folder / "hashes.json"), depends_on)
        failed = self._build({paths[r]: r for r in given if r in paths and not paths[r].is_file()})
        reasons |= {r: failed[path] for r, path in paths.items() if path in failed}
        self.recordings = tuple(r for r in given if r not in reasons)
        self.skipped = tuple(Skipped(r.source, r.name, reasons[r]) for r in given if r in reasons)
        self._paths = [paths[r] for r in self.recordings]
        self._lengths = [len(_map_array(path)) for path in self._paths]
        names = "\n".join(path.stem for path in self._paths)
        self.digest = hashlib.sha256(names.encode()).hexdigest()
        self._log_skipped(len(given))

    def __len__(self) -> int:
        return len(self.recordings)

    def length(self, index: int) -> int:
        """Return the number of items (samples, frames or embeddings) of the recording with an index."""
        return self._lengths[index]

    def where(self, wanted: Callable[[Recording], bool]) -> list[int]:
        """Return the indices into `recordings` of those for which `wanted` returns True."""
        return [index for index, recording in enumerate(self.recordings) if wanted(recording)]

    def part(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Return a slice of a recording's array as stored, mapped from disk and read-only.

        It has up to `count` items from item `first` on; without `count`, all items up to the end.
        """
        return _map_array(self._paths[index])[first : None if count is None else first + count]

    def _name_files(
        self, recordings: Sequence[Recording], hashes: FileHashes, depends_on: Sequence[str]
    ) -> tuple[dict[Recording, Path], dict[Recording, str]]:
        """Return the cache file of each readable recording, and the reason for each unreadable one."""
        paths, reasons = {}, {}
        for recording in recordings:
            try:
                contents = [hashes.sha256(path) for path in recording.paths]
            except OSError as error:
                reasons[recording] = f"{error.filename} cannot be read: {error.strerror}"
                continue
            # Streams are added only where they are given, so that names from before they existed stay valid.
            streams = [recording.streams] if recording.streams else []
            described = json.dumps([*depends_on, RATE_HZ, recording.min_seconds, contents, *streams])
            name = hashlib.sha256(described.encode()).hexdigest()
            paths[recording] = self._folder / name[:2] / f"{name}.npy"
        hashes.save()
        return paths, reasons

    def _build(self, missing: dict[Path, Recording]) -> dict[Path, str]:
        """Compute the missing arrays; return the reason for each that cannot be computed."""
        if not missing:
            return {}
        started = time.monotonic()
        pool = ThreadPoolExecutor(WORKERS)
        try:
            made = pool.map(self._write, missing, missing.values())
            reasons = list(tqdm(made, "decoding", len(missing), unit=" clips", disable=None))
        finally:
            pool.shutdown(cancel_futures=True)  # otherwise an interrupted build would continue to its end
        _log.info("made %d clips in %.1f s in %s", len(missing), time.monotonic() - started, self._folder)
        return {path: reason for path, reason in zip(missing, reasons, strict=True) if reason}

    def _write(self, path: Path, recording: Recording) -> str:
        """Compute and store one array; return why it cannot be computed, or an empty string."""
        try:
            array = self._make_array(recording)
        except ClipError as error:
            return str(error)
        path.parent.mkdir(exist_ok=True)
        # Written under another name and then renamed, so that a killed build leaves no truncated array.
        handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
        try:
            with os.fdopen(handle, "wb") as out:
                np.save(out, array)
            Path(partial).replace(path)
        finally:
            Path(partial).unlink(missing_ok=True)
        return ""

    def _log_skipped(self, given: int) -> None:
        for skipped in self.skipped:
            _log.warning("skipped %s %s: %s", skipped.source, skipped.name, skipped.reason)
        if self.skipped:
            _log.warning("skipped %d of %d recordings", len(self.skipped), given)


class SoundCache(Cache):
    """Keeps the sound of recordings on disk, at 16 kHz and mono.

    Parameters
    ----------
    recordings : iterable of Recording
        Recordings to keep. Those that cannot be used are skipped, and logged.
    folder : Path
        Folder of all caches.
    """

    def __init__(self, recordings: Iterable[Recording], folder: Path) -> None:
        super().__init__(recordings, folder, ("sound",), decode)

    def samples(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Return the samples of a recording from `first` on, `count` of them or as many as there are.

        Parameters
        ----------
        index : int
            Index into `recordings`.
        first, count : int
            First sample and number of samples; without `count`, up to the end.

        Returns
        -------
        float32 array, shape (samples,)
            Full scale is -1 to 1.
        """
        return self.part(index, first, count).astype(np.float32) / np.float32(FULL_SCALE)

    @property
    def sounds(self) -> Sequence[Array]:
        """Sounds of all recordings, float32, each read when it is indexed: together they may not fit into memory."""
        return _Sounds(self)


class _Sounds(Sequence[Array]):
    """Presents a cache as a sequence of whole recordings."""

    def __init__(self, cache: SoundCache) -> None:
        self._cache = cache

    def __len__(self) -> int:
        return len(self._cache)

    @overload
    def __getitem__(self, index: int) -> Array: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Array]: ...

    def __getitem__(self, index: int | slice) -> Array | Sequence[Array]:
        if isinstance(index, slice):
            return [self._cache.samples(place) for place in range(*index.indices(len(self)))]
        return self._cache.samples(index)


def _map_array(path: Path) -> Array:
    """Map an array from disk.

    It is mapped anew at each access: a mapping holds a file open, and there may be more clips than files allowed open.
    """
    mapped: Array = np.load(path, mmap_mode="r")
    return mapped
