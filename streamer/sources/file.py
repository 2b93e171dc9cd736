"""Read sound files: by libsndfile what it can read, and by ffmpeg the rest."""

from __future__ import annotations

import logging
import re
import stat
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from streamer.arrays import Array
from streamer.errors import StreamError
from streamer.sources.formats.announced_end import Loss, loss_of
from streamer.sources.formats.container import ContainerSource, FileInput
from streamer.sources.formats.pcm_container import MAGIC_BYTES, is_container, survey
from streamer.sources.media_file import MediaFileSource
from streamer.sources.network.playlist import (
    DEEPEST,
    LARGEST_BYTES,
    entries_of,
    is_address,
    is_html,
    local_path,
    without_entries,
)
from streamer.sources.source import Block, Source, format_fault
from streamer.sources.wrappers.in_turn import InTurn
from streamer.sources.wrappers.mirrors import Mirrors
from streamer.sources.wrappers.wrapper import SourceWrapper

logger = logging.getLogger(__name__)

DECODE_FRAMES = 16_384
"""Length of the pieces in which a file is decoded, however little is asked for.

Since all decoder calls are alike, the samples do not depend on `max_frames`, whatever a decoder does at the edges of a
call. It also makes short reads several times faster.
"""

FAST_SUFFIXES = re.compile(r"\.(aif[cf]?|aiff|au|caf|flac|mp3|og[ag]|rf64|snd|w64|wave?)", re.IGNORECASE)
"""Suffixes of files that libsndfile reads, which open at once; for others ffmpeg is started."""

FAST_BYTES = 1 << 26
"""Largest file that is looked through for the beginning of another one so fast that nothing has to wait."""

NO_END_OF_STREAM = ("File ended unexpectedly", "Last page lacks an end-of-stream bit")
"""Messages in libsndfile's log for an Ogg stream whose end is missing."""

ESTIMATED_SHARE = 0.99
"""Smallest share of the announced length that counts as a whole file: MP3 encoders round it to whole MPEG frames."""


class _UnreadableError(StreamError):
    """libsndfile cannot read this kind of file, or not all of it, but ffmpeg may."""


class _DecodingError(StreamError):
    """libsndfile stopped within a file; ffmpeg may go on.

    Parameters
    ----------
    message : str
    announced_frames : int
        Number of frames that the file announces.
    """

    def __init__(self, message: str, announced_frames: int) -> None:
        super().__init__(message)
        self.announced_frames = announced_frames


class FileSource(SourceWrapper):
    """A sound file, or the sound of a video, read as fast as it is asked for.

    Parameters
    ----------
    path : Path
        A file that libsndfile reads (WAV, FLAC, Ogg, ...) or that ffmpeg reads, or a playlist.
    depth : int
        Number of playlists that led to this file.
    """

    def __init__(self, path: Path, depth: int = 0) -> None:
        super().__init__(SoundFileSource(path))
        self._depth = depth
        self._media = MediaFileSource(path)
        self._path = path
        self._position = 0
        self._announced = 0
        self._has_total = True

    @property
    def opens_slowly(self) -> bool:
        return FAST_SUFFIXES.fullmatch(self._path.suffix) is None or _bytes_of(self._path) > FAST_BYTES

    def give_up_opening(self) -> None:
        self._media.give_up_opening()

    def open(self) -> None:
        check_file(self._path)
        if loss := loss_of(self._path):
            self._open_by_ffmpeg(loss)
            return
        if container := _odd_container(self._path):
            try:
                self._inner = container
                super().open()
            except StreamError:
                if container.opens_slowly:  # ffmpeg cannot read it, but perhaps libsndfile can
                    self._inner = SoundFileSource(self._path)
                else:
                    raise
            else:
                return
        if (entries := entries_of(head := _head(self._path), self._path.name)) is not None:
            self._open_entries(entries)
            return
        try:
            super().open()
        except _UnreadableError as unreadable:
            self._inner = self._media
            try:
                super().open()
            except StreamError as error:
                page = "; it is a page of HTML, not sound" if is_html(head) else ""
                raise StreamError(f"{unreadable}; {error}{page}") from error

    def _open_entries(self, entries: list[str]) -> None:
        """Open what a playlist lists: files are read in turn, addresses are mirrors of one stream."""
        if not entries:
            raise without_entries(f"file {self._path}")
        if self._depth == DEEPEST:
            raise StreamError(
                f"file {self._path} is the {DEEPEST + 1}th playlist in a row; expected sound in it"
            )
        files = [local_path(entry, self._path) for entry in entries if not is_address(entry)]
        if files:
            self._inner = InTurn([partial(_Entry, path, self._depth + 1) for path in files])
            self._has_total = False
            super().open()
            return
        from streamer.sources.network.url import (
            UrlSource,  # needs threads and sockets, which files do without
        )

        self._inner = Mirrors(
            f"file {self._path}", [partial(UrlSource, url, self._depth + 1) for url in entries]
        )
        super().open()

    def _open_by_ffmpeg(self, loss: Loss) -> None:
        logger.debug("file %s %s; ffmpeg reads it", self._path, loss.reason)
        self._inner = self._media
        if loss.begins:
            ends = (*loss.begins[1:], _bytes_of(self._path))
            spans = zip(loss.begins, ends, strict=True)
            self._inner = InTurn([partial(MediaFileSource, self._path, span) for span in spans])
        self._has_total = not loss.is_joined
        self._announced = loss.announced_frames
        super().open()

    @property
    def total_s(self) -> float | None:
        return super().total_s if self._has_total else None

    def read(self, max_frames: int) -> Block | None:
        try:
            block = super().read(max_frames)
        except _DecodingError as error:
            logger.debug("%s; ffmpeg goes on", error)
            self._announced = error.announced_frames
            self._inner = _Rest(self._media, self._position)
            self._inner.open()
            return None
        if block is not None:
            self._position = block.stop
        elif self.ended and self._position < self._announced:
            logger.warning(
                "file %s is cut short (it announces %d frames): %d frames are read",
                self._path,
                self._announced,
                self._position,
            )
            self._announced = 0
        return block


