"""Read standard input or a named pipe: raw PCM, or a sound file."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from streamer.config import PcmConfig
from streamer.errors import StreamError
from streamer.sources.ffmpeg import FfmpegSource, is_unedited_mp4
from streamer.sources.file import FileSource
from streamer.sources.formats.container import OPEN_POLL_S, ByteInput, ContainerSource
from streamer.sources.formats.containers.kind import MAGIC_BYTES
from streamer.sources.formats.containers.survey import may_hold_pcm
from streamer.sources.formats.sound_file_kind import HEAD_BYTES, may_be_long, sound_file_kind
from streamer.sources.formats.trimmed_end import TrimmedEnd, mp3_frames
from streamer.sources.pcm import PcmSource
from streamer.sources.pipe import PipeReader, enlarge
from streamer.sources.source import Source
from streamer.sources.wrappers.wrapper import SourceWrapper

FEED_BYTES = 1 << 16
"""Length of the pieces that are handed to ffmpeg."""

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
        kind = sound_file_kind(head)
        if kind is None:
            self._inner = self._raw(head)
        elif self._path is None and sys.platform == "linux" and _is_file(self._descriptor, len(head)):
            self._inner = FileSource(Path("/dev/stdin"))
        elif may_hold_pcm(head):
            self._inner = ContainerSource(DescriptorInput(self._name, self._descriptor, head))
        else:
            self._inner = PipedMediaSource(self._name, self._descriptor, head)
            if (frames := mp3_frames(head)) is not None:
                self._inner = TrimmedEnd(self._inner, frames)
        super().open()
        self._judge_pace()

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
        reader, head = PipeReader(self._descriptor, 1), b""
        while len(head) < (HEAD_BYTES if may_be_long(head) else MAGIC_BYTES) and not reader.ended:
            if self._given_up.is_set():
                raise StreamError(f"{self._name} was not waited for any longer")
            reader.wait(OPEN_POLL_S)
            try:
                head += reader.read(HEAD_BYTES - len(head))
            except OSError as error:
                raise StreamError(
                    f"{self._name} cannot be read ({error.strerror}); expected raw PCM or a sound file"
                ) from error
        return head


class DescriptorInput(ByteInput):
    """The bytes of a descriptor, which stays open.

    Parameters
    ----------
    name : str
    descriptor : int
    head : bytes
        Bytes that were already read from the descriptor.
    """

    def __init__(self, name: str, descriptor: int, head: bytes) -> None:
        self.name = name
        self.reader = PipeReader(descriptor, 1, head)

    def open(self) -> None:
        """Do nothing: the descriptor is open."""

    def close(self) -> None:
        """Do nothing: the descriptor belongs to the caller."""


class PipedMediaSource(FfmpegSource):
    """A sound file that comes through a descriptor and that ffmpeg decodes.

    A thread hands the bytes to ffmpeg, since those that were read already come first.

    Parameters
    ----------
    name : str
    descriptor : int
    head : bytes
        Bytes that were already read from the descriptor.
    """

    input_handle = subprocess.PIPE

    def __init__(self, name: str, descriptor: int, head: bytes) -> None:
        super().__init__(name, ["-protocol_whitelist", "pipe", "-i", "pipe:0"], stall_timeout_s=float("inf"))
        self._first_bytes = head
        self._bytes = PipeReader(descriptor, 1, head)
        self._closing = threading.Event()
        self._feeder: threading.Thread | None = None

    def close(self) -> None:
        self._closing.set()
        super().close()
        if self._feeder is not None:
            self._feeder.join()
            self._feeder = None

    def is_unedited(self, container: str) -> bool:
        if container.startswith("mov,"):
            return is_unedited_mp4(self._first_bytes)
        return super().is_unedited(container)

    def _start(self) -> subprocess.Popen[bytes]:
        process = super()._start()
        assert process.stdin is not None
        enlarge(process.stdin.fileno())
        self._feeder = threading.Thread(target=self._feed, args=(process.stdin,), name="feed", daemon=True)
        self._feeder.start()
        return process

    def _feed(self, sink: IO[bytes]) -> None:
        """Hand bytes on until they end, or ffmpeg has ended."""
        with suppress(OSError), sink:  # ffmpeg may end first
            while not self._bytes.ended and not self._closing.is_set():
                self._bytes.wait(OPEN_POLL_S)
                _write(sink.fileno(), self._bytes.read(FEED_BYTES))


def _write(descriptor: int, data: bytes) -> None:
    """Write all of `data`, waiting for its reader."""
    while data:
        data = data[os.write(descriptor, data) :]


def _is_file(descriptor: int, position: int) -> bool:
    """Return whether a descriptor is a regular file, of which the first `position` bytes were read."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return False
    return os.lseek(descriptor, 0, os.SEEK_CUR) == position
