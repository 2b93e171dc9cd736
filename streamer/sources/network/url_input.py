"""Read the bytes of a URL, which ffmpeg fetches."""

from __future__ import annotations

import subprocess

from streamer.errors import StreamError
from streamer.sources.ffmpeg.ffmpeg_log import LOG_LEVEL, FfmpegLog
from streamer.sources.network.broken_off import broken_off
from streamer.sources.network.url_protocols import URL_PROTOCOLS
from streamer.sources.pipes.byte_input import ByteInput
from streamer.sources.pipes.child_process import end_process, pipes_of
from streamer.sources.pipes.pipe import PipeReader, enlarge
from streamer.sources.url_address import without_secrets

STALL_US = 10_000_000
"""Longest time without a byte, in microseconds."""


class UrlInput(ByteInput):
    """The bytes of a URL, which ffmpeg fetches.

    Parameters
    ----------
    url : str
    """

    def __init__(self, url: str) -> None:
        self.name = f"URL {without_secrets(url)}"
        self._url = url
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        fetched = ["-rw_timeout", str(STALL_US), "-protocol_whitelist", ",".join(URL_PROTOCOLS)]
        command = ["ffmpeg", "-nostdin", "-nostats", "-v", LOG_LEVEL, *fetched, "-f", "data", "-i", self._url]
        self._process = subprocess.Popen(
            [*command, "-map", "0", "-c", "copy", "-f", "data", "pipe:1"],
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for Streamer to handle
        )
        sound, messages = pipes_of(self._process)
        enlarge(sound)
        self.reader = PipeReader(sound, 1)
        self._log = FfmpegLog(messages, self._url)

    def check_end(self) -> None:
        if not self.reader.ended:
            return  # all that was wanted came, and ffmpeg may wait for ever to hand on the rest
        if self._process is None:
            return
        code = self._process.wait()
        self._log.collect()
        broken = broken_off(self._log)
        if code or broken:
            raise StreamError(
                f"{self.name} broke off (ffmpeg: {broken or self._log.last}); "
                "expected sound to its end: check the server and the network"
            )

    def note_short(self, message: str) -> None:
        raise StreamError(
            f"{message}; expected the whole sound: listen again, or check the file on the server"
        )

    def close(self) -> None:
        if self._process is not None:
            end_process(self._process)
            self._process = None
