"""Decode URLs, and files that libsndfile cannot read, by an ffmpeg process."""

from __future__ import annotations

import logging
import re
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO
from urllib.parse import SplitResult, urlsplit

import numpy as np

from streamer.errors import ConfigError, StreamError
from streamer.sources.pipe import PipePacing, PipeReader, enlarge
from streamer.sources.source import Block, Source, format_fault

logger = logging.getLogger(__name__)

URL_SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "tcp", "udp")
"""Accepted schemes; others (``concat:``, ``file:``, ``lavfi:``) would let a URL read files of this machine."""

URL_PROTOCOLS = (*URL_SCHEMES, "tls", "srtp", "crypto", "data", "httpproxy")
"""Protocols that the content of a URL, such as a playlist, may refer to: the network, but no file of this machine."""

AU_HEADER = struct.Struct(">4s5I")
"""Header of Sun's audio format: ``.snd``, offset of the sound, its length in bytes, encoding, rate, channels."""

OPEN_POLL_S = 0.05
"""Interval at which `open` reads ffmpeg's messages while it waits for sound."""

MESSAGE_BYTES = 4_096
"""Length of ffmpeg's last messages that are kept."""

COMMENTS = ("Last message repeated", "To ignore this, add")
"""Beginnings of lines that only comment on the message before them."""

HARMLESS = re.compile(
    r"^(\[mp3float @ [^]]*\] Header missing\n(Error while decoding stream .*\n)?"  # a tag between two MP3s
    r"|\[opus @ [^]]*\] Error parsing the packet header\.\n(Error while decoding stream .*\n)?"  # header of a link
    r"|.*Application provided invalid, non monotonically increasing dts.*\n"  # a link of Ogg that counts anew
    r"|.*failed to create or replace stream.*\n"  # only the length of an Ogg chain of FLAC stays unknown
    r"|.*Stream ends prematurely at \d+, should be 18446744073709551615.*\n(.*: Input/output error\n)?"  # no length
    r")",
    re.MULTILINE,
)
"""Messages of ffmpeg about sound that is whole."""


LEVELS = re.compile(r"^((?:\[[^]]* @ [^]]*\] )?)\[(?:error|fatal|panic)\] ", re.MULTILINE)
"""ffmpeg's mark of a message that counts."""

REMARKS = re.compile(r"^(?:\[[^]]* @ [^]]*\] )?\[(?:warning|info|verbose)\].*\n?", re.MULTILINE)
"""ffmpeg's remarks on what it does."""

DESCRIPTION_BYTES = 32_768
"""Length of ffmpeg's first messages that are kept: they describe the input."""

INPUT = re.compile(r"Input #0, (\S+), from .*?: Audio: (\w+)(?: \(([^)]*)\))?", re.DOTALL)
"""Container, codec and profile in ffmpeg's description of an input."""

MP4_HEAD_BYTES = 1 << 16
"""Length of the beginning of a fragmented MP4 that holds its box ``moov``."""

UNEDITED = ("aac", "flv", "hls", "matroska,webm", "mpegts")
"""ffmpeg's names of containers in which nothing says that the first frame of AAC is not sound yet."""

AAC_PRIMING = {"LC": 1_024, "HE-AAC": 2_048, "HE-AACv2": 2_048}
"""Number of samples of AAC that come before the sound, by profile: one frame, as an M4A would say (ISO 14496-24)."""


