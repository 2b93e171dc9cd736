"""Find by time stamps what the segments of a stream overlap, if each was encoded by itself.

An encoder begins with priming and ends with padding. In a stream of segments, both are there at every joint, and the
sound would grow longer by them: by up to a tenth of a second for each segment, and minutes in an hour.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

STEP_S = 0.01
"""Smallest overlap that is cut; smaller ones add up until they reach it."""

LONGEST_S = 0.5
"""Longest overlap; time stamps that go back farther begin anew, and say nothing about the stream's clock."""

SETTLED_PACKETS = 16
"""Number of first packets that are not placed: ffmpeg stamps some of them a packet early."""

HELD_FRAMES = 4_096
"""Length that is held back because the next segment may tell that it is padding: four frames of AAC."""


@dataclass
class PacketPart:
    """Consecutive frames of a packet.

    Attributes
    ----------
    stamp : int or None
        Time stamp of the first frame; None if it is unknown.
    frames : int
    is_kept : bool
        Whether it belongs to the sound; otherwise another piece covers its time.
    """

    stamp: int | None
    frames: int
    is_kept: bool = True


class Overlaps:
    """Cuts what segments overlap: the priming of the later one first, then the padding of the earlier one.

    Parameters
    ----------
    rate_hz : int
        Sample rate, which is the unit of time stamps as well.
    priming_frames : int
        Number of frames with which the encoder begins that are no sound.

    Attributes
    ----------
    begins_anew : bool
        Whether time stamps went back so far that they do not tell what overlaps.
    """

    def __init__(self, rate_hz: int, priming_frames: int) -> None:
        self._step, self._longest = STEP_S * rate_hz, LONGEST_S * rate_hz
        self._priming_frames = priming_frames
        self._held: deque[PacketPart] = deque()
        self._standing: list[PacketPart] = []
        self._last = -(1 << 62)
        self._next: int | None = None
        self._packets = 0
        self.begins_anew = False

    def note(self, stamp: int | None, frames: int) -> list[PacketPart]:
        """Take note of a packet, and return the pieces of which is known by now whether they are kept.

        Parameters
        ----------
        stamp : int or None
            Time stamp of its first frame. One that is not above the packet's before says only that the true one
            is not either, since ffmpeg lets none go back.
        frames : int
        """
        self._packets += 1
        stands_still = stamp is not None and stamp <= self._last
        if stamp is None or self._packets <= SETTLED_PACKETS or (stands_still and self.begins_anew):
            self._held.append(PacketPart(None, frames))
        elif stands_still:
            self._stand(frames)
        else:
            self._go_on(stamp, frames)
        self._last = self._last if stamp is None else max(self._last, stamp)
        return self._known()

    def rest(self) -> list[PacketPart]:
        """Return what is held back, at the end of the stream."""
        pieces = [*self._held, *self._standing]
        self._held.clear()
        self._standing.clear()
        return pieces

    def _stand(self, frames: int) -> None:
        """Wait for the next time stamp that goes on; if it does not come, the stamps began anew."""
        self._standing.append(PacketPart(None, frames))
        if sum(piece.frames for piece in self._standing) > self._longest:
            self.begins_anew = True
            self._next = None
            self._join(self._priming_frames)

    def _go_on(self, stamp: int, frames: int) -> None:
        """Place a packet whose time stamp goes on, and those before it whose stamps stood still."""
        standing = sum(piece.frames for piece in self._standing)
        overlap = 0 if self._next is None else self._next - (stamp - standing)
        self._standing.append(PacketPart(stamp, frames))
        if self._step <= overlap <= self._longest:
            self._join(min(overlap, self._priming_frames) + self._cut_padding(overlap - self._priming_frames))
        else:
            self._join(0)
        is_small = self._next is not None and abs(overlap) < self._step
        self._next = self._next + standing + frames if is_small and self._next is not None else stamp + frames

    def _cut_padding(self, frames: int) -> int:
        """Cut frames from the end of what is held back; return how many could not be cut."""
        for at in range(len(self._held) - 1, -1, -1):
            piece = self._held[at]
            if frames <= 0:
                break
            if not piece.is_kept:
                continue
            cut = min(frames, piece.frames)
            frames -= cut
            piece.frames -= cut
            self._held.insert(at + 1, PacketPart(None, cut, is_kept=False))
        return max(0, frames)

    def _join(self, dropped: int) -> None:
        """Put what stood still behind what is held back, without its first `dropped` frames."""
        for piece in self._standing:
            cut = min(dropped, piece.frames)
            dropped -= cut
            stamp = None if piece.stamp is None else piece.stamp + cut
            if cut:
                self._held.append(PacketPart(None, cut, is_kept=False))
            if cut < piece.frames:
                self._held.append(PacketPart(stamp, piece.frames - cut))
        self._standing.clear()

    def _known(self) -> list[PacketPart]:
        """Return the oldest pieces beyond the length that is held back."""
        known = []
        length = sum(piece.frames for piece in self._held)
        while self._held and length - self._held[0].frames >= HELD_FRAMES:
            known.append(self._held.popleft())
            length -= known[-1].frames
        return [piece for piece in known if piece.frames]
