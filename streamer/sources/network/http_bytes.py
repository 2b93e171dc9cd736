"""Look at a few bytes of what an HTTP server sends, before or beside ffmpeg."""

from __future__ import annotations

import base64
import http.client
import math
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

PIECE_BYTES = 1 << 12
"""Length of the pieces in which a resource is looked at."""

TIMEOUT_S = 5.0
"""Longest wait for the server."""


@dataclass(frozen=True)
class HttpBytes:
    """A piece of a resource.

    Attributes
    ----------
    data : bytes
    total_bytes : int or None
        Length of the whole resource; None if the server does not say.
    url : str
        Address of the resource after redirections.
    has_ranges : bool
        Whether the server sends pieces from the midst of the resource.
    is_whole : bool
        Whether `data` is all of the resource, of which nothing is missing as far as the server says.
    """

    data: bytes
    total_bytes: int | None
    url: str
    has_ranges: bool
    is_whole: bool


def http_bytes(url: str, length: int, within_s: float = math.inf, begin: int = 0) -> HttpBytes | None:
    """Return bytes of a resource; None if they cannot be had.

    Parameters
    ----------
    url : str
        With ``http`` or ``https``; a user and a password in it are used.
    length : int
        Largest number of bytes.
    within_s : float
        Time after the server's answer in which the bytes have to come, in seconds; what comes later is left out.
    begin : int
        Position of the first byte. A server without ranges sends the resource from its beginning, whatever it is.
    """
    parts = urlsplit(url)
    address, _, host = parts.netloc.rpartition("@")
    headers = {"Range": f"bytes={begin}-{begin + length - 1}", "User-Agent": "Streamer", "Accept": "*/*"}
    if address:
        user = unquote(address).encode()
        headers["Authorization"] = f"Basic {base64.b64encode(user).decode()}"
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=host, fragment="")), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            has_ranges, total = answer.status == http.client.PARTIAL_CONTENT, _total_bytes(answer)
            data, ended = _read(answer, length, time.monotonic() + within_s)
            is_whole = begin == 0 and (ended if total is None else len(data) == total)
            return HttpBytes(data, total, answer.url, has_ranges, is_whole)
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _read(answer: http.client.HTTPResponse, length: int, deadline: float) -> tuple[bytes, bool]:
    """Return the bytes that come until the deadline, and whether their server ended them before `length`."""
    data = b""
    while len(data) < length and time.monotonic() < deadline:
        try:
            piece = answer.read1(length - len(data))
        except (OSError, http.client.HTTPException):
            break  # what came counts
        if not piece:
            return data, True
        data += piece
    return data, False


def _total_bytes(answer: http.client.HTTPResponse) -> int | None:
    of_range = re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.headers.get("Content-Range", ""))
    if of_range:
        return int(of_range[1])
    length = answer.headers.get("Content-Length", "")
    return int(length) if answer.status == http.client.OK and length.isdecimal() else None


class HttpContent:
    """The bytes of a resource whose server sends pieces of it, which are fetched where they are looked at.

    Parameters
    ----------
    url : str
    found : HttpBytes
        First bytes of the resource.
    """

    MOST_PIECES = 64
    """Number of pieces after which nothing more is fetched: the resource then seems to end."""

    def __init__(self, url: str, found: HttpBytes) -> None:
        self._url = url
        self._begin, self._piece = 0, found.data
        self._length = (found.total_bytes or 0) if found.has_ranges else len(found.data)
        self._pieces_left = self.MOST_PIECES

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, piece: slice) -> bytes:
        begin, end = piece.start, min(piece.stop, self._length)
        if not self._begin <= begin <= end <= self._begin + len(self._piece):
            self._fetch(begin)
        return self._piece[begin - self._begin : end - self._begin]

    def _fetch(self, begin: int) -> None:
        self._pieces_left -= 1
        found = http_bytes(self._url, PIECE_BYTES, begin=begin) if self._pieces_left >= 0 else None
        self._begin, self._piece = begin, found.data if found is not None and found.has_ranges else b""
