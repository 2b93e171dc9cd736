"""Find out when the pieces of an HLS stream were captured, from the dates in its playlists (RFC 8216, 4.3.2.6).

ffmpeg passes over these dates, so the playlists are read once more: before it opens them, since live ones forget old
pieces soon, and behind it if it found newer ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import urljoin

from streamer.sources.network.http_bytes import http_bytes

LARGEST_BYTES = 1 << 20
"""Largest playlist that is read: hours of pieces that one may go back to."""

MOST_PLAYLISTS = 4
"""Number of playlists of one stream, in several qualities, that are read; their pieces begin at the same times."""

YEARS = range(1900, 9_000)
"""Years that are passed on, however wrong they may be; sound that ends after the year 9999 has no date."""

_URI = re.compile(r'URI="([^"]*)"')
_DATE, _LENGTH, _JOINT = "#EXT-X-PROGRAM-DATE-TIME:", "#EXTINF:", "#EXT-X-DISCONTINUITY"


class HlsDates:
    """The dates of the pieces of a stream.

    Parameters
    ----------
    url : str
        Address of its playlist, by HTTP.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._spans: dict[str, tuple[float, float] | None] = {}
        self._others: set[str] = {url}

    def read(self) -> None:
        """Read the playlists; their dates take the place of those that were read before."""
        waiting, done = [self._url], 0
        spans: dict[str, tuple[float, float] | None] = {}
        while waiting and done < MOST_PLAYLISTS + 1:
            found = http_bytes(waiting.pop(0), LARGEST_BYTES)
            done += 1
            if found is None:
                continue
            text = found.data.decode("utf-8-sig", errors="replace")
            named = {urljoin(found.url, uri) for uri in _URI.findall(text)}
            self._others |= named
            if "#EXT-X-STREAM-INF" in text:
                listed = [urljoin(found.url, line) for line in _lines(text) if not line.startswith("#")]
                self._others |= set(listed)
                waiting += listed
            else:
                spans |= spans_of(text, found.url)
        self._spans = spans

    def first(self, opened: Sequence[str]) -> float | None:
        """Return the time at which the first piece begins, in seconds since 1970; None if it is not known.

        Parameters
        ----------
        opened : sequence of str
            Addresses that ffmpeg opened, in order: playlists, keys and pieces.
        """
        span = self._spans.get(next(self._pieces(opened), ""))
        return None if span is None else span[0]

    def last(self, opened: Sequence[str]) -> tuple[str, float | None]:
        """Return the address of the last piece that was opened, and the time at which it ends, if that is known."""
        piece = next(self._pieces(opened[::-1]), "")
        span = self._spans.get(piece)
        return piece, None if span is None else span[1]

    def _pieces(self, opened: Sequence[str]) -> Iterator[str]:
        """Give those addresses that are neither playlists nor keys."""
        plain = (address.removeprefix("crypto+").removeprefix("crypto:") for address in opened)
        return (address for address in plain if address not in self._others)


def spans_of(text: str, url: str) -> dict[str, tuple[float, float] | None]:
    """Return the times at which each piece of a playlist begins and ends, in seconds since 1970, by its address.

    A date counts on over the lengths of the pieces behind it, up to the next date or the next joint of time stamps. The
    times are None where several pieces have one address.

    Parameters
    ----------
    text : str
        The playlist.
    url : str
        Its address.
    """
    spans: dict[str, tuple[float, float] | None] = {}
    at: float | None = None
    length_s, is_dated = 0.0, False
    for line in _lines(text):
        if line.startswith(_DATE):
            at = _seconds(line.removeprefix(_DATE))
            is_dated = True
        elif line.startswith(_LENGTH):
            number = re.match(r"[0-9.]+", line.removeprefix(_LENGTH))
            length_s = float(number[0]) if number else 0.0
        elif line == _JOINT and not is_dated:
            at = None
        elif not line.startswith("#"):
            piece = urljoin(url, line)
            if at is not None:
                spans[piece] = None if piece in spans else (at, at + length_s)
                at += length_s
            is_dated = False
    return spans


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _seconds(text: str) -> float | None:
    """Return a date as seconds since 1970; None if it has no time zone, is none, or is in no year of `YEARS`."""
    try:
        date = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    is_known = date.tzinfo is not None and date.year in YEARS
    return date.timestamp() if is_known else None
