"""Write stems to disk, each opening of the gate into files of its own, on a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from streamer.config import Config
from streamer.errors import ConfigError
from streamer.events.kinds import Event, Status, Stem
from streamer.sinks.sink import Sink
from streamer.sinks.stem_writer import StemWriter, reason_for

logger = logging.getLogger(__name__)

_Key: TypeAlias = tuple[str, str]
"""Stream and label of a stem."""

WAITING_S = 10.0
"""Most sound of one stem that may wait for a slow disk; live sound beyond it is left out."""
ENDED_S = 1.0
"""A stem has ended once its stream is this far ahead of it; its file is finished then."""
LOOK_S = 0.1
"""Interval at which a thread that waits for the disk checks that the writing thread is alive."""


@dataclass
class _FailedStem:
    """A stem that cannot be written: its pieces are left out as long as they follow one another."""

    epoch: int
    stop: int


class StemFiles(Sink):
    """Writes stems into files ``STREAM-TIME-LABEL.flac``; TIME is UTC of the first sample, or its second in the stream.

    If a stem cannot be written, the rest of it is left out and reported. The stem is written again, into another file,
    from where it next begins, so that nothing is missing within a file. `send` waits for a slow disk, which is right
    if the sound can wait.

    Parameters
    ----------
    folder : Path
        Folder of the files, made if absent.
    form : {"flac", "wav"}

    Attributes
    ----------
    left_out : int
        Number of pieces that were not written.
    cut_off_samples : int
        Number of samples beyond full scale, which FLAC clips.
    """

    def __init__(self, folder: Path, form: str = "flac") -> None:
        self._folder, self._form = folder, form
        self._queue: queue.SimpleQueue[Stem | Status | None] = queue.SimpleQueue()
        self._waiting_s: defaultdict[_Key, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="stem files", daemon=True)
        self._stems: dict[_Key, StemWriter | _FailedStem] = {}
        self._reported = False
        self.left_out = 0
        self.cut_off_samples = 0

    def open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = self._folder / ".streamer-stems"
            probe.touch()
            probe.unlink()
        except (OSError, ValueError) as error:  # ValueError: the path has a NUL
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigError(
                f"stems cannot be written into {self._folder} ({reason}); name a folder that may be written to"
            ) from error
        self._thread.start()

    def send(self, event: Event) -> None:
        """Add a piece of a stem to those that are to be written; wait for room. No other event is written."""
        if isinstance(event, Stem) and self._has_room(event):
            with self._lock:
                self._waiting_s[_key(event)] += _seconds(event)
            self._queue.put(event)
        elif isinstance(event, Status):
            self._queue.put(event)

    def waiting_s(self, stream: str, label: str) -> float:
        """Return the seconds of a stem that are not written yet."""
        with self._lock:
            return self._waiting_s[stream, label]

    def wants(self, kind: str) -> bool:
        return kind == "stem"

    def close(self) -> None:
        """Write the pieces that wait, and finish all files."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        with self._lock:
            reported, self._reported = self._reported, True
        if not reported:
            self._report()

    @property
    def incomplete(self) -> bool:
        """Whether a piece of a stem was not written, or a file was cut short."""
        return self.left_out > 0

    def _leave_out(self) -> None:
        """Count a piece that is left out; both threads do."""
        with self._lock:
            self.left_out += 1

    def _report(self) -> None:
        """Log what the files lack."""
        if self.left_out:
            logger.warning("%d pieces of stems were left out in %s", self.left_out, self._folder)
        if self.cut_off_samples:
            logger.warning(
                "%d samples of stems in %s are cut off at full scale, beyond which FLAC holds none; write wav instead",
                *(self.cut_off_samples, self._folder),
            )

    def _has_room(self, stem: Stem) -> bool:
        """Wait until the stem has room to wait in; return whether there is."""
        while self.waiting_s(*_key(stem)) >= WAITING_S and self._thread.is_alive():
            self._thread.join(LOOK_S)
        return self._thread.is_alive()

    def _work(self) -> None:
        while (event := self._queue.get()) is not None:
            if isinstance(event, Status):
                self._finish_ended(event)
                continue
            try:
                self._write(event)
            except Exception as error:  # noqa: BLE001 - whatever it is, all else goes on
                self._fail(event, error)
            with self._lock:
                self._waiting_s[_key(event)] -= _seconds(event)
        for key in list(self._stems):
            self._close(key)

    def _finish_ended(self, status: Status) -> None:
        """Close the files of stems that have ended by the time of a status."""
        for key, stem in list(self._stems.items()):
            ended = status.epoch != stem.epoch or status.stop > stem.stop + ENDED_S * status.rate
            if key[0] == status.stream and (ended or status.state != "running"):
                self._close(key)

    def _write(self, piece: Stem) -> None:
        """Append a piece to its file, or begin another file where it does not follow."""
        key = _key(piece)
        stem = self._stems.get(key)
        follows = stem is not None and (stem.epoch, stem.stop) == (piece.epoch, piece.start)
        if isinstance(stem, _FailedStem) and follows:
            stem.stop = piece.stop
            self._leave_out()
            return
        if not isinstance(stem, StemWriter) or not follows or not stem.has_room_for(piece):
            self._close(key)
            stem = self._stems[key] = StemWriter(piece, self._folder, self._form)
        stem.write(piece)

    def _close(self, key: _Key) -> None:
        stem = self._stems.pop(key, None)
        if not isinstance(stem, StemWriter):
            return
        self.cut_off_samples += stem.clipped_samples
        try:
            stem.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, all else goes on
            self._leave_out()
            logger.warning("stem %s of %s is cut short in %s (%s)", key[1], key[0], self._folder, error)

    def _fail(self, piece: Stem, error: Exception) -> None:
        """Report that a stem cannot be written, and leave out the rest of it."""
        self._leave_out()
        self._close(_key(piece))
        self._stems[_key(piece)] = _FailedStem(piece.epoch, piece.stop)
        logger.warning(
            "stem %s of %s cannot be written into %s (%s): it is left out there until it begins anew, all else goes on",
            *(
                piece.label,
                piece.stream,
                self._folder,
                reason_for(error, self._folder),
            ),
        )


class LiveStemFiles(StemFiles):
    """`StemFiles` for live sound, which cannot wait: pieces are left out and reported while the disk is behind.

    Parameters
    ----------
    folder, form
        As in `StemFiles`.
    """

    def __init__(self, folder: Path, form: str = "flac") -> None:
        super().__init__(folder, form)
        self._behind: set[_Key] = set()

    def _has_room(self, stem: Stem) -> bool:
        """Return whether the stem has room to wait in, without waiting for it."""
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


def stem_files_for(config: Config, realtime: bool) -> StemFiles | None:
    """Return the sink that writes a stream's stems; None if the configuration writes none."""
    if not config.stems.to:
        return None
    files = LiveStemFiles if realtime else StemFiles
    return files(Path(config.stems.to), config.stems.form)


def _key(stem: Stem) -> _Key:
    return stem.stream, stem.label


def _seconds(stem: Stem) -> float:
    return (stem.stop - stem.start) / stem.rate
