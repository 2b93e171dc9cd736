"""Write stems to disk, each opening of the gate into files of its own, on a thread of its own."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import soundfile

from streamer.errors import ConfigError
from streamer.events import Event, Stem
from streamer.sinks.sink import Sink

logger = logging.getLogger(__name__)

FORMATS = {"flac": "PCM_24", "wav": "FLOAT"}
"""File name extension, and how samples are encoded. FLAC has no floats: what is beyond full scale is cut off there."""
WAITING_S = 10.0
"""Sound that may wait for a slow disk; beyond it sound is left out."""
PIECE_S = 0.005
"""Shortest stem there is, about: bounds the queue."""


class StemFiles(Sink):
    """Writes ``STREAM-WHEN-LABEL.flac``, WHEN being UTC of the first sample, or seconds in a file.

    A disk that is full or slow holds nothing up: what cannot be written is left out and said, and the stem goes on in
    another file, so that within each file nothing is missing.

    Parameters
    ----------
    folder : Path
        Made if absent.
    form : {"flac", "wav"}
    """

    def __init__(self, folder: Path, form: str = "flac") -> None:
        self._folder, self._form = folder, form
        self._queue: queue.Queue[Stem | None] = queue.Queue(round(WAITING_S / PIECE_S))
        self._thread = threading.Thread(target=self._work, name="stem files", daemon=True)
        self._files: dict[tuple[str, str], _StemFile] = {}
        self._said_slow = False
        self.left_out = 0
        """Pieces of sound that were not written."""

    def open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = self._folder / ".streamer-stems"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigError(
                f"stems cannot be written into {self._folder} ({error.strerror}); name a folder that may be written to"
            ) from error
        self._thread.start()

    def send(self, event: Event) -> None:
        """Take a stem; of live sound, without waiting: what is read as fast as possible has time."""
        if not isinstance(event, Stem):
            return
        if event.time is None:
            self._queue.put(event)
            return
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.left_out += 1
            if not self._said_slow:
                self._said_slow = True
                logger.warning(
                    "the disk under %s is too slow: stems have holes, and go on in new files", self._folder
                )

    @property
    def waiting(self) -> int:
        """Pieces of sound that are not yet written, about."""
        return self._queue.qsize()

    def close(self) -> None:
        """Write what waits, and finish all files."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (stem := self._queue.get()) is not None:
            key = stem.stream, stem.label
            try:
                self._write(key, stem)
            except (OSError, soundfile.LibsndfileError) as error:
                self._fail(key, stem, error)
        for file in self._files.values():
            file.close()

    def _write(self, key: tuple[str, str], stem: Stem) -> None:
        """Append a stem to its file, or begin another one where it does not follow."""
        file = self._files.get(key)
        if file is None or (file.epoch, file.stop) != (stem.epoch, stem.start):
            if file is not None:
                file.close()
            file = self._files[key] = _begun(stem, self._folder, self._form)
        file.stop = stem.stop
        if file.sound is None:
            self.left_out += 1
        else:
            file.sound.write(stem.samples)

    def _fail(self, key: tuple[str, str], stem: Stem, error: Exception) -> None:
        """Say it, and pass over the rest of a stem."""
        self.left_out += 1
        if file := self._files.get(key):
            with suppress(OSError, soundfile.LibsndfileError):
                file.close()
        self._files[key] = _StemFile(stem.epoch, stem.stop, None)
        logger.warning(
            "stem %s of %s cannot be written into %s (%s): it is left out there until it begins anew, all else goes "
            "on; make room",
            *(stem.label, stem.stream, self._folder, error),
        )


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

    def close(self) -> None:
        if self.sound is not None:
            self.sound.close()
            self.sound = None


def _begun(stem: Stem, folder: Path, form: str) -> _StemFile:
    """A file for a stem that begins."""
    path = _free(folder, f"{stem.stream}-{_when(stem)}-{stem.label}", form)
    channels = stem.samples.shape[1]
    sound = soundfile.SoundFile(path, "x", stem.rate, channels, FORMATS[form], format=form.upper())
    return _StemFile(stem.epoch, stem.start, sound)


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
