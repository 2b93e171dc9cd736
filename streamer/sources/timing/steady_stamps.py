"""Correct single time stamps that run ahead of those around them, before a gap is made of them."""

from __future__ import annotations

from streamer.sources.timing.overlaps import PacketPart
from streamer.sources.timing.placing import STEP_S

DOUBTED_S = STEP_S / 2
"""Smallest jump that waits for the next stamp: less than what makes a gap, since rounding to ms adds to it."""


class SteadyStamps:
    """Believes that the time stamps jump ahead once the packet after the jump says so too.

    ffmpeg stamps a packet of Vorbis late where long blocks give way to short ones: by 448 frames, or 896 at low bit
    rates, which is 10 to 20 ms (findings/ffmpeg_late_stamps_of_vorbis.sh). The next stamp is right again. A gap would
    be made at each such place otherwise.

    Parameters
    ----------
    rate_hz : int
        Sample rate, which is the unit of time stamps as well.
    """

    def __init__(self, rate_hz: int) -> None:
        self._step = DOUBTED_S * rate_hz
        self._next: int | None = None
        self._held: PacketPart | None = None

    def note(self, stamp: int | None, frames: int) -> list[PacketPart]:
        """Take note of a packet, and return those whose stamps are sure by now: a jump waits for the next packet.

        Parameters
        ----------
        stamp : int or None
            Time stamp of its first frame; None if it has none.
        frames : int
        """
        known = self._settled(stamp)
        part = PacketPart(stamp, frames)
        if stamp is not None and self._next is not None and stamp - self._next > self._step:
            self._held = part
        else:
            known.append(part)
            self._go_on(part)
        return known

    def rest(self) -> list[PacketPart]:
        """Return what is held back, at the end of the stream."""
        return self._settled(None)

    def _settled(self, following: int | None) -> list[PacketPart]:
        """Return the packet that is held back, corrected by the time stamp that follows it."""
        part, self._held = self._held, None
        if part is None:
            return []
        assert part.stamp is not None
        assert self._next is not None
        if following is not None and following - part.frames >= self._next - self._step:
            part.stamp = min(part.stamp, following - part.frames)
        self._go_on(part)
        return [part]

    def _go_on(self, part: PacketPart) -> None:
        if part.stamp is not None:
            self._next = part.stamp + part.frames
        elif self._next is not None:
            self._next += part.frames
