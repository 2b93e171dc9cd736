"""Read the sound of a URL by ffmpeg: place a live stream on the sample clock, and tell where anything breaks off."""

from __future__ import annotations

import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from streamer.errors import EndedError, StreamError
from streamer.sources.ffmpeg.ffmpeg_source import FfmpegSource
from streamer.sources.network.begun_frames import LOOK_AFTER_S, format_of_frames
from streamer.sources.network.broken_off import broken_off, is_whole
from streamer.sources.network.sender_reports import SCHEMES as REPORTING
from streamer.sources.network.sender_reports import SenderReports
from streamer.sources.network.side_pipe import SidePipe
from streamer.sources.network.url_protocols import input_arguments
from streamer.sources.pipes.pipe import full_bytes
from streamer.sources.source import OPEN_POLL_S, Block, SourceCounts
from streamer.sources.timing.arrival import Pace, PauseWatch
from streamer.sources.timing.loss_watch import LossWatch
from streamer.sources.timing.overlaps import PacketPart
from streamer.sources.timing.placing import Placing
from streamer.sources.timing.sender_clock import SenderClock
from streamer.sources.timing.steady_stamps import SteadyStamps
from streamer.sources.url_address import without_secrets

DOWNLOADS = ("http", "https")
"""Schemes by which recordings are served as well as live streams."""

SEGMENTED = ("hls", "dash")
"""Formats that come in pieces of several seconds with pauses in between, which therefore say nothing."""

UNCLOCKED = ("ogg",)
"""Formats whose time stamps are no clock: in an Ogg chain, ffmpeg counts links of another rate at that of the first."""

JUDGE_S = 0.3
"""Longest time after the opening that is taken to see whether sound comes faster than it lasts."""

NO_STAMP = -(2**63)
"""ffmpeg's time stamp of a packet that has none."""

STEADY_WINDOW_S, STEADY_TOLERANCE_S = 30.0, 0.5
"""Time within which a live stream that is late catches up; if more is missing through all of it, that is lost."""


