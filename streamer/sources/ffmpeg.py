"""URLs, and files that libsndfile does not read, decoded by an ffmpeg process."""

from __future__ import annotations

import logging
import re
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

import numpy as np

from streamer.errors import ConfigError, StreamError
from streamer.sources.format import format_fault
from streamer.sources.pipe import PipeReader, enlarge
from streamer.sources.pipe_pacing import PipePacing
from streamer.sources.source import Block, Source
from streamer.sources.url import split_url, without_password

logger = logging.getLogger(__name__)

URL_SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "tcp", "udp")
"""Taken as a URL; others (``concat:``, ``file:``, ``lavfi:``) would let a name reach into this machine."""

URL_PROTOCOLS = (*URL_SCHEMES, "tls", "srtp", "crypto", "data", "httpproxy")
"""What a URL's content, such as a playlist, may refer to: the network, and no file of this machine."""

AU_HEADER = struct.Struct(">4s5I")
"""Sun's audio format: ``.snd``, offset of the sound, its bytes, encoding, rate, channels."""

WAKE_S = 0.05
"""How often `open` looks after ffmpeg's messages while it waits for sound."""

COMPLAINT_BYTES = 4_096
"""How much of ffmpeg's last messages is kept."""

NOT_COMPLAINTS = ("Last message repeated", "To ignore this, add")
"""How lines begin that only comment on the message before them."""