class _Entry(SourceWrapper):
    """A file of a playlist.

    Parameters
    ----------
    path : Path
    depth : int
        Number of playlists that led to it.
    shape : tuple of int or None
        Rate and number of channels to which its sound is converted; None leaves it its own.
    """

    def __init__(self, path: Path, depth: int, shape: tuple[int, int] | None) -> None:
        super().__init__(FileSource(path, depth))
        self._path = path
        self._shape = shape

    def open(self) -> None:
        super().open()
        if self._shape not in (None, (self.rate_hz, self.channels)):
            self._inner.close()
            self._inner = MediaFileSource(self._path, shape=self._shape)
            super().open()


class _Rest(SourceWrapper):
    """The sound of a source from a frame on, with the indices that it has there.

    Parameters
    ----------
    inner : Source
    begin : int
        Index of the first frame.
    """

    def __init__(self, inner: Source, begin: int) -> None:
        super().__init__(inner)
        self._begin = begin

    def read(self, max_frames: int) -> Block | None:
        block = super().read(max_frames)
        if block is None or block.stop <= self._begin:
            return None
        passed = max(0, self._begin - block.start)
        return Block(block.start + passed, block.samples[passed:], block.captured_at)


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
        self._total_s = file.frames / file.samplerate

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
            raise _DecodingError(
                f"file {self._path} is damaged or cut short after frame {self._position} of {frames} "
                f"({_plain(error)}); expected a whole file: copy or download it anew",
                frames,
            ) from error
        stop = self._position + len(self._decoded)
        if len(self._decoded) < DECODE_FRAMES or stop >= file.frames:
            self._warn_if_short(file, stop)
            self._close_file()

    def _check(self, file: soundfile.SoundFile) -> None:
        if fault := format_fault(file.samplerate, file.channels):
            raise StreamError(f"file {self._path} {fault}")
        if file.frames == 0:
            raise _UnreadableError(f"file {self._path} holds no sound for libsndfile")

    def _warn_if_short(self, file: soundfile.SoundFile, frames: int) -> None:
        missing = _cut_short(file.extra_info)
        if frames < ESTIMATED_SHARE * file.frames:
            missing = f"it announces {file.frames} frames"
        if missing:
            logger.warning("file %s is cut short (%s): %d frames are read", self._path, missing, frames)


def check_file(path: Path) -> None:
    """Raise an error unless a path is a regular file that is not empty.

    Raises
    ------
    StreamError
        If the path is absent, not readable, empty, a directory, a device or a pipe.
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


def _odd_container(path: Path) -> Source | None:
    """Return the source for a container that libsndfile would not read to its end or alike; None for other files.

    Raises
    ------
    StreamError
        If it holds no sound.
    """
    with path.open("rb") as file:
        magic = file.read(MAGIC_BYTES)
    if not is_container(magic):
        return None
    walk, spans = survey(path)
    if walk.format is None:
        return MediaFileSource(path)
    if not spans:
        raise StreamError(
            f"file {path} holds no sound (0 frames); expected at least 1 frame: record or download it anew"
        )
    frames = sum(length for _, length in spans) // walk.format.frame_bytes
    if len(spans) == 1 and not walk.went_on and not walk.missing_bytes and _libsndfile_frames(path) == frames:
        return None
    return ContainerSource(FileInput(path), frames)


def _libsndfile_frames(path: Path) -> int | None:
    """Return the number of frames that libsndfile finds in a file; None if it cannot read it."""
    try:
        return int(soundfile.info(str(path)).frames)
    except soundfile.LibsndfileError:
        return None


def _head(path: Path) -> bytes:
    """Return the beginning of a file, which is all of it if it is a playlist."""
    with path.open("rb") as file:
        return file.read(LARGEST_BYTES)


def _bytes_of(path: Path) -> int:
    """Return the size of a file; 0 if there is none."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def _cut_short(log: str) -> str | None:
    """Return what is missing at the end of a file, according to libsndfile's log; None if nothing is."""
    return "its stream has no end" if any(mark in log for mark in NO_END_OF_STREAM) else None


def _plain(error: soundfile.LibsndfileError) -> str:
    """Return the message of an error without its prefix and full stop."""
    return str(error.error_string).removeprefix("Error : ").rstrip(".")
