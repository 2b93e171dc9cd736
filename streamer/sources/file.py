"""Read sound files: by libsndfile what it can read, and by ffmpeg the rest."""

from __future__ import annotations

import logging
import re
import stat
from pathlib import Path

import numpy as np
import soundfile

from streamer.arrays import Array
from streamer.errors import StreamError
from streamer.sources.media_file import MediaFileSource
from streamer.sources.source import Block, Source, format_fault
from streamer.sources.wrapper import SourceWrapper

logger = logging.getLogger(__name__)

DECODE_FRAMES = 16_384
"""Length of the pieces in which a file is decoded, however little is asked for.

Since all decoder calls are alike, the samples do not depend on `max_frames`, whatever a decoder does at the edges of a
call. It also makes short reads several times faster.
"""

FAST_SUFFIXES = re.compile(r"\.(aiff?|au|caf|flac|mp3|og[ag]|opus|rf64|w64|wave?)", re.IGNORECASE)
"""Suffixes of files that libsndfile reads, which open at once; for others ffmpeg is started."""

UNKNOWN_LENGTH = 0xFFFFFFFF
"""Length of the data in the header of a WAV that a program wrote into a pipe."""

UNKNOWN_FRAMES = 2**63 - 1
"""libsndfile's number of frames for a FLAC that a program wrote into a pipe: its header leaves the number open."""

NO_END_OF_STREAM = ("File ended unexpectedly", "Last page lacks an end-of-stream bit")
"""Messages in libsndfile's log for an Ogg stream whose end is missing."""

ESTIMATED_SHARE = 0.99
"""Smallest share of the announced length that counts as a whole file: MP3 encoders round it to whole MPEG frames."""


class _UnreadableError(StreamError):
    """libsndfile cannot read this kind of file, but ffmpeg may."""


class FileSource(SourceWrapper):
    """A sound file, or the sound of a video, read as fast as it is asked for.

    Parameters
    ----------
    path : Path
        A file that libsndfile reads (WAV, FLAC, Ogg, ...) or that ffmpeg reads.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(SoundFileSource(path))
        self._media = MediaFileSource(path)
        self._path = path

    @property
    def opens_slowly(self) -> bool:
        return FAST_SUFFIXES.fullmatch(self._path.suffix) is None

    def give_up_opening(self) -> None:
        self._media.give_up_opening()

    def open(self) -> None:
        try:
            super().open()
        except _UnreadableError as unreadable:
            self._inner = self._media
            try:
                super().open()
            except StreamError as error:
                raise StreamError(f"{unreadable}; {error}") from error


class _Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is only read forwards.

    After every read of a seekable file, soundfile seeks to the position that it has already reached. This makes
    mpg123 forget the bits that an MP3 frame borrows from earlier frames: at low bit rates the sound comes out wrong.
    """

    def seekable(self) -> bool:
        return False