class FfmpegSource(Source):
    """The sound of whatever ffmpeg can open, at its own rate and with its own channels.

    ffmpeg writes float samples into a pipe, after a header that tells their format. A live stream sets its
    own pace; else flow control is the pipe's: nothing is dropped here, `skip` drops nothing. When the sound
    was captured is not known. The process ends with the source.

    Parameters
    ----------
    name : str
        What messages call it.
    input_arguments : sequence of str
        ffmpeg's options for the input, ``-i`` and its address last.
    open_timeout_s : float
        How long `open` waits for the first sound.
    stall_timeout_s : float
        How long a stream may give nothing before it counts as failed.
    clock : callable
        Seconds; `time.monotonic` but in tests.
    """

    opens_slowly = True

    def __init__(
        self,
        name: str,
        input_arguments: Sequence[str],
        open_timeout_s: float = 10.0,
        stall_timeout_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._input_arguments = input_arguments
        self._open_timeout_s = open_timeout_s
        self._stall_timeout_s = stall_timeout_s
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._position = 0
        self._given_up = threading.Event()

    def give_up_opening(self) -> None:
        self._given_up.set()

    def open(self) -> None:
        self._process = self._start()
        self._sound, messages = _pipes(self._process)
        enlarge(self._sound)
        self._complaints = Complaints(messages, self._input_arguments[-1])
        self._heard_at = self._clock()
        try:
            self._open_stream()
        except StreamError:
            self.close()
            raise

    def read(self, max_frames: int) -> Block | None:
        if self._process is None:
            return None
        self._complaints.collect()
        data = self._reader.read(max_frames)
        if data:
            self._heard_at = self._clock()
            self._turns.heard(len(data) // self._frame_bytes, self._heard_at)
            samples = np.frombuffer(data, ">f4").astype(np.float32).reshape(-1, self.channels)
            block = Block(self._position, samples, captured_at=None)
            self._position = block.stop
            return block
        if self._reader.ended and (code := self._process.poll()) is not None:
            self._finish(code)
        elif self._clock() - self._heard_at > self._stall_timeout_s:
            self.close()
            raise StreamError(
                f"{self._name} stalled: nothing came for {self._stall_timeout_s:g} s after frame "
                f"{self._position}; expected sound without a pause: check the server and the network"
            )
        return None

    def wait_s(self, turn_s: float) -> float:
        return self._turns.wait_s(self._clock(), turn_s)

    def backlog_frames(self) -> int:
        return 0 if self._process is None else self._reader.waiting_items()

    def skip(self, frames: int) -> int:  # noqa: ARG002 - a pipe has nothing to drop
        return 0

    @property
    def ended(self) -> bool:
        return self._process is None

    def close(self) -> None:
        if self._process is None:
            return
        self._process.kill()  # asked politely, it hears only after the next packet, which may never come
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        output = ["-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        command = ["ffmpeg", "-nostdin", "-hide_banner", "-v", "error", *self._input_arguments, *output]
        try:
            return subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for Streamer to handle, not for ffmpeg
            )
        except OSError as error:
            raise StreamError(
                f"{self._name} needs the program ffmpeg, which cannot be run ({error.strerror}); install it: "
                "`sudo apt-get install ffmpeg` or `brew install ffmpeg`"
            ) from error

    def _open_stream(self) -> None:
        """Read the header, and prepare for the frames after it."""
        header = self._take(AU_HEADER.size)
        _, offset, _, _, self.rate_hz, self.channels = AU_HEADER.unpack(header)
        self._take(offset - AU_HEADER.size)
        if fault := format_fault(self.rate_hz, self.channels):
            raise StreamError(f"{self._name} {fault}")
        self._frame_bytes = self.channels * np.dtype(np.float32).itemsize
        self._reader = PipeReader(self._sound, self._frame_bytes)
        self._turns = PipePacing(self.rate_hz, self._clock())

    def _take(self, wanted: int) -> bytes:
        """Wait for so many bytes of the header."""
        reader, taken = PipeReader(self._sound, 1), b""
        deadline = self._clock() + self._open_timeout_s
        while len(taken) < wanted:
            reader.wait(WAKE_S)
            taken += reader.read(wanted - len(taken))
            self._complaints.collect()
            if reader.ended:
                raise StreamError(
                    f"{self._name} cannot be opened by ffmpeg ({self._complaints.last}); "
                    "expected something with sound in it: check the address and that it plays elsewhere"
                )
            if self._given_up.is_set():
                raise StreamError(f"{self._name} was not waited for any longer")
            if self._clock() > deadline:
                raise StreamError(
                    f"{self._name} gave no sound within {self._open_timeout_s:g} s; "
                    "expected a stream that runs: check the server and the network"
                )
        return taken

    def _finish(self, code: int) -> None:
        """Take leave of an ffmpeg that has ended by itself."""
        self._complaints.collect()
        complaint = self._complaints.last
        self.close()
        if code:
            raise StreamError(
                f"{self._name} failed after {self._position} frames (ffmpeg: {complaint}); "
                "expected sound to its end: check the source"
            )
        if self._position == 0:
            raise StreamError(f"{self._name} holds no sound (0 frames); expected at least 1 frame")
        if complaint:
            logger.warning(
                "%s is damaged or cut short (ffmpeg: %s): what could be decoded was read",
                self._name,
                complaint,
            )


class Complaints:
    """ffmpeg's last messages, collected so that it never waits for somebody to read them.

    Parameters
    ----------
    descriptor : int
        ffmpeg's standard error, open for reading.
    address : str
        What ffmpeg reads. Left out of its messages: it may hold a password.
    """

    def __init__(self, descriptor: int, address: str) -> None:
        self._reader = PipeReader(descriptor, 1)
        self._address = address
        self._tail = b""

    def collect(self) -> None:
        """Take what is there."""
        while fresh := self._reader.read(COMPLAINT_BYTES):
            self._tail = (self._tail + fresh)[-COMPLAINT_BYTES:]

    @property
    def last(self) -> str:
        """The last message, without its origin in ffmpeg; empty if there was none."""
        lines = [line.strip() for line in self._tail.decode(errors="replace").splitlines()]
        told = [line for line in lines if line and not line.startswith(NOT_COMPLAINTS)]
        if not told:
            return ""
        message = re.sub(r"^\[[^]]* @ [^]]*\] ", "", told[-1])
        return message.removeprefix(f"{self._address}: ").replace(self._address, "the address")


def url_source(url: str) -> FfmpegSource:
    """Sound from the network.

    Parameters
    ----------
    url : str
        ``http://``, ``https://``, ``rtsp://`` or another of `URL_SCHEMES`. A password in it is used, but not
        repeated in messages.

    Returns
    -------
    FfmpegSource

    Raises
    ------
    ConfigError
        If the scheme is another one, or it is no URL.
    """
    scheme, shown = split_url(url).scheme, without_password(url)
    if scheme not in URL_SCHEMES:
        raise ConfigError(f"URL '{shown}' has scheme '{scheme}'; expected one of {', '.join(URL_SCHEMES)}")
    over_tcp = ("-rtsp_flags", "prefer_tcp") if scheme in ("rtsp", "rtsps") else ()
    return FfmpegSource(
        f"URL {shown}", ["-protocol_whitelist", ",".join(URL_PROTOCOLS), *over_tcp, "-i", url]
    )


def _pipes(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Descriptors of a process's standard output and standard error."""

    def descriptor(pipe: IO[bytes] | None) -> int:
        assert pipe is not None  # it was asked for
        return pipe.fileno()

    return descriptor(process.stdout), descriptor(process.stderr)
