"""Read standard input or a named pipe: raw PCM, or a sound file."""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from math import inf
from pathlib import Path

from streamer.config_sections import PcmConfig
from streamer.errors import EndedError, StreamError
from streamer.sources.byte_streams.sound_of_bytes import kind_of_bytes, sound_of_bytes
from streamer.sources.file import FileSource
from streamer.sources.formats.containers.kind import MAGIC_BYTES
from streamer.sources.formats.mpeg_begin import FIRST_FRAME_BYTES
from streamer.sources.formats.sound_file_kind import HEAD_BYTES, may_be_long, sound_file_kind
from streamer.sources.media_file import STANDARD_INPUT
from streamer.sources.pcm import PcmSource
from streamer.sources.pipes.byte_input import DescriptorInput
from streamer.sources.pipes.pipe import PipeReader
from streamer.sources.source import OPEN_POLL_S, Block, Source, given_up
from streamer.sources.wrappers.wrapper import SourceWrapper

HEAD_WAIT_S = 0.3
"""Longest wait, after the first bytes, for those that tell MPEG sound that begins within a frame from raw PCM."""

RAW = "s16le"
"""Encoding of raw PCM of which nothing was said."""


class PipedSource(SourceWrapper):
    """Standard input or a named pipe, whose first bytes decide what it is unless a format was given.

    Parameters
    ----------
    path : Path or None
        The named pipe; None is standard input.
    pcm : PcmConfig
        Format of raw PCM. If it is the default, a sound file may come as well.
    """

    opens_slowly = True

    def __init__(self, path: Path | None, pcm: PcmConfig) -> None:
        self._path = path
        self._pcm = pcm
        self._name = "standard input" if path is None else f"pipe {path}"
        self._given_up = threading.Event()
        self._descriptor = 0 if path is None else -1
        super().__init__(self._raw(b""))

    def give_up_opening(self) -> None:
        self._given_up.set()
        super().give_up_opening()

    def open(self) -> None:
        if self._path is not None:
            # Without O_NONBLOCK, this would wait for a writer.
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        self._inner = self._raw(b"")
        super().open()
        if self._pcm != PcmConfig():
            self._judge_pace()
            return
        head = self._head()
        if kind_of_bytes(head) is None:
            self._inner = self._raw(head)
        elif self._path is None and sys.platform == "linux" and _is_file(self._descriptor, len(head)):
            self._inner = FileSource(STANDARD_INPUT)
        else:
            self._inner = sound_of_bytes(DescriptorInput(self._name, self._descriptor, head), head)
        super().open()
        self._judge_pace()

    @property
    def is_live(self) -> bool:
        """Whether this is a named pipe that is filled as the sound happens, which another writer may fill again."""
        return self._path is not None and isinstance(self._inner, PcmSource) and self._inner.is_timed

    def read(self, max_frames: int) -> Block | None:
        block = super().read(max_frames)
        if block is None and self._inner.ended and self.is_live:
            raise EndedError(
                f"{self._name} ended: its writer closed it; expected a live writer, which goes on: start it again"
            )
        return block

    def close(self) -> None:
        super().close()
        if self._path is not None and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _judge_pace(self) -> None:
        if isinstance(self._inner, PcmSource):
            self._inner.judge_pace()

    def _raw(self, head: bytes) -> Source:
        pcm = self._pcm
        encoding = RAW if pcm.encoding == "auto" else pcm.encoding
        return PcmSource(self._descriptor, pcm.rate_hz, pcm.channels, encoding, name=self._name, head=head)

    def _head(self) -> bytes:
        """Wait for the first bytes, as many as are needed to recognise a sound file."""
        reader, head, begun_at = PipeReader(self._descriptor, 1), b"", inf
        while not reader.ended and len(head) < FIRST_FRAME_BYTES:
            is_late = time.monotonic() > begun_at + HEAD_WAIT_S
            may_tell = len(head) >= HEAD_BYTES or (len(head) >= MAGIC_BYTES and not may_be_long(head))
            if may_tell and (is_late or sound_file_kind(head)):
                break
            if self._given_up.is_set():
                raise given_up(self._name)
            reader.wait(OPEN_POLL_S)
            try:
                head += reader.read(FIRST_FRAME_BYTES - len(head))
            except OSError as error:
                raise StreamError(
                    f"{self._name} cannot be read ({error.strerror}); expected raw PCM or a sound file"
                ) from error
            begun_at = min(begun_at, time.monotonic()) if head else inf
        return head


def _is_file(descriptor: int, position: int) -> bool:
    """Return whether a descriptor is a regular file, of which the first `position` bytes were read."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return False
    return os.lseek(descriptor, 0, os.SEEK_CUR) == position
