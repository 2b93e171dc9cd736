"""Time live sound by the clock of its sender."""

from __future__ import annotations

STEP_S = 0.1
"""Smallest change of the sender's clock that counts as a step; smaller ones are followed evenly."""

FOLLOWED = 0.02
"""Share of a smaller change that is followed at each packet: senders measure their clocks unsteadily."""

HOLD_S = 10.0
"""Length of the sound that a step must last. Time stamps that were set, or began anew, look like a step of the clock
until the sender's next report, which comes after 5 s or so (RFC 3550, 6.2)."""


class SenderClock:
    """Tells when the sender captured frames, by its own clock, in even steps of the sample clock.

    Its clock may be set while it sends. Then the times jump, and the index of the frames does not.

    Parameters
    ----------
    rate_hz : int
        Sample rate.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._zero_s: float | None = None
        self._step_since: int | None = None

    def note(self, index: int, sent_at: float) -> None:
        """Take note that the sender says that it captured frame `index` at `sent_at`, in seconds since 1970 (UTC)."""
        zero_s = sent_at - index / self._rate_hz
        if self._zero_s is None:
            self._zero_s = zero_s
        elif abs(zero_s - self._zero_s) <= STEP_S:
            self._zero_s += FOLLOWED * (zero_s - self._zero_s)
            self._step_since = None
        elif self._step_since is None:
            self._step_since = index
        elif index - self._step_since >= HOLD_S * self._rate_hz:
            self._zero_s, self._step_since = zero_s, None

    def sent_at(self, index: int) -> float | None:
        """Return the time at which the sender captured frame `index`; None as long as it has not told its clock."""
        return None if self._zero_s is None else self._zero_s + index / self._rate_hz
