"""Read sound files by libsndfile."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from streamer.arrays import Array
from streamer.audio.sndfile_path import sndfile_path
from streamer.errors import StreamError
from streamer.sources.formats.containers.walk import PcmFormat
from streamer.sources.formats.joints import OGG_HEADER_BYTES, page_end
from streamer.sources.source import Block, Source, format_fault

logger = logging.getLogger(__name__)

DECODE_FRAMES = 16_384
"""Length of the pieces in which a file is decoded, however little is asked for.

Since all decoder calls are alike, the samples do not depend on `max_frames`, whatever a decoder does at the edges of a
call. It also makes short reads several times faster.
"""

SUBTYPES = {
    "PCM_U8": "u8",
    "PCM_S8": "s8",
    "PCM_16": "s16",
    "PCM_24": "s24",
    "PCM_32": "s32",
    "FLOAT": "f32",
    "DOUBLE": "f64",
    "ULAW": "mulaw",
    "ALAW": "alaw",
}
"""Encodings by libsndfile's names, without the order of bytes."""

NO_END_OF_STREAM = ("File ended unexpectedly", "Last page lacks an end-of-stream bit")
"""Messages in libsndfile's log for an Ogg stream whose end is missing."""

LONGEST_PAGE_BYTES = 1 << 16
"""Length that holds the longest page of an Ogg."""

ESTIMATED_SHARE = 0.99
"""Smallest share of the announced length that counts as a whole file: MP3 encoders round it to whole MPEG frames."""


class UnreadableError(StreamError):
    """Raised if libsndfile cannot read a file of this kind, or not all of it. ffmpeg may be able to."""


class DecodingError(StreamError):
    """Raised if libsndfile stops in the middle of a file. ffmpeg may be able to read the rest.

    Parameters
    ----------
    message : str
    announced_frames : int
        Number of frames that the file announces.
    """

    def __init__(self, message: str, announced_frames: int) -> None:
        super().__init__(message)
        self.announced_frames = announced_frames


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
    name : str, optional
        Name of the source in messages; by default it names the path.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self._path = path
        self._name = name or f"file {path}"
        self._file: soundfile.SoundFile | None = None
        self._decoded: Array = np.zeros((0, 1), np.float32)
        self._position = 0
        self._total_s: float | None = None
        self._tags: Mapping[str, str] = {}

    def open(self) -> None:
        try:
            file = _Sequential(sndfile_path(self._path))
        except soundfile.LibsndfileError as error:
            raise UnreadableError(f"{self._name} cannot be read by libsndfile ({_plain(error)})") from error
        try:
            self._check(file)
        except StreamError:
            file.close()
            raise
        self._file = file
        self.rate_hz, self.channels = file.samplerate, file.channels
        self._total_s = file.frames / file.samplerate
        self._tags = file.copy_metadata()

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
    def tags(self) -> Mapping[str, str]:
        return self._tags

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
            raise DecodingError(
                f"{self._name} is damaged or cut short after frame {self._position} of {frames} "
                f"({_plain(error)}); expected a whole file: copy or download it anew",
                frames,
            ) from error
        stop = self._position + len(self._decoded)
        if len(self._decoded) < DECODE_FRAMES or stop >= file.frames:
            self._warn_if_short(file, stop)
            self._close_file()

    def _check(self, file: soundfile.SoundFile) -> None:
        if fault := format_fault(file.samplerate, file.channels):
            raise StreamError(f"{self._name} {fault}")
        if file.frames == 0:
            raise UnreadableError(f"{self._name} holds no sound for libsndfile")

    def _warn_if_short(self, file: soundfile.SoundFile, frames: int) -> None:
        missing = _cut_short(file.extra_info, self._path)
        if frames < ESTIMATED_SHARE * file.frames:
            missing = f"it announces {file.frames} frames"
        if missing:
            logger.warning("%s is cut short (%s): %d frames are read", self._name, missing, frames)


def libsndfile_hears(path: Path, found: PcmFormat, frames: int) -> bool:
    """Return whether libsndfile finds a format and a number of frames in a file of PCM.

    libsndfile 1.2.2 takes floats in a W64 with WAVE_FORMAT_EXTENSIBLE for integers, for example.
    """
    try:
        info = soundfile.info(sndfile_path(path))
    except soundfile.LibsndfileError:
        return False
    is_same = (info.samplerate, info.channels, info.frames) == (found.rate_hz, found.channels, frames)
    return is_same and SUBTYPES.get(info.subtype) == re.sub("[lb]e$", "", found.encoding.name)


def _cut_short(log: str, path: Path) -> str | None:
    """Return what is missing at the end of a file, according to libsndfile's log; None if nothing is.

    libsndfile 1.2.2 misses the end of a Vorbis whose sound lies in a single page, though it is marked.
    """
    lacks_end = any(mark in log for mark in NO_END_OF_STREAM) and not _has_ogg_end(path)
    return "its stream has no end" if lacks_end else None


def _has_ogg_end(path: Path) -> bool:
    """Return whether an Ogg ends with a whole page that is marked as the end of a stream (RFC 3533, 6)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_PAGE_BYTES))
        end = bytearray(file.read())
    last = end.rfind(b"OggS\0")
    is_there = 0 <= last < len(end) - OGG_HEADER_BYTES
    return is_there and end[last + 5] & 4 != 0 and page_end(end, last) <= len(end)


def _plain(error: soundfile.LibsndfileError) -> str:
    """Return the message of an error without its prefix and full stop."""
    return str(error.error_string).removeprefix("Error : ").rstrip(".")