class UrlStream(FfmpegSource):
    """The sound of a URL.

    A live stream (`is_live`) is placed on the sample clock as it was sent: the index jumps over sound that did not
    come, by the time stamps of the packets, or else by the clock (`Placing`, `PauseWatch`, `LossWatch`). Its frames
    have the time at which they came. A recording on a server is read as a file: without gaps and times.

    ffmpeg writes the time stamp and the number of frames of each packet into a second pipe, as lines of its
    ``framecrc`` format. No more frames are read than these lines have described.

    Parameters
    ----------
    url : str
        A URL with one of `streamer.sources.network.url_protocols.URL_SCHEMES`.
    input_arguments, open_timeout_s, stall_timeout_s, clock
        As of `FfmpegSource`.
    """

    lost_by = "packets were lost on the way, or the sender paused"
    timed_by = "arrival"
    is_recording = False
    """Whether it is known to be a recording, whatever its pace; to be set after `open`, which forgets it."""
    has_length = False
    """Whether its server states its length, so that it is a recording once it comes faster than it lasts; as above."""

    def __init__(
        self,
        url: str,
        input_arguments: Sequence[str],
        open_timeout_s: float = 10.0,
        stall_timeout_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            f"URL {without_secrets(url)}", input_arguments, open_timeout_s, stall_timeout_s, clock
        )
        self._scheme = urlsplit(url).scheme
        self._is_download = self._scheme in DOWNLOADS
        self._pipes: Sequence[SidePipe] = ()
        self._reports: SenderReports | None = None
        self._sender_zero_at: float | None = None
        self._was_opened = self._was_asked = False

    @property
    def is_live(self) -> bool:
        """Whether the sound is sent as it happens; before it is open, it may be.

        A radio station says that it is one, and a stream without a length by any protocol but HTTP is live. By HTTP
        the pace decides, since a server of recordings sends them faster than they last, and headers lie; unless it is
        known that it is a recording (`is_recording`).
        """
        if not self._was_opened:
            return True
        if self.is_recording:
            return False
        log = self._log
        if not self._is_download or log.container in SEGMENTED or log.is_radio:
            return log.duration_s is None or log.is_radio
        return not self._pace.is_fast

    @property
    def bitrate_kbps(self) -> int:
        """Bit rate that the header states or ffmpeg estimates; 0 if it is unknown. Valid after `open`."""
        return self._log.bitrate_kbps

    @property
    def codec(self) -> str:
        """Ffmpeg's name of the codec that is heard; valid after `open`."""
        return self._log.codec

    @property
    def is_radio(self) -> bool:
        """Whether the server calls itself a radio station; valid after `open`."""
        return self._log.is_radio

    @property
    def total_s(self) -> float | None:
        return self._log.duration_s if self._process is not None else None

    @property
    def counts(self) -> SourceCounts:
        return SourceCounts(lost_frames=self._lost_frames)

    def open(self) -> None:
        self._packets: deque[PacketPart] = deque()
        self._runs: deque[tuple[int | None, int]] = deque()
        self._arrived_frames = self._lost_frames = 0
        self._priming_left = 0
        self.is_recording = self.has_length = False
        self._pace = Pace(self._clock())
        self._was_asked = bool(self._input_format)
        if self._input_format:  # as it is now: another programme may be sent in another format
            self._input_format = format_of_frames(self._input_arguments[-1])
        try:
            super().open()
        except _FormatKnownError:
            self._pace = Pace(self._clock())
            super().open()
        self._was_opened = True
        self._look()
        judged_at = self._clock() + JUDGE_S
        while self._is_download and not self._pace.is_fast and self._clock() < judged_at:
            if self._lines.reader.ended or self._given_up.is_set():
                break
            self._lines.reader.wait(OPEN_POLL_S)
            self._look()

    def read(self, max_frames: int) -> Block | None:
        if self._process is None:
            return None
        self._look()
        self._place()
        all_placed = self._lines.reader.ended and not self._packets
        if all_placed and not self._runs and self._reader.waiting_items():
            # ffmpeg ended before it described the last frames
            self._runs.append((self._placing.index, max_frames))
        if not self._runs:
            self._end_or_wait(all_placed)
            return None
        start, frames = self._runs.popleft()
        samples = self._read_samples(min(max_frames, frames))
        read = 0 if samples is None else len(samples)
        if read < frames:
            self._runs.appendleft((None if start is None else start + read, frames - read))
        if samples is None:
            self._end_or_wait(self._reader.ended)
        if samples is None or start is None:  # what a later segment covers is passed over
            return None
        self._position = start + read
        if not self.is_live:
            return Block(start, samples, captured_at=None)
        captured_at = self._placing.arrival.captured_at(start + read)
        return Block(start, samples, captured_at, self._sender.sent_at(start + read))

    @property
    def opened_addresses(self) -> Sequence[str]:
        """Addresses that ffmpeg opened, in order, until it knew the input."""
        return self._log.opened

    def _while_opening(self, waited_s: float) -> None:
        if not self._is_download or self._was_asked or waited_s < LOOK_AFTER_S or self._log.container:
            return
        self._was_asked = True
        known = format_of_frames(self._input_arguments[-1])
        self._log.collect()
        if known and not self._log.container:
            self._input_format = known
            raise _FormatKnownError(f"{self._name} is {known}, which ffmpeg has not recognised yet")

    def drop_priming(self) -> None:
        super().drop_priming()
        self._priming_left = self._to_drop

    def close(self) -> None:
        super().close()
        for pipe in self._pipes:
            pipe.close()
        self._pipes = ()

    def _start(self) -> subprocess.Popen[bytes]:
        self._lines = SidePipe()
        described = [*self._chosen, "-c:a", "pcm_f32be", "-flush_packets", "1", "-f", "framecrc"]
        outputs = [*described, f"pipe:{self._lines.descriptor}"]
        self._reports = SenderReports() if self._scheme in REPORTING else None
        self._pipes = (self._lines, *(self._reports.pipes if self._reports else ()))
        if self._reports:
            outputs += self._reports.outputs(self._chosen)
        try:
            return self._started(*outputs, descriptors=[pipe.descriptor for pipe in self._pipes])
        finally:
            for pipe in self._pipes:
                pipe.close_writing()

    def _open_stream(self) -> None:
        super()._open_stream()
        self._stamps = SteadyStamps(self.rate_hz)
        self._placing = Placing(self.rate_hz)
        self._sender, self._sender_zero_at = SenderClock(self.rate_hz), None
        self._pauses = PauseWatch(self.rate_hz, self._clock())
        self._losses = LossWatch(self.rate_hz, window_s=STEADY_WINDOW_S, tolerance_s=STEADY_TOLERANCE_S)

    def _look(self) -> None:
        """Read ffmpeg's messages and the descriptions of packets that have come."""
        self._log.collect()
        had_ended = self._lines.reader.ended
        for line in self._lines.lines():
            if not line.startswith(b"#"):
                self._note_packet(line)
        if self._lines.reader.ended and not had_ended:
            self._packets.extend(self._last_pieces())
        if self._reports:
            self._reports.collect()
            self._sender_zero_at = self._reports.zero_at
        arrived_s = self._arrived_frames / self.rate_hz
        if not self._lines.reader.ended:
            self._pace.note(arrived_s, self._is_full, self._clock())
        elif not had_ended:  # from then on nothing comes, at whatever pace
            self._pace.note_end(arrived_s, self._clock())
        self.is_recording |= self.has_length and self._pace.is_fast

    @property
    def _is_full(self) -> bool:
        return self._reader.waiting_items() * self._frame_bytes >= full_bytes(self._pipe_bytes)

    def _note_packet(self, line: bytes) -> None:
        _, _, stamp, frames, *_ = (int(field, 0) for field in line.split(b","))
        is_clocked = stamp != NO_STAMP and self._log.container not in UNCLOCKED
        self._packets.extend(self._pieces_of(stamp if is_clocked else None, frames))
        self._arrived_frames += frames

    def _pieces_of(self, stamp: int | None, frames: int) -> list[PacketPart]:
        """Return a packet as pieces that can be placed."""
        return self._stamps.note(stamp, frames)

    def _last_pieces(self) -> list[PacketPart]:
        """Return the pieces that were held back, after the last packet."""
        return self._stamps.rest()

    def _place(self) -> None:
        """Place the packets that have come on the sample clock, once it is known what was lost before them."""
        now, lost, live = self._clock(), 0, self.is_live
        if live and self._log.container not in SEGMENTED:
            waiting = sum(piece.frames for piece in self._packets)
            in_pause = self._pauses.lost(waiting, self._is_full, now)
            if in_pause is None:
                return
            if self._packets:
                lost = in_pause + self._losses.missing(self._placing.index + waiting + in_pause, now)
        elif self._packets:
            self._pauses.pass_over(now)
        while self._packets:
            piece = self._packets.popleft()
            stamp, frames = self._without_priming_of(piece.stamp, piece.frames)
            if not piece.is_kept:
                self._runs.append((None, frames))
            if not (piece.is_kept and frames):
                continue
            missing = self._placing.missing_before(stamp if live else None, frames, now, lost)
            self._add_run(self._placing.index - frames, frames)
            if stamp is not None and self._sender_zero_at is not None:
                self._sender.note(self._placing.index, self._sender_zero_at + (stamp + frames) / self.rate_hz)
            self._lost_frames += missing
            lost = 0

    def _add_run(self, start: int, frames: int) -> None:
        """Note where the next frames of the pipe begin; those that follow others without a gap are one run."""
        if self._runs:
            before, length = self._runs[-1]
            if before is not None and before + length == start:
                self._runs[-1] = (before, length + frames)
                return
        self._runs.append((start, frames))

    def _without_priming_of(self, stamp: int | None, frames: int) -> tuple[int | None, int]:
        """Return what is left of a packet without the frames that come before the sound."""
        dropped = min(self._priming_left, frames)
        self._priming_left -= dropped
        return None if stamp is None else stamp + dropped, frames - dropped

    def _finish(self, code: int) -> None:
        self._log.collect()
        if code == 0 and self._position:
            self._check_whole()
        super()._finish(code)

    def _check_whole(self) -> None:
        """Raise the error of a live stream that ended, or of a recording that is cut short."""
        broken, heard_s = broken_off(self._log), self._arrived_frames / self.rate_hz
        whole = is_whole(self._log, heard_s, self.is_plain_pcm)
        if whole and not broken:
            return
        reason = f" (ffmpeg: {broken})" if broken else ""
        if self.is_live:
            self.close()
            raise EndedError(
                f"{self._name} ended after frame {self._position}{reason}: its server closed the connection; "
                "expected a live stream, which has no end: check the server and the network"
            )
        if broken or whole is False:
            announced = f" of {self._log.duration_s:g} s" if self._log.duration_s else ""
            self.close()
            raise StreamError(
                f"{self._name} is cut short after {heard_s:.2f} s{announced}{reason}; expected the whole sound: "
                "listen again, or check the file on the server"
            )


class _FormatKnownError(StreamError):
    """Raised where ffmpeg is to be started again, with the format of its input."""


def url_stream(url: str, kind: type[UrlStream] = UrlStream) -> UrlStream:
    """Return the source for a URL.

    Parameters
    ----------
    url : str
        A URL with ``http://``, ``https://``, ``rtsp://`` or another scheme of `URL_SCHEMES` in
        `streamer.sources.network.url_protocols`. A password in it is used, but left out of messages.
    kind : type
        The class of the source.

    Returns
    -------
    UrlStream

    Raises
    ------
    ConfigError
        If the scheme is none of these, or the URL cannot be parsed.
    """
    arguments = input_arguments(url)
    return kind(arguments[-1], arguments)