class SoundFileSource(Source):
    """A sound file that libsndfile reads.

    Parameters
    ----------
    path : Path
        A regular file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: soundfile.SoundFile | None = None
        self._decoded: Array = np.zeros((0, 1), np.float32)
        self._position = 0
        self._total_s: float | None = None

    def open(self) -> None:
        check_file(self._path)
        try:
            file = _Sequential(str(self._path))
        except soundfile.LibsndfileError as error:
            raise _UnreadableError(
                f"file {self._path} cannot be read by libsndfile ({_plain(error)})"
            ) from error
        try:
            self._check(file)
        except StreamError:
            file.close()
            raise
        self._file = file
        self.rate_hz, self.channels = file.samplerate, file.channels
        self._total_s = None if file.frames == UNKNOWN_FRAMES else file.frames / file.samplerate

    def read(self, max_frames: int) -> Block | None:
        if self._file is not None and not len(self._decoded):
            self._decode(self._file)
        if not len(self._decoded):
            return None
        samples, self._decoded = np.split(self._decoded, [max_frames])
        block = Block(self._position, samples, captured_at=None)
        self._position = block.stop
        return block

    def backlog_frames(self) -> int:
        return 0

    def skip(self, frames: int) -> int:  # noqa: ARG002 - no sound waits in a file that is read on demand
        return 0

    @property
    def total_s(self) -> float | None:
        """Length of the sound in seconds according to the file's header; None if it is unknown, or before `open`."""
        return self._total_s

    @property
    def ended(self) -> bool:
        return self._file is None and not len(self._decoded)

    def close(self) -> None:
        self._decoded = self._decoded[:0]
        self._close_file()

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _decode(self, file: soundfile.SoundFile) -> None:
        """Decode the next frames; close the file after the last of them."""
        try:
            self._decoded = file.read(DECODE_FRAMES, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            frames = file.frames
            self.close()
            raise StreamError(
                f"file {self._path} is damaged or cut short after frame {self._position} of {frames} "
                f"({_plain(error)}); expected a whole file: copy or download it anew"
            ) from error
        stop = self._position + len(self._decoded)
        if len(self._decoded) < DECODE_FRAMES or stop >= file.frames:
            self._warn_if_short(file, stop)
            self._close_file()

    def _check(self, file: soundfile.SoundFile) -> None:
        if fault := format_fault(file.samplerate, file.channels):
            raise StreamError(f"file {self._path} {fault}")
        if file.format == "MP3" and not _announces_length(self._path):
            raise _UnreadableError(f"file {self._path} is an MP3 of a length unknown to libsndfile")
        if file.frames == 0:
            raise StreamError(
                f"file {self._path} holds no sound (0 frames of {file.format}); expected at least 1 frame: "
                "record or download it anew"
            )

    def _warn_if_short(self, file: soundfile.SoundFile, frames: int) -> None:
        missing = _cut_short(file.extra_info)
        if frames < ESTIMATED_SHARE * file.frames and file.frames != UNKNOWN_FRAMES:
            missing = f"it announces {file.frames} frames"
        if missing:
            logger.warning("file %s is cut short (%s): %d frames are read", self._path, missing, frames)


def check_file(path: Path) -> None:
    """Check that a path is a regular file that is not empty.

    Raises
    ------
    StreamError
        If it is absent, not readable, empty, a directory, a device or a pipe.
    """
    way_out = "expected a sound file that may be read: check the path and its permissions"
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
            raise StreamError(f"file {path} cannot be opened (it is {kind}); {way_out}")
        with path.open("rb") as file:
            empty = not file.read(1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StreamError(f"file {str(path)!r} cannot be opened ({reason}); {way_out}") from error
    if empty:
        raise StreamError(f"file {path} is empty (0 bytes); expected sound: record or download it anew")


def _cut_short(log: str) -> str | None:
    """Return what is missing at the end of a file, according to libsndfile's log; None if nothing is."""
    if any(mark in log for mark in NO_END_OF_STREAM):
        return "its stream has no end"
    for announced, held in re.findall(r"(?:data|SSND|Data Size) *: (\d+) \(should be (\d+)\)", log):
        if int(held) < int(announced) != UNKNOWN_LENGTH:
            return f"it announces {announced} bytes of sound and holds {held}"
    return None


def _announces_length(path: Path) -> bool:
    """Return whether an MP3 begins with a count of its frames.

    Without one, libsndfile estimates the length from the first frame and reads no further than that: of a file
    with a variable bit rate, half can be lost.
    """
    with path.open("rb") as file:
        tag = file.read(10)  # ID3v2: "ID3", version, flags, length of 4 times 7 bits
        length = sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=False))
        file.seek(10 + length if tag.startswith(b"ID3") else 0)
        first_frame = file.read(2_048)
    return any(mark in first_frame for mark in (b"Xing", b"Info", b"VBRI"))


def _plain(error: soundfile.LibsndfileError) -> str:
    """Return the message of an error without its prefix and full stop."""
    return str(error.error_string).removeprefix("Error : ").rstrip(".")
