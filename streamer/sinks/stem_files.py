"""Write stems to disk, each opening of the gate into files of its own, on a thread of its own."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soundfile

from streamer.audio.wav import WAV_BYTES
from streamer.config import STEM_ENCODINGS
from streamer.errors import ConfigError, StreamError
from streamer.events import Event, Status, Stem
from streamer.sinks.disk import FULL, is_full
from streamer.sinks.sink import Sink

logger = logging.getLogger(__name__)

_Key: TypeAlias = tuple[str, str]
"""Stream and label of a stem."""

WAITING_S = 10.0
"""Sound of one stem that may wait for a slow disk; beyond it live sound is left out."""
ENDED_S = 1.0
"""A stem that its stream is ahead of by so much has ended: its file is finished."""
FLAC_CHANNELS = 8
"""At most, by its format."""
LOOK_S = 0.1
"""How often who waits for the disk looks whether anything is written still."""


class StemFiles(Sink):
    """Writes ``STREAM-WHEN-LABEL.flac``, WHEN being UTC of the first sample, or seconds in a file.

    A stem that cannot be written is left out and said, and goes on in another file when it begins anew, so that within
    each file nothing is missing. A disk that is slow is waited for: right for sound that can wait too.

    Parameters
    ----------
    folder : Path
        Made if absent.
    form : {"flac", "wav"}

    Attributes
    ----------
    left_out : int
        Pieces of sound that were not written.
    cut_off_samples : int
        Beyond full scale, which FLAC cannot hold: there they are full scale.
    """

    def __init__(self, folder: Path, form: str = "flac") -> None:
        self._folder, self._form = folder, form
        self._queue: queue.SimpleQueue[Stem | Status | None] = queue.SimpleQueue()
        self._waiting_s: defaultdict[_Key, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="stem files", daemon=True)
        self._files: dict[_Key, _StemFile] = {}
        self._told = False
        self.left_out = 0
        self.cut_off_samples = 0

    def open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = self._folder / ".streamer-stems"
            probe.touch()
            probe.unlink()
        except (OSError, ValueError) as error:  # no path has a NUL
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigError(
                f"stems cannot be written into {self._folder} ({reason}); name a folder that may be written to"
            ) from error
        self._thread.start()

    def send(self, event: Event) -> None:
        """Take a stem, once there is room for it."""
        if isinstance(event, Stem) and self._has_room(event):
            with self._lock:
                self._waiting_s[_key(event)] += _seconds(event)
            self._queue.put(event)
        elif isinstance(event, Status):
            self._queue.put(event)

    def waiting_s(self, stream: str, label: str) -> float:
        """Seconds of a stem that are not yet written."""
        with self._lock:
            return self._waiting_s[stream, label]

    def close(self) -> None:
        """Write what waits, and finish all files."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        with self._lock:
            told, self._told = self._told, True
        if not told:
            self._tell()

    @property
    def incomplete(self) -> bool:
        """Whether a stem was not written, or cut short."""
        return self.left_out > 0

    def _leave_out(self) -> None:
        """Count a piece; both threads do."""
        with self._lock:
            self.left_out += 1

    def _tell(self) -> None:
        """Say what is not in the files."""
        if self.left_out:
            logger.warning("%d pieces of stems were left out in %s", self.left_out, self._folder)
        if self.cut_off_samples:
            logger.warning(
                "%d samples of stems in %s are cut off at full scale, beyond which FLAC holds none; write wav instead",
                *(self.cut_off_samples, self._folder),
            )

    def _has_room(self, stem: Stem) -> bool:
        """Wait for room."""
        while self.waiting_s(*_key(stem)) >= WAITING_S and self._thread.is_alive():
            self._thread.join(LOOK_S)
        return self._thread.is_alive()

    def _work(self) -> None:
        while (event := self._queue.get()) is not None:
            if isinstance(event, Status):
                self._finish(event)
                continue
            try:
                self._write(_key(event), event)
            except Exception as error:  # noqa: BLE001 - whatever it is, all else goes on
                self._fail(_key(event), event, error)
            with self._lock:
                self._waiting_s[_key(event)] -= _seconds(event)
        for key in list(self._files):
            self._close(key)

    def _finish(self, status: Status) -> None:
        """Close the files of stems that have ended."""
        for key, file in list(self._files.items()):
            ended = status.epoch != file.epoch or status.stop > file.stop + ENDED_S * status.rate
            if key[0] == status.stream and (ended or status.state != "running"):
                self._close(key)

    def _close(self, key: _Key) -> None:
        file = self._files.pop(key, None)
        if file is None or file.sound is None:
            return
        try:
            file.sound.close()
        except Exception as error:  # noqa: BLE001 - as above
            self._leave_out()
            logger.warning("stem %s of %s is cut short in %s (%s)", key[1], key[0], self._folder, error)
        _remove_if_empty(Path(file.sound.name))

    def _write(self, key: tuple[str, str], stem: Stem) -> None:
        """Append a stem to its file, or begin another one where it does not follow."""
        file = self._files.get(key)
        if file is None or not file.takes(stem, self._form):
            self._close(key)
            self._check_room()
            file = self._files[key] = _begun(stem, self._folder, self._form)
        file.stop = stem.stop
        if file.sound is None:
            self._leave_out()
            return
        if stem.start // stem.rate < stem.stop // stem.rate:  # once a second
            self._check_room()
        file.sound.write(stem.samples)
        if self._form == "flac":
            self.cut_off_samples += int(np.count_nonzero(np.abs(stem.samples) > 1.0))

    def _fail(self, key: tuple[str, str], stem: Stem, error: Exception) -> None:
        """Say it, and pass over the rest of a stem."""
        self._leave_out()
        self._close(key)
        self._files[key] = _StemFile(stem.epoch, stem.stop, None)
        logger.warning(
            "stem %s of %s cannot be written into %s (%s): it is left out there until it begins anew, all else goes on",
            *(
                stem.label,
                stem.stream,
                self._folder,
                f"{FULL}; make room" if is_full(self._folder) else error,
            ),
        )

    def _check_room(self) -> None:
        """While a file can still be finished."""
        if is_full(self._folder):
            raise StreamError(FULL)


