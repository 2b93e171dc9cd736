"""Sound that went missing without a word, seen against the clock."""

from __future__ import annotations

import math


class LossWatch:
    """Compares the frames that a live source brought with the time that passed.

    A sound server drops what a suspended client does not fetch, and PortAudio is not told: PulseAudio holds
    4 MiB of it (11 s of 48 kHz stereo). A source that is merely late is behind the clock for a moment and then
    catches up, so only what is missing through a whole window counts, and slow drift of the device's clock is
    followed.

    Parameters
    ----------
    rate_hz : int
        The source's nominal rate.
    window_s : float
        How long a source may take to catch up.
    tolerance_s : float
        What may go missing in a window: jitter, and a server that changes its latency.
    """

    MIN_LOOKS = 20
    """A window with fewer looks than this says nothing: the reader was asleep itself."""

    def __init__(self, rate_hz: int, window_s: float = 2.0, tolerance_s: float = 0.25) -> None:
        self._rate_hz, self._window_s, self._tolerance_s = rate_hz, window_s, tolerance_s
        self._usual_s: float | None = None
        self._begin(math.nan)

    def _begin(self, now: float) -> None:
        self._began_at, self._looks, self._least_s = now, 0, math.inf

    def missing(self, frames: int, now: float) -> int:
        """Look once more; to be called at least every few tens of milliseconds.

        Parameters
        ----------
        frames : int
            How many the source has brought so far, those that it said were lost included.
        now : float
            Seconds on a monotonic clock.

        Returns
        -------
        int
            How many frames have newly turned out to be missing, mostly 0.
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
