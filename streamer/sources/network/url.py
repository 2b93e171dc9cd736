"""Read a URL: a stream or a file by ffmpeg, a playlist by its entries, PCM behind a wrong header by ourselves.

A recording whose kind ffmpeg does not read over a joint is fetched as bytes, and decoded part by part.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from streamer.errors import StreamError
from streamer.sources.byte_input import ByteInput
from streamer.sources.ffmpeg import MP4_HEAD_BYTES, is_unedited_mp4
from streamer.sources.formats.container import ContainerSource
from streamer.sources.formats.containers.survey import (
    announced_end,
    ends_openly,
    may_hold_pcm,
    pcm_encoding_of,
)
from streamer.sources.formats.seeking import needs_seeking
from streamer.sources.network.hls_clock import HlsClock
from streamer.sources.network.hls_dates import HlsDates
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
from streamer.sources.network.segment_stream import SUFFIXES as SEGMENTED_SUFFIXES
from streamer.sources.network.segment_stream import SegmentStream
from streamer.sources.network.url_address import split_url, without_secrets
from streamer.sources.network.url_input import UrlInput
from streamer.sources.network.url_stream import SEGMENTED, UrlStream, url_stream
from streamer.sources.parts import PartsSource
from streamer.sources.source import Source
from streamer.sources.spooled import SpooledSource
from streamer.sources.wrappers.mirrors import Mirrors
from streamer.sources.wrappers.wrapper import SourceWrapper

HEAD_BYTES = 1 << 14
"""Number of first bytes of a container that are looked at."""

NO_SOUND = ("Invalid data found", "matches no streams", "Operation not permitted", "Stream ends after")
"""What ffmpeg says of something that it does not take for sound."""

PCM_CONTAINERS = ("wav", "w64", "aiff", "au", "caf")
"""ffmpeg's names of containers whose headers may announce less sound than there is."""

PARTED = ("flac", "ogg", "wv", "tta", "asf", "flv", "nistsphere", "voc", "amr", "wav")
"""ffmpeg's names of containers whose recordings may be joined end to end, and that ffmpeg then does not hear whole."""


class UrlSource(SourceWrapper):
    """The sound of a URL.

    Parameters
    ----------
    url : str
        A URL of one of `streamer.sources.network.url_protocols.URL_SCHEMES`.
    depth : int
        Number of playlists that led to this URL.
    track : int or str
        Number or language of the sound track that is heard; empty for the first.
    """

    opens_slowly = True

    def __init__(self, url: str, depth: int = 0, track: int | str = "") -> None:
        self._url = url
        self._shown = f"URL {without_secrets(url)}"
        self._depth = depth
        self._is_http = split_url(url).scheme.lower() in ("http", "https")
        self._given_up = threading.Event()
        self._track = "" if str(track) == "1" else track
        is_segmented = split_url(url).path.lower().endswith(SEGMENTED_SUFFIXES)
        self._ffmpeg = self._stream(SegmentStream if is_segmented else UrlStream)
        self._announced_s: float | None = None
        super().__init__(self._ffmpeg)

    def give_up_opening(self) -> None:
        self._given_up.set()
        super().give_up_opening()

    def open(self) -> None:
        self._inner = self._ffmpeg
        path = split_url(self._url).path.lower()
        if self._is_http and path.endswith(SUFFIXES) and self._open_playlist():
            return
        dates = HlsDates(self._url)
        if self._is_http and path.endswith(SUFFIXES):
            dates.read()
        try:
            super().open()
            if self._ffmpeg.container in SEGMENTED and not isinstance(self._ffmpeg, SegmentStream):
                self._ffmpeg.close()
                self._inner = self._ffmpeg = self._stream(SegmentStream)
                super().open()
        except StreamError as error:
            self._open_otherwise(error)
            return
        if self._is_http and self._ffmpeg.container == "hls" and isinstance(self._ffmpeg, SegmentStream):
            self._follow_clock(self._ffmpeg, dates)
        elif self._is_http:
            self._check_end()

    @property
    def total_s(self) -> float | None:
        return self._announced_s or super().total_s

    def _stream(self, kind: type[UrlStream]) -> UrlStream:
        stream = url_stream(self._url, kind)
        stream.track = self._track
        return stream

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
        self._inner = Mirrors(
            self._shown, [partial(UrlSource, url, self._depth + 1, self._track) for url in urls]
        )
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
            self._open_bytes(ContainerSource)
        elif needs_seeking(found.data) and not found.has_ranges:
            self._open_bytes(SpooledSource)
        else:
            raise error

    @staticmethod
    def _follow_clock(stream: SegmentStream, dates: HlsDates) -> None:
        """Take the sender's clock from the playlists of HLS, if they have dates."""
        opened = stream.opened_addresses
        begun_at = dates.first(opened)
        if begun_at is None:
            dates.read()
            begun_at = dates.first(opened)
        if begun_at is not None:
            stream.follow_clock(begun_at, HlsClock(dates))

    def _check_end(self) -> None:
        """Read the sound in another way if ffmpeg would not hear it to its end, or not from its beginning."""
        container = self._ffmpeg.container
        if self._track:
            return
        if container in PCM_CONTAINERS and self._ffmpeg.is_plain_pcm:
            found = http_bytes(self._url, HEAD_BYTES)
            if found is not None and not self._hears_all(found):
                self._open_bytes(ContainerSource)
        elif (
            container == "mp3" and self._has_length()
        ):  # stations send MP3 too, some at once what came before
            self._open_bytes(PartsSource)
        elif container in PARTED and self._is_recording():
            self._announced_s = self._ffmpeg.total_s
            self._open_bytes(PartsSource)
        elif container.startswith("mov,"):
            self._check_mp4()

    def _hears_all(self, found: HttpBytes) -> bool:
        """Return whether ffmpeg hears all the PCM behind a header, as it is: to its announced end, or live.

        ffmpeg 5.1 takes the big-endian samples of a RIFX for little-endian ones.
        """
        encoding = pcm_encoding_of(found.data)
        if encoding is not None and self._ffmpeg.codec != f"pcm_{encoding.name}":
            return False
        if found.total_bytes is None:
            return self._ffmpeg.is_live and ends_openly(found.data)
        end = announced_end(found.data)
        return end is None or found.total_bytes in (end, end + end % 2)

    def _check_mp4(self) -> None:
        found = http_bytes(self._url, MP4_HEAD_BYTES)
        if found is None:
            return
        if needs_seeking(found.data) and not found.has_ranges:
            self._open_bytes(SpooledSource)
        elif is_unedited_mp4(found.data) and self._is_recording():
            self._open_bytes(PartsSource)
        elif is_unedited_mp4(found.data):
            self._ffmpeg.drop_priming()

    def _is_recording(self) -> bool:
        """Return whether the sound is a file on the server rather than live."""
        return not self._ffmpeg.is_live or self._has_length()

    def _has_length(self) -> bool:
        """Return whether the server says how long the resource is, as no station does."""
        found = None if self._ffmpeg.is_radio else http_bytes(self._url, 1)
        return found is not None and found.total_bytes is not None

    def _open_bytes(self, reader: Callable[[ByteInput], Source]) -> None:
        """Fetch the bytes again, for a source that reads them."""
        self._ffmpeg.close()
        self._inner = reader(UrlInput(self._url))
        if self._given_up.is_set():
            self._inner.give_up_opening()
        super().open()
