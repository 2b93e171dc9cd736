"""Read a URL: a stream or a file by ffmpeg, a playlist by its entries, PCM behind a wrong header by ourselves.

A recording is fetched as bytes, and read as standard input is, if its server states no length, or if ffmpeg does not
read its kind over a joint.
"""

from __future__ import annotations

import threading
from functools import partial

from streamer.errors import StreamError
from streamer.sources.byte_streams.parts import PartsSource
from streamer.sources.byte_streams.sound_of_bytes import sound_of_bytes
from streamer.sources.byte_streams.spooled import SpooledSource
from streamer.sources.ffmpeg.ffmpeg_log import NO_TRACK
from streamer.sources.ffmpeg.ffmpeg_source import is_unedited_mp4
from streamer.sources.formats.container import ContainerSource
from streamer.sources.formats.containers.survey import (
    announced_end,
    ends_openly,
    may_hold_pcm,
    pcm_encoding_of,
)
from streamer.sources.formats.libsndfile_kind import libsndfile_kind
from streamer.sources.formats.mpeg_begin import tag_bytes
from streamer.sources.formats.outer_boxes import outer_boxes
from streamer.sources.formats.seeking import needs_seeking
from streamer.sources.formats.sound_file_kind import sound_file_kind
from streamer.sources.network.hls_clock import HlsClock
from streamer.sources.network.hls_dates import HlsDates
from streamer.sources.network.http_bytes import HttpBytes, HttpContent, http_bytes
from streamer.sources.network.kept_sound import HEAD_BYTES, LOOK_S, is_kept
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
from streamer.sources.network.url_input import UrlInput
from streamer.sources.network.url_stream import SEGMENTED, UrlStream, url_stream
from streamer.sources.source import Source
from streamer.sources.url_address import split_url, without_secrets
from streamer.sources.wrappers.mirrors import Mirrors
from streamer.sources.wrappers.wrapper import SourceWrapper

NO_SOUND = ("Invalid data found", NO_TRACK, "Operation not permitted", "Stream ends after")
"""What is said of something that ffmpeg does not take for sound."""

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
        has_no_length = found.is_whole and found.total_bytes is None  # ffmpeg takes its end for a failure
        if (entries := entries_of(found.data, self._url)) is not None:
            self._open_entries(absolute(entries, found.url))
        elif (
            may_hold_pcm(found.data)
            or libsndfile_kind(found.data)
            or (has_no_length and sound_file_kind(found.data))
        ):
            self._open_bytes(sound_of_bytes(UrlInput(self._url), found.data))
        elif needs_seeking(found.data) and not found.has_ranges:
            self._open_bytes(SpooledSource(UrlInput(self._url)))
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
        found = None if self._ffmpeg.is_radio else http_bytes(self._url, HEAD_BYTES, LOOK_S)
        if found is None:
            return
        is_recording, container = self._is_recording(found), self._ffmpeg.container
        self._ffmpeg.is_recording, self._ffmpeg.has_length = is_recording, found.total_bytes is not None
        if self._track:
            return
        if libsndfile_kind(found.data):  # whatever ffmpeg takes it for
            self._open_bytes(SpooledSource(UrlInput(self._url)))
        elif container in PCM_CONTAINERS and self._ffmpeg.is_plain_pcm:
            if not self._hears_all(found, is_recording):
                self._open_bytes(ContainerSource(UrlInput(self._url)))
        elif is_recording and tag_bytes(found.data):
            self._open_bytes(sound_of_bytes(UrlInput(self._url), found.data))
        elif container.startswith("mov,"):
            self._check_mp4(found, is_recording)
        elif is_recording and (container in (*PARTED, "mp3", "iff") or found.total_bytes is None):
            self._open_bytes(sound_of_bytes(UrlInput(self._url), found.data))

    def _is_recording(self, found: HttpBytes) -> bool:
        """Return whether the sound is certainly kept on the server, rather than live."""
        if found.total_bytes is not None and (not self._ffmpeg.is_live or self._ffmpeg.container in PARTED):
            return True
        return is_kept(found, self._url, self._ffmpeg.bitrate_kbps)

    def _hears_all(self, found: HttpBytes, is_recording: bool) -> bool:
        """Return whether ffmpeg hears all the PCM behind a header, as it is: to its announced end, or live.

        ffmpeg 5.1 takes the big-endian samples of a RIFX for little-endian ones.
        """
        encoding = pcm_encoding_of(found.data)
        if encoding is not None and self._ffmpeg.codec != f"pcm_{encoding.name}":
            return False
        if found.total_bytes is None:
            return not is_recording and ends_openly(found.data)
        end = announced_end(found.data)
        return end is None or found.total_bytes in (end, end + end % 2)

    def _check_mp4(self, found: HttpBytes, is_recording: bool) -> None:
        is_unedited = is_unedited_mp4(found.data)
        if needs_seeking(found.data) and not found.has_ranges:
            self._open_bytes(SpooledSource(UrlInput(self._url)))
        elif is_recording and (is_unedited or not found.has_ranges):
            self._open_bytes(PartsSource(UrlInput(self._url)))
        elif is_unedited:
            self._ffmpeg.drop_priming()
        elif [name for _, name in outer_boxes(HttpContent(self._url, found))].count(b"ftyp") > 1:
            self._open_bytes(SpooledSource(UrlInput(self._url)))

    def _open_bytes(self, source: Source) -> None:
        """Let a source fetch the bytes again and read them, in place of ffmpeg."""
        if self._ffmpeg.container in PARTED:
            self._announced_s = self._ffmpeg.total_s
        self._ffmpeg.close()
        self._inner = source
        if self._given_up.is_set():
            self._inner.give_up_opening()
        super().open()