@dataclass
class _StemFile:
    """One stem on disk.

    Attributes
    ----------
    epoch, stop : int
        Where what follows must begin.
    sound : SoundFile or None
        None where it could not be written.
    """

    epoch: int
    stop: int
    sound: soundfile.SoundFile | None

    def takes(self, stem: Stem, form: str) -> bool:
        """Whether a stem follows, and there is room for it."""
        follows = (self.epoch, self.stop) == (stem.epoch, stem.start)
        if self.sound is None or form != "wav":
            return follows
        size = (self.sound.frames + len(stem.samples)) * stem.samples.shape[1] * stem.samples.itemsize
        return follows and size < WAV_BYTES


class LiveStemFiles(StemFiles):
    """`StemFiles` for live sound, which cannot wait: while the disk is behind, stems are left out, and said.

    Parameters
    ----------
    folder, form
        As of `StemFiles`.
    """

    def __init__(self, folder: Path, form: str = "flac") -> None:
        super().__init__(folder, form)
        self._behind: set[_Key] = set()

    def _has_room(self, stem: Stem) -> bool:
        """Never wait."""
        key = _key(stem)
        if self.waiting_s(*key) < WAITING_S:
            self._behind.discard(key)
            return True
        self._leave_out()
        if key not in self._behind:
            self._behind.add(key)
            logger.warning(
                "the disk under %s is too slow: stem %s of %s has a hole there, and goes on in a new file",
                *(self._folder, stem.label, stem.stream),
            )
        return False


def _key(stem: Stem) -> _Key:
    return stem.stream, stem.label


def _seconds(stem: Stem) -> float:
    return (stem.stop - stem.start) / stem.rate


def _begun(stem: Stem, folder: Path, form: str) -> _StemFile:
    """A file for a stem that begins."""
    channels = stem.samples.shape[1]
    if form == "flac" and channels > FLAC_CHANNELS:
        raise StreamError(
            f'{channels} channels, and FLAC has {FLAC_CHANNELS} at most: set form = "wav" in [stems]'
        )
    path = _free(folder, f"{stem.stream}-{_when(stem)}-{stem.label}", form)
    try:
        sound = soundfile.SoundFile(path, "x", stem.rate, channels, STEM_ENCODINGS[form], format=form.upper())
    except Exception:
        _remove_if_empty(path)
        raise
    return _StemFile(stem.epoch, stem.start, sound)


def _remove_if_empty(path: Path) -> None:
    """Remove a file into which not even a header was written."""
    if path.is_file() and not path.stat().st_size:
        path.unlink()


def _when(stem: Stem) -> str:
    """Of its first sample: UTC to a millisecond, or seconds since the stream began where that is not known."""
    if stem.time is None:
        return f"{stem.start / stem.rate:010.3f}s"
    began = stem.time - timedelta(seconds=(stem.stop - stem.start) / stem.rate)
    return began.strftime("%Y%m%dT%H%M%S.%f")[:-3] + "Z"


def _free(folder: Path, name: str, form: str) -> Path:
    """A path that is not taken: what was written before is never written over."""
    for number in itertools.count(1):
        path = folder / (f"{name}.{form}" if number == 1 else f"{name}-{number}.{form}")
        if not path.exists():
            return path
    raise AssertionError  # there are numbers enough
