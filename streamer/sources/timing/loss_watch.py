"""Detect lost sound that nobody reported, by comparing a source with the clock."""

from __future__ import annotations

import math


class LossWatch:
    """Compares the number of frames that a live source gave with the time that passed.

    A sound server drops what a suspended client does not fetch, without telling PortAudio: PulseAudio holds 4 MiB
    (11 s of 48 kHz stereo) and drops the rest. A source that is merely late is behind the clock for a moment and then
    catches up. So only frames that are missing through a whole window count as lost, and slow drift of the device's
    clock is followed.

    Parameters
    ----------
    rate_hz : int
        Nominal sample rate of the source.
    window_s : float
        Time within which a late source catches up.
    tolerance_s : float
        Largest shortfall in a window that counts as jitter, or as a change of the server's latency.
    """

    MIN_LOOKS = 20
    """Fewest calls in a window that counts; with fewer, the reader itself was suspended."""

    def __init__(self, rate_hz: int, window_s: float = 2.0, tolerance_s: float = 0.25) -> None:
        self._rate_hz, self._window_s, self._tolerance_s = rate_hz, window_s, tolerance_s
        self._usual_s: float | None = None
        self._begin(math.nan)

    def _begin(self, now: float) -> None:
        self._began_at, self._looks, self._least_s = now, 0, math.inf

    def missing(self, frames: int, now: float) -> int:
        """Return how many frames proved to be lost since the last call; call it every few tens of milliseconds.

        Parameters
        ----------
        frames : int
            Number of frames that the source has given so far, with those that it reported as lost, and those that this
            method returned before.
        now : float
            Seconds on a monotonic clock.

        Returns
        -------
        int
            Number of frames, mostly 0. The caller makes a gap of them.
        """
        if math.isnan(self._began_at):
            self._begin(now)
        self._looks += 1
        self._least_s = min(self._least_s, now - frames / self._rate_hz)
        if now - self._began_at < self._window_s or self._looks < self.MIN_LOOKS:
            return 0
        grown_s = 0.0 if self._usual_s is None else self._least_s - self._usual_s
        self._usual_s = self._least_s
        self._begin(now)
        return round(grown_s * self._rate_hz) if grown_s > self._tolerance_s else 0
