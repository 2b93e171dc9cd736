"""Read a URL: a stream or a file by ffmpeg, a playlist by its entries, PCM behind a wrong header by ourselves."""

from __future__ import annotations

import subprocess
import threading
from functools import partial

from streamer.errors import StreamError
from streamer.sources.ffmpeg import MP4_HEAD_BYTES, is_unedited_mp4
from streamer.sources.formats.container import ByteInput, ContainerSource
from streamer.sources.formats.containers.survey import announced_end, may_hold_pcm
from streamer.sources.network.http_bytes import HttpBytes, http_bytes
from streamer.sources.network.playlist import (
    DEEPEST,
    LARGEST_BYTES,
    SUFFIXES,
    absolute,
    entries_of,
    is_html,
    without_entries,
)
from streamer.sources.network.url_address import split_url, without_secrets
from streamer.sources.network.url_stream import URL_PROTOCOLS, url_stream
from streamer.sources.pipe import PipeReader, enlarge
from streamer.sources.source import Source
from streamer.sources.wrappers.mirrors import Mirrors
from streamer.sources.wrappers.wrapper import SourceWrapper

HEAD_BYTES = 1 << 14
"""Number of first bytes of a container that are looked at."""

STALL_US = 10_000_000
"""Longest time without a byte, in microseconds."""

NO_SOUND = ("Invalid data found", "matches no streams")
"""What ffmpeg says of something that it does not take for sound."""

PCM_CONTAINERS = ("wav", "w64", "aiff", "au", "caf")
"""ffmpeg's names of containers whose headers may announce less sound than there is."""


class UrlSource(SourceWrapper):
    """The sound of a URL.

    Parameters
    ----------
    url : str
        A URL of one of `streamer.sources.network.url_stream.URL_SCHEMES`.
    depth : int
        Number of playlists that led to this URL.
    """

    opens_slowly = True

    def __init__(self, url: str, depth: int = 0) -> None:
        self._url = url
        self._shown = f"URL {without_secrets(url)}"
        self._depth = depth
        self._is_http = split_url(url).scheme.lower() in ("http", "https")
        self._given_up = threading.Event()
        self._ffmpeg = url_stream(url)
        super().__init__(self._ffmpeg)

    def give_up_opening(self) -> None:
        self._given_up.set()
        super().give_up_opening()

    def open(self) -> None:
        self._inner = self._ffmpeg
        if self._is_http and split_url(self._url).path.lower().endswith(SUFFIXES) and self._open_playlist():
            return
        try:
            super().open()
        except StreamError as error:
            self._open_otherwise(error)
            return
        if self._is_http and self._ffmpeg.container in PCM_CONTAINERS and self._ffmpeg.is_plain_pcm:
            self._check_length()
        elif self._is_http and self._ffmpeg.container.startswith("mov,"):
            found = http_bytes(self._url, MP4_HEAD_BYTES)
            if found is not None and is_unedited_mp4(found.data):
                self._ffmpeg.drop_priming()

    def _open_playlist(self) -> bool:
        """Open the first entry that can be opened, if the URL is a plain playlist; return whether it is one."""
        found = http_bytes(self._url, LARGEST_BYTES)
        entries = None if found is None else entries_of(found.data, self._url)
        if found is None or entries is None:
            return False
        self._open_entries(absolute(entries, found.url))
        return True

    def _open_entries(self, urls: list[str]) -> None:
        if not urls:
            raise without_entries(self._shown)
        if self._depth == DEEPEST:
            raise StreamError(
                f"{self._shown} is the {DEEPEST + 1}th playlist in a row; expected a stream in it"
            )
        self._inner = Mirrors(self._shown, [partial(UrlSource, url, self._depth + 1) for url in urls])
        if self._given_up.is_set():
            self._inner.give_up_opening()
        super().open()

    def _open_otherwise(self, error: StreamError) -> None:
        """Open what ffmpeg did not, or raise why it cannot be sound."""
        is_other = any(reason in str(error) for reason in NO_SOUND)
        found = http_bytes(self._url, LARGEST_BYTES) if self._is_http and is_other else None
        if found is None:
            raise error
        if is_html(found.data):
            raise StreamError(
                f"{error}; it is a page of HTML, not sound: look in it for the address of the stream"
            ) from error
        if (entries := entries_of(found.data, self._url)) is not None:
            self._open_entries(absolute(entries, found.url))
        elif may_hold_pcm(found.data):
            self._inner = self._own_reader()
            super().open()
        else:
            raise error

    def _check_length(self) -> None:
        """Read the sound ourselves if the header announces less or more than the server has."""
        found = http_bytes(self._url, HEAD_BYTES)
        if found is None or _is_right(found):
            return
        self._ffmpeg.close()
        self._inner = self._own_reader()
        super().open()

    def _own_reader(self) -> Source:
        return ContainerSource(UrlInput(self._url))


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

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


def _is_right(found: HttpBytes) -> bool:
    """Return whether a header announces as much sound as there is, as far as is known."""
    end = announced_end(found.data)
    if end is None or found.total_bytes is None:
        return True
    return found.total_bytes in (end, end + end % 2)
