"""Place the frames of a live stream on the sample clock by the time stamps that its packets carry."""

from __future__ import annotations

from streamer.sources.timing.arrival import ArrivalClock

STEP_S = 0.01
"""Smallest jump of the time stamps that counts as lost sound: half of the shortest usual packet, and more than the
rounding of time stamps to milliseconds."""

FOLLOWED = 0.02
"""Share of a smaller difference that is followed at each packet: clocks of camera and sound card drift apart."""

SUPPORT_S = 0.5
"""How far a gap may run ahead of the wall clock."""


class Placing:
    """Finds the frames that are missing before each packet.

    Time stamps may jump for other reasons than a loss: a camera sets its clock, a station changes its programme. So a
    jump counts only as far as the time that has passed supports it. Every other jump is followed without a gap.

    Parameters
    ----------
    rate_hz : int
        Sample rate, which is the unit of time stamps as well.

    Attributes
    ----------
    index : int
        Index of the frame after the last packet.
    arrival : ArrivalClock
        Tells when each frame came.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._offset: float | None = None
        self.index = 0
        self.arrival = ArrivalClock(rate_hz)

    def missing_before(self, stamp: int | None, frames: int, now: float, lost: int = 0) -> int:
        """Return the number of frames that were lost right before a packet, and move `index` behind the packet.

        Parameters
        ----------
        stamp : int or None
            Time stamp of the packet, in frames from any origin; None if it has none.
        frames : int
            Number of frames in the packet.
        now : float
            Time at which it came, in seconds on any clock.
        lost : int
            Number of frames that are known to be lost by other means; they count unless the time stamps tell better.
        """
        missing = lost
        if stamp is not None and self._offset is not None:
            jump = stamp - self._offset - self.index
            if abs(jump) <= STEP_S * self._rate_hz:
                self._offset += 0.0 if lost else FOLLOWED * jump
            elif jump > 0 and self._supported(jump, now):
                missing = round(jump)
        self.index += missing
        if stamp is not None and (self._offset is None or not self._is_near(stamp)):
            self._offset = stamp - self.index
        self.index += frames
        self.arrival.note(self.index, now)
        return missing

    def _supported(self, jump: float, now: float) -> bool:
        return self.arrival.captured_at(self.index + round(jump)) <= now + SUPPORT_S

    def _is_near(self, stamp: int) -> bool:
        assert self._offset is not None
        return abs(stamp - self._offset - self.index) <= STEP_S * self._rate_hz
