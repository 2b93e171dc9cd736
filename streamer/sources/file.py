"""Read sound files: by libsndfile what it can read, and by ffmpeg the rest."""

from __future__ import annotations

import logging
import re
import stat
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from streamer.errors import StreamError, reason_of
from streamer.sources.formats.announced_end import Loss, loss_of
from streamer.sources.formats.announced_frames import announced_frames, shortness
from streamer.sources.formats.container import ContainerSource
from streamer.sources.formats.containers.kind import container_kind
from streamer.sources.formats.containers.survey import survey
from streamer.sources.formats.libsndfile_kind import libsndfile_kind
from streamer.sources.formats.riff_tags import riff_tags
from streamer.sources.formats.trimmed_end import TrimmedEnd
from streamer.sources.libsndfile import DecodingError, SoundFileSource, UnreadableError, libsndfile_hears
from streamer.sources.media_file import MediaFileSource, media_parts
from streamer.sources.network.playlist import (
    DEEPEST,
    LARGEST_BYTES,
    entries_of,
    is_address,
    is_html,
    local_path,
    without_entries,
)
from streamer.sources.pipes.byte_input import FileInput
from streamer.sources.source import Block, Source
from streamer.sources.wrappers.converted import Shaped
from streamer.sources.wrappers.in_turn import InTurn, Shape
from streamer.sources.wrappers.mirrors import Mirrors
from streamer.sources.wrappers.rest import Rest
from streamer.sources.wrappers.wrapper import SourceWrapper

logger = logging.getLogger(__name__)

FAST_SUFFIXES = re.compile(r"\.(aif[cf]?|aiff|au|caf|flac|mp3|og[ag]|rf64|snd|w64|wave?)", re.IGNORECASE)
"""Suffixes of files that libsndfile reads, which open at once; for others ffmpeg is started."""

FAST_BYTES = 1 << 26
"""Largest file that is looked through for the beginning of another one so fast that nothing has to wait."""


class FileSource(SourceWrapper):
    """A sound file, or the sound of a video, read as fast as it is asked for.

    Parameters
    ----------
    path : Path
        A file that libsndfile reads (WAV, FLAC, Ogg, ...) or that ffmpeg reads, or a playlist.
    depth : int
        Number of playlists that led to this file.
    track : int or str
        Number or language of the sound track that is heard; empty for the first.
    """

    def __init__(self, path: Path, depth: int = 0, track: int | str = "") -> None:
        super().__init__(SoundFileSource(path))
        self._depth = depth
        self._media = MediaFileSource(path)
        self._media.track = self._track = "" if str(track) == "1" else track
        self._path = path
        self._position = 0
        self._announced = 0
        self._has_total = True

    @property
    def opens_slowly(self) -> bool:
        return (
            bool(self._track)
            or FAST_SUFFIXES.fullmatch(self._path.suffix) is None
            or _bytes_of(self._path) > FAST_BYTES
        )

    def give_up_opening(self) -> None:
        self._media.give_up_opening()

    def open(self) -> None:
        check_file(self._path)
        head = _head(self._path)
        if (entries := entries_of(head, self._path.name)) is not None:
            self._open_entries(entries)
        elif loss := loss_of(self._path):
            self._open_by_ffmpeg(loss, head)
        elif self._track:
            self._open_by_ffmpeg(Loss("has a sound track that libsndfile does not know"), head)
        elif not self._open_container(head):
            self._open_by_libsndfile(head)

    def _open_container(self, head: bytes) -> bool:
        """Open a container of PCM whose header is wrong, or of another encoding; return whether it is one."""
        container = _odd_container(self._path, head)
        if container is None:
            return False
        self._inner = container
        try:
            super().open()
        except StreamError:
            if not container.opens_slowly:
                raise
            self._inner = SoundFileSource(self._path)  # ffmpeg cannot read it, but perhaps libsndfile can
            return False
        return True

    def _open_by_libsndfile(self, head: bytes) -> None:
        """Open what libsndfile reads, and the rest by ffmpeg."""
        try:
            super().open()
        except UnreadableError as unreadable:
            try:
                self._open_by_ffmpeg(Loss("is none that libsndfile reads"), head)
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
            self._inner = InTurn([partial(_entry, path, self._depth + 1, self._track) for path in files])
            self._has_total = False
            super().open()
            return
        from streamer.sources.network.url import (
            UrlSource,  # needs threads and sockets, which files do without
        )

        self._inner = Mirrors(
            f"file {self._path}", [partial(UrlSource, url, self._depth + 1, self._track) for url in entries]
        )
        super().open()

    def _open_by_ffmpeg(self, loss: Loss, head: bytes) -> None:
        logger.debug("file %s %s; ffmpeg reads it", self._path, loss.reason)
        self._inner = self._media
        if loss.begins:
            self._inner = media_parts(self._path, loss.begins, self._track, end=loss.end)
        self._has_total = not loss.is_joined
        self._announced = loss.announced_frames or (0 if loss.is_joined else announced_frames(head) or 0)
        super().open()
        if loss.mp3_frames:
            self._inner = TrimmedEnd(self._inner, loss.mp3_frames)

    @property
    def total_s(self) -> float | None:
        return super().total_s if self._has_total else None

    @property
    def tags(self) -> Mapping[str, str]:
        return {**super().tags, **riff_tags(self._path)}

    def read(self, max_frames: int) -> Block | None:
        try:
            block = super().read(max_frames)
        except DecodingError as error:
            logger.debug("%s; ffmpeg goes on", error)
            self._announced = error.announced_frames
            self._inner = Rest(self._media, self._position)
            self._inner.open()
            return None
        if block is not None:
            self._position = block.stop
        elif self.ended and (short := shortness(f"file {self._path}", self._announced, self._position)):
            logger.warning(short)
            self._announced = 0
        return block


def _entry(path: Path, depth: int, track: int | str, shape: Shape) -> Source:
    """Return the source of a file of a playlist, whose parameters are those of `FileSource` and `Shaped`."""
    return Shaped(FileSource(path, depth, track), shape)


def check_file(path: Path) -> None:
    """Raise an error unless a path leads to a regular file, or by a link to one, that is readable and not empty.

    It is called before a file is opened as sound; whether there is sound in it is not looked at.

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
        raise StreamError(f"file {str(path)!r} cannot be opened ({reason_of(error)}); {way_out}") from error
    if empty:
        raise StreamError(f"file {path} is empty (0 bytes); expected sound: record or download it anew")


def _odd_container(path: Path, head: bytes) -> Source | None:
    """Return the source for a container that libsndfile would not read to its end or alike; None for other files.

    Raises
    ------
    StreamError
        If it holds no sound.
    """
    if container_kind(head) is None or libsndfile_kind(head):
        return None
    walk, spans = survey(path)
    if walk.format is None:
        return MediaFileSource(path)
    if not spans:
        raise StreamError(
            f"file {path} holds no sound (0 frames); expected at least 1 frame: record or download it anew"
        )
    frames = sum(length for _, length in spans) // walk.format.frame_bytes
    is_plain = len(spans) == 1 and not walk.went_on and not walk.missing_bytes
    if is_plain and libsndfile_hears(path, walk.format, frames):
        return None
    return ContainerSource(FileInput(path), frames)


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
