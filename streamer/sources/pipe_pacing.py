"""When it is worth looking again at a pipe, which does not tell whether its writer is live."""

from __future__ import annotations

from streamer.sources.source import POLL_S

LATE_POLL_S = 0.01
"""Between two looks at a live pipe whose next sound is overdue."""

LIVE_RATIO = 2.0
"""Sound that comes faster than it lasts, by this, comes out of a store: its writer waits for the reader."""


class PipePacing:
    """Rests while live sound gathers, and not while a writer waits.

    Parameters
    ----------
    rate_hz : int
        Of the frames.
    now : float
        Seconds on any clock.
    """

    def __init__(self, rate_hz: int, now: float) -> None:
        self._rate_hz = rate_hz
        self._heard_at = now
        self._is_live = True

    def heard(self, frames: int, now: float) -> None:
        """Told of every read that gave something."""
        self._is_live = frames <= LIVE_RATIO * self._rate_hz * (now - self._heard_at)
        self._heard_at = now

    def wait_s(self, now: float, turn_s: float) -> float:
        """How long to rest before the next read, in seconds; `turn_s` as of `Source.wait_s`."""
        return max(LATE_POLL_S, self._heard_at + turn_s - now) if self._is_live else POLL_S
