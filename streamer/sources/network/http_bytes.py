"""Look at a few bytes of what an HTTP server sends, before or beside ffmpeg."""

from __future__ import annotations

import base64
import http.client
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

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
    """

    data: bytes
    total_bytes: int | None
    url: str
    has_ranges: bool


def http_bytes(url: str, length: int) -> HttpBytes | None:
    """Return the first bytes of a resource; None if they cannot be had.

    Parameters
    ----------
    url : str
        With ``http`` or ``https``; a user and a password in it are used.
    length : int
        Largest number of bytes.
    """
    parts = urlsplit(url)
    address, _, host = parts.netloc.rpartition("@")
    headers = {"Range": f"bytes=0-{length - 1}", "User-Agent": "Streamer", "Accept": "*/*"}
    if address:
        user = unquote(address).encode()
        headers["Authorization"] = f"Basic {base64.b64encode(user).decode()}"
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=host, fragment="")), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            has_ranges = answer.status == http.client.PARTIAL_CONTENT
            return HttpBytes(_read(answer, length), _total_bytes(answer), answer.url, has_ranges)
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _read(answer: http.client.HTTPResponse, length: int) -> bytes:
    data = b""
    while len(data) < length:
        try:
            piece = answer.read1(length - len(data))
        except (OSError, http.client.HTTPException):
            break  # what came counts
        if not piece:
            break
        data += piece
    return data


def _total_bytes(answer: http.client.HTTPResponse) -> int | None:
    of_range = re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.headers.get("Content-Range", ""))
    if of_range:
        return int(of_range[1])
    length = answer.headers.get("Content-Length", "")
    return int(length) if answer.status == http.client.OK and length.isdecimal() else None
