"""Read playlists: lists of addresses of sound (M3U and PLS), and tell pages of HTML from them.

A playlist of HLS is a stream cut into pieces, which ffmpeg plays. Here are the plain lists: what a radio's "listen"
button downloads, and a player's list of files.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from streamer.errors import StreamError

LARGEST_BYTES = 1 << 16
"""Largest playlist that is read."""

DEEPEST = 3
"""Largest number of playlists that may refer to each other."""

SUFFIXES = (".m3u", ".m3u8", ".pls")
"""Suffixes of playlists, in small letters."""


def entries_of(content: bytes, name: str) -> list[str] | None:
    """Return the addresses in a playlist, in their order; None if it is no plain playlist.

    Parameters
    ----------
    content : bytes
        Beginning of a file.
    name : str
        Name or URL of the file. Its suffix tells that a list without a header is a playlist.
    """
    text = _text_of(content)
    if re.match(r"\s*\[playlist\]", text, re.IGNORECASE):
        numbered = re.findall(r"^\s*File(\d+)\s*=\s*(\S.*?)\s*$", text, re.IGNORECASE | re.MULTILINE)
        return [address for _, address in sorted(numbered, key=lambda entry: int(entry[0]))]
    if "\0" in text or "#EXT-X-" in text:
        return None
    if text.startswith("#EXTM3U") or urlsplit(name).path.lower().endswith(SUFFIXES[:2]):
        lines = [line.strip() for line in text.splitlines()]
        return [line for line in lines if line and not line.startswith("#")]
    return None


def _text_of(content: bytes) -> str:
    """Return a text in UTF-16, if a byte order mark tells that, or else in UTF-8."""
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_wide else "utf-8-sig", errors="replace")


def is_html(content: bytes) -> bool:
    """Return whether `content`, the beginning of a file, is that of an HTML page."""
    return (
        re.match(
            rb"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body|script)\b",
            content,
            re.IGNORECASE | re.DOTALL,
        )
        is not None
    )


def is_address(entry: str) -> bool:
    """Return whether an entry is a URL rather than the path of a file."""
    return "://" in entry and not entry.lower().startswith("file://")


def local_path(entry: str, playlist: Path) -> Path:
    """Return the path of an entry of a local playlist; relative paths begin at the playlist's folder."""
    if entry.lower().startswith("file://"):
        return Path(unquote(urlsplit(entry).path))
    plain = Path(entry) if Path(entry).exists() else Path(entry.replace("\\", "/"))
    return playlist.parent / plain


def absolute(entries: Sequence[str], url: str) -> list[str]:
    """Return the entries of a playlist that came from `url` as URLs; local files among them are refused."""
    return [urljoin(url, entry) for entry in entries if not entry.lower().startswith("file:")]


def without_entries(name: str) -> StreamError:
    """Return the error to raise for a playlist that lists nothing."""
    return StreamError(
        f"{name} is a playlist without entries; expected the address of a stream, or a file, in it"
    )