class FfmpegSource(Source):
    """The sound of anything that ffmpeg can open, at its own rate and with its own channels.

    ffmpeg writes float samples into a pipe, after a header that gives their format. A live stream sets its own
    pace; otherwise the pipe makes ffmpeg wait, so nothing is dropped and `skip` drops nothing. The capture time
    of the sound is not known. The process ends with the source.

    Parameters
    ----------
    name : str
        Name of the source in error messages.
    input_arguments : sequence of str
        ffmpeg's options for the input; ``-i`` and its address come last.
    open_timeout_s : float
        Longest time that `open` waits for the first sound.
    stall_timeout_s : float
        Longest time without sound before the stream counts as failed.
    clock : callable
        Returns seconds; `time.monotonic` except in tests.
    output_arguments : sequence of str
        ffmpeg's options for the output, such as a rate.

    Attributes
    ----------
    container : str
        ffmpeg's name of the container; empty before `open`.
    is_plain_pcm : bool
        Whether the input holds PCM.
    """

    opens_slowly = True
    input_handle = subprocess.DEVNULL
    """ffmpeg's standard input."""

    def __init__(
        self,
        name: str,
        input_arguments: Sequence[str],
        open_timeout_s: float = 10.0,
        stall_timeout_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        output_arguments: Sequence[str] = (),
    ) -> None:
        self._name = name
        self._input_arguments = input_arguments
        self._output_arguments = output_arguments
        self._open_timeout_s = open_timeout_s
        self._stall_timeout_s = stall_timeout_s
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._position = 0
        self._to_drop = 0
        self.container = ""
        self.is_plain_pcm = False
        self._given_up = threading.Event()

    def give_up_opening(self) -> None:
        self._given_up.set()

    def open(self) -> None:
        self._process = self._start()
        self._sound, messages = _pipes(self._process)
        enlarge(self._sound)
        self._log = FfmpegLog(messages, self._input_arguments[-1])
        self._received_at = self._clock()
        try:
            self._open_stream()
        except StreamError:
            self.close()
            raise

    def read(self, max_frames: int) -> Block | None:
        if self._process is None:
            return None
        self._log.collect()
        data = self._reader.read(max_frames)
        if data:
            self._received_at = self._clock()
            self._pacing.note_read(len(data) // self._frame_bytes, self._received_at)
            data = self._without_priming(data)
        if data:
            samples = np.frombuffer(data, ">f4").astype(np.float32).reshape(-1, self.channels)
            block = Block(self._position, samples, captured_at=None)
            self._position = block.stop
            return block
        if self._reader.ended and (code := self._process.poll()) is not None:
            self._finish(code)
        elif self._clock() - self._received_at > self._stall_timeout_s:
            self.close()
            raise StreamError(
                f"{self._name} stalled: nothing came for {self._stall_timeout_s:g} s after frame "
                f"{self._position}; expected sound without a pause: check the server and the network"
            )
        return None

    def is_unedited(self, container: str) -> bool:
        """Return whether the input does not tell ffmpeg which frames of AAC come before the sound.

        Parameters
        ----------
        container : str
            ffmpeg's name of the container.
        """
        return container in UNEDITED

    def wait_s(self, turn_s: float) -> float:
        return self._pacing.wait_s(self._clock(), turn_s)

    def backlog_frames(self) -> int:
        return 0 if self._process is None else self._reader.waiting_items()

    def skip(self, frames: int) -> int:  # noqa: ARG002 - what waits in a pipe cannot be dropped
        return 0

    @property
    def ended(self) -> bool:
        return self._process is None

    def close(self) -> None:
        if self._process is None:
            return
        self._process.kill()  # on SIGTERM, ffmpeg ends only after the next packet, which may never come
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        output = ["-map", "0:a:0", *self._output_arguments, "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        command = [
            "ffmpeg",
            "-nostdin",
            "-hide_banner",
            "-nostats",
            "-v",
            "level+info",
            *self._input_arguments,
            *output,
        ]
        try:
            return subprocess.Popen(
                command,
                bufsize=0,
                stdin=self.input_handle,
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
        """Read the header and prepare to read the frames after it."""
        header = self._take(AU_HEADER.size)
        _, offset, _, _, self.rate_hz, self.channels = AU_HEADER.unpack(header)
        self._take(offset - AU_HEADER.size)
        if fault := format_fault(self.rate_hz, self.channels):
            raise StreamError(f"{self._name} {fault}")
        self._frame_bytes = self.channels * np.dtype(np.float32).itemsize
        self._reader = PipeReader(self._sound, self._frame_bytes)
        self._pacing = PipePacing(self.rate_hz, self._clock())

        self._log.collect()
        self.container = self._log.described[0]
        self.is_plain_pcm = self._log.described[1].startswith("pcm_")
        if self.is_unedited(self.container):
            self.drop_priming()

    def drop_priming(self) -> None:
        """Leave out the first frame of AAC, which is no sound yet; do nothing for other codecs."""
        _, codec, profile = self._log.described
        if codec == "aac":
            self._to_drop = AAC_PRIMING.get(profile, 0)

    def _without_priming(self, data: bytes) -> bytes:
        """Return what is left of frames that were read without those that come before the sound."""
        dropped = min(self._to_drop, len(data) // self._frame_bytes)
        self._to_drop -= dropped
        return data[dropped * self._frame_bytes :]

    def _take(self, wanted: int) -> bytes:
        """Wait for `wanted` bytes of the header."""
        reader, taken = PipeReader(self._sound, 1), b""
        deadline = self._clock() + self._open_timeout_s
        while len(taken) < wanted:
            reader.wait(OPEN_POLL_S)
            taken += reader.read(wanted - len(taken))
            self._log.collect()
            if reader.ended:
                raise StreamError(
                    f"{self._name} cannot be opened by ffmpeg ({self._log.last}); "
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
        """Close after ffmpeg has ended by itself, and report how it ended."""
        self._log.collect()
        message = self._log.last
        self.close()
        if code:
            raise StreamError(
                f"{self._name} failed after {self._position} frames (ffmpeg: {message}); "
                "expected sound to its end: check the source"
            )
        if self._position == 0:
            raise StreamError(f"{self._name} holds no sound (0 frames); expected at least 1 frame")
        if message:
            logger.warning(
                "%s is damaged or cut short (ffmpeg: %s): what could be decoded was read",
                self._name,
                message,
            )


class FfmpegLog:
    """ffmpeg's last messages, read regularly so that ffmpeg never waits for a reader.

    Parameters
    ----------
    descriptor : int
        ffmpeg's standard error, open for reading.
    address : str
        The address that ffmpeg reads. It is removed from the messages, because it may hold a password.
    """

    def __init__(self, descriptor: int, address: str) -> None:
        self._reader = PipeReader(descriptor, 1)
        self._address = address
        self._head = b""
        self._tail = b""

    def collect(self) -> None:
        """Read the messages that ffmpeg has written since the last call."""
        while fresh := self._reader.read(MESSAGE_BYTES):
            self._head += fresh[: DESCRIPTION_BYTES - len(self._head)]
            self._tail = (self._tail + fresh)[-MESSAGE_BYTES:]

    @property
    def described(self) -> tuple[str, str, str]:
        """Container, codec and profile of the input, by ffmpeg's names; empty before they are known."""
        found = INPUT.search(self._head.decode(errors="replace"))
        return (found[1], found[2], found[3] or "") if found else ("", "", "")

    @property
    def last(self) -> str:
        """The last message without its prefix, which names a part of ffmpeg; empty if there was no message."""
        text = REMARKS.sub("", self._tail.decode(errors="replace"))
        text = HARMLESS.sub("", LEVELS.sub(r"\1", text))
        lines = [line.strip() for line in text.splitlines()]
        messages = [line for line in lines if line and not line.startswith(COMMENTS)]
        if not messages:
            return ""
        message = re.sub(r"^\[[^]]* @ [^]]*\] ", "", messages[-1])
        return message.removeprefix(f"{self._address}: ").replace(self._address, "the address")


def url_source(url: str) -> FfmpegSource:
    """Return the source, not yet opened, for a URL.

    Parameters
    ----------
    url : str
        A URL with ``http://``, ``https://``, ``rtsp://`` or another of `URL_SCHEMES`. A password in it is used,
        but left out of messages.

    Returns
    -------
    FfmpegSource

    Raises
    ------
    ConfigError
        If the scheme is not in `URL_SCHEMES`, or the URL cannot be parsed.
    """
    scheme, shown = split_url(url).scheme, without_password(url)
    if scheme not in URL_SCHEMES:
        raise ConfigError(f"URL '{shown}' has scheme '{scheme}'; expected one of {', '.join(URL_SCHEMES)}")
    over_tcp = ("-rtsp_flags", "prefer_tcp") if scheme in ("rtsp", "rtsps") else ()
    return FfmpegSource(
        f"URL {shown}", ["-protocol_whitelist", ",".join(URL_PROTOCOLS), *over_tcp, "-i", url]
    )


def is_unedited_mp4(head: bytes) -> bool:
    """Return whether an MP4 is fragmented; if so, ffmpeg ignores its edit list.

    Parameters
    ----------
    head : bytes
        First bytes of the file, with its box ``moov`` if it is fragmented.
    """
    return b"mvex" in head


def split_url(url: str) -> SplitResult:
    """Return scheme, address, path and query of a URL.

    Raises
    ------
    ConfigError
        If the URL cannot be parsed, for example because the bracket of an IPv6 address is not closed.
    """
    try:
        return urlsplit(url)
    except ValueError as error:
        raise ConfigError(
            f"URL '{without_password(url)}' cannot be read ({error}); expected SCHEME://HOST[:PORT]/PATH"
        ) from error


def without_password(url: str) -> str:
    """Return the URL with the user and password before its host replaced by ``***``."""
    scheme, separator, rest = url.partition("://")
    address, slash, path = rest.partition("/")
    user, at, host = address.rpartition("@")
    return f"{scheme}{separator}{'***' if user else ''}{at}{host}{slash}{path}"


def _pipes(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Return the descriptors of a process's standard output and standard error."""

    def descriptor(pipe: IO[bytes] | None) -> int:
        assert pipe is not None  # requested when the process was started
        return pipe.fileno()

    return descriptor(process.stdout), descriptor(process.stderr)
