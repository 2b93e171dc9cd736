"""Read the bytes of a URL, which ffmpeg fetches."""

from __future__ import annotations

import subprocess

from streamer.errors import StreamError
from streamer.sources.byte_input import ByteInput
from streamer.sources.network.url_address import without_secrets
from streamer.sources.network.url_stream import URL_PROTOCOLS
from streamer.sources.pipe import PipeReader, enlarge

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
        command = ["ffmpeg", "-nostdin", "-v", "quiet", *fetched, "-f", "data", "-i", self._url]
        self._process = subprocess.Popen(
            [*command, "-map", "0", "-c", "copy", "-f", "data", "pipe:1"],
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for Streamer to handle
        )
        assert self._process.stdout is not None
        enlarge(self._process.stdout.fileno())
        self.reader = PipeReader(self._process.stdout.fileno(), 1)

    def check_end(self) -> None:
        if self._process is not None and (code := self._process.wait()):
            raise StreamError(
                f"{self.name} broke off (ffmpeg ended with {code}); expected sound to its end: check the server"
            )

    def note_short(self, message: str) -> None:
        raise StreamError(
            f"{message}; expected the whole sound: listen again, or check the file on the server"
        )

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None
