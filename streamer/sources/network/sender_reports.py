"""Read the clock of a sender of RTP beside its sound, from what ffmpeg knows of its RTCP sender reports.

ffmpeg attaches the sender's time to each packet that comes after the first report, as "producer reference time" (16
bytes: microseconds since 1970, flags). Of its output formats only NUT writes that down, in the version 4 that it calls
experimental. So the packets are copied twice: into NUT, in which the times are found by their mark, and into lines of
``framecrc``, whose time stamps are those of the sound. Both hold the same packets in the same order.
"""

from __future__ import annotations

import re
import struct
from collections import deque
from collections.abc import Sequence

from streamer.sources.network.side_pipe import SidePipe
from streamer.sources.pipes.pipe import PIPE_BYTES

SCHEMES = ("rtsp", "rtsps", "rtp")
"""Schemes by which senders tell their clock (RFC 3550, 6.4.1)."""

NUT = ("-tag:a", "0x31415926", "-strict", "experimental", "-syncpoints", "none", "-f", "nut")
"""ffmpeg's options for NUT with side data; a tag that no codec has lets it hold any codec."""

_TIME = re.compile(rb"-SD-\d+\x04\x03bin\x10(.{8})\x18\0\0\0.{4}", re.DOTALL)
"""Side data of 16 bytes whose flags say that the time is the sender's (24)."""

_TIME_BASE = re.compile(rb"#tb 0: (\d+)/(\d+)")
_OF_16_BYTES = re.compile(rb",\s+16\b")
_LONGEST_MARK = 64
"""Bytes of NUT that are kept because a time may have begun in them."""


class SenderReports:
    """Finds out when the sender captured the frame with time stamp 0, by its own clock.

    Attributes
    ----------
    pipes : sequence of SidePipe
        Pipes that ffmpeg has to get.
    zero_at : float or None
        That time, in seconds since 1970, by the newest report; None before the first one.
    """

    def __init__(self) -> None:
        self._lines, self._copies = self.pipes = (SidePipe(), SidePipe())
        self._begun_copy = b""
        self._time_base_s = 0.0
        self._stamps: deque[int] = deque()
        self._times: deque[float] = deque()
        self.zero_at: float | None = None

    def outputs(self, track: Sequence[str]) -> list[str]:
        """Return ffmpeg's options that make it write into the pipes.

        Parameters
        ----------
        track : sequence of str
            ffmpeg's options that choose the sound track.
        """
        copied = [*track, "-c:a", "copy", "-flush_packets", "1"]
        lines = [*copied, "-f", "framecrc", f"pipe:{self._lines.descriptor}"]
        return [*lines, *copied, *NUT, f"pipe:{self._copies.descriptor}"]

    def collect(self) -> None:
        """Read what has come."""
        for line in self._lines.lines():
            self._note_line(line)
        while fresh := self._copies.reader.read(PIPE_BYTES):
            data, end = self._begun_copy + fresh, 0
            for found in _TIME.finditer(data):
                self._times.append(struct.unpack("<q", found[1])[0] / 1e6)
                end = found.end()
            self._begun_copy = data[max(end, len(data) - _LONGEST_MARK) :]
        while self._stamps and self._times:
            self.zero_at = self._times.popleft() - self._stamps.popleft() * self._time_base_s

    def _note_line(self, line: bytes) -> None:
        if base := _TIME_BASE.match(line):
            self._time_base_s = int(base[1]) / int(base[2])
        elif not line.startswith(b"#") and _OF_16_BYTES.search(line.partition(b"S=")[2]):
            self._stamps.append(int(line.split(b",")[2]))
