"""Read a stream that comes in segments (HLS, DASH), and cut what segments overlap that were encoded one by one."""

from __future__ import annotations

import logging

from streamer.sources.ffmpeg.ffmpeg_source import AAC_PRIMING
from streamer.sources.network.hls_clock import HlsClock
from streamer.sources.network.url_stream import UrlStream
from streamer.sources.timing.overlaps import Overlaps, PacketPart
from streamer.sources.timing.sender_clock import SenderClock

logger = logging.getLogger(__name__)

SUFFIXES = (".m3u8", ".mpd")
"""Suffixes of the playlists of segments, in small letters."""

AS_THEY_ARE = "-copyts"
"""ffmpeg's option that leaves time stamps as they are."""

IDLE_S = 0.5
"""Time without sound after which the piece that was opened last has come whole."""

TOLD_S = 0.1
"""Shortest sound beyond the length of the playlist that is told."""


class SegmentStream(UrlStream):
    """The sound of a stream of segments, with the index on the clock of their time stamps.

    Of a recording, ffmpeg gives the time stamps as they are (``-copyts``); otherwise, it would shift those that go
    back by more than 0.1 s, so that nothing tells of the overlap. Of a live stream, this shift is wanted: it keeps
    gaps visible after an announcement with time stamps of its own.
    """

    _hls_clock: HlsClock | None = None

    def open(self) -> None:
        super().open()
        if self.total_s is not None and AS_THEY_ARE not in self._input_arguments:
            self.close()
            self._input_arguments = [AS_THEY_ARE, *self._input_arguments]
            super().open()

    def follow_clock(self, begun_at: float, hls_clock: HlsClock) -> None:
        """Take the sender's clock, before the first `read`.

        Parameters
        ----------
        begun_at : float
            Time at which the first piece begins, in seconds since 1970.
        hls_clock : HlsClock
            Keeps it right.
        """
        self._sender_zero_at, self._hls_clock = begun_at, hls_clock

    def _look(self) -> None:
        before = self._arrived_frames
        super()._look()
        if self._hls_clock is None:
            return
        if self._log.skipped_ahead:
            self._log.skipped_ahead = False
            self._sender_zero_at, self._sender = None, SenderClock(self.rate_hz)
        now = self._clock()
        if self._arrived_frames > before:
            self._came_at = now
        elif now - self._came_at >= IDLE_S:
            opened, stop_s = list(self._log.opened_last), self._stop_stamp / self.rate_hz
            self._sender_zero_at = self._hls_clock.corrected(opened, stop_s, self._sender_zero_at)

    def _open_stream(self) -> None:
        super()._open_stream()
        self._hls_clock = None
        self._came_at, self._stop_stamp = self._clock(), 0
        is_aac = self._log.codec == "aac"
        self._overlaps = Overlaps(self.rate_hz, AAC_PRIMING.get(self._log.profile, 0) if is_aac else 0)

    def _pieces_of(self, stamp: int | None, frames: int) -> list[PacketPart]:
        self._stop_stamp = self._stop_stamp if stamp is None else stamp + frames
        return self._overlaps.note(stamp, frames)

    def _last_pieces(self) -> list[PacketPart]:
        return self._overlaps.rest()

    def _finish(self, code: int) -> None:
        duration_s, heard_s = self.total_s, self._placing.index / self.rate_hz
        super()._finish(code)
        if duration_s and heard_s - duration_s > TOLD_S:
            logger.warning(
                "%s gave %.2f s of sound where its playlist says %.2f s: its segments were encoded one by one, and "
                "their time stamps do not tell what they overlap, so its times run ahead by %.2f s at the end",
                self._name,
                heard_s,
                duration_s,
                heard_s - duration_s,
            )
