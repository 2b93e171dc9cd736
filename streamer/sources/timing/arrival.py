"""Time live sound by its arrival, and find the pauses in which sound was lost."""

from __future__ import annotations

import math

AHEAD_S = 1.0
"""Sound ahead of the clock that only storage can give: a sender that plays as it captures cannot."""

ANCHOR_WINDOW_S = 10.0
"""Time for which the least delay of the network counts; a longer one follows the sender's clock more slowly."""

FAST_RATIO, PACE_WINDOW_S = 1.5, 3.0
"""Sound that comes so many times faster than it lasts, throughout the window, comes from storage."""

PAUSE_S = 1.0
"""Longest time without sound that counts as the network's unsteadiness."""

SETTLE_S, LONGEST_SETTLE_S = 0.3, 3.0
"""Time after a pause in which sound that only came late has come, since what a network held back comes at once; and how
long that may take while sound still comes faster than it lasts."""

TOLERANCE_S = 0.25
"""Smallest sound that counts as missing after a pause."""


class ArrivalClock:
    """Tells when frames were captured, as far as a receiver can: when they came, less what the network held them up.

    Sound comes unevenly. Its least delay within the last seconds tells best how its sample clock lies to ours, so
    capture times follow from the index in even steps.

    Parameters
    ----------
    rate_hz : int
        Sample rate.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._window_at = -math.inf
        self._least_s = self._least_before_s = math.inf

    def note(self, arrived: int, now: float) -> None:
        """Take note that frames up to index `arrived` have come by `now`, in seconds on any clock."""
        zero_s = now - arrived / self._rate_hz
        if now - self._window_at > ANCHOR_WINDOW_S:
            self._least_before_s, self._least_s, self._window_at = self._least_s, math.inf, now
        self._least_s = min(self._least_s, zero_s)

    def captured_at(self, stop: int) -> float:
        """Return the time at which frame `stop` came, or would have come without delay; valid after `note`."""
        return min(self._least_s, self._least_before_s) + stop / self._rate_hz


class Pace:
    """Tells whether sound comes faster than it lasts, as only storage can send it.

    A live sender may begin with the last seconds that it has; then it sends as the sound happens. While the machine is
    suspended, storage cannot send more than fits. After a pause, a live sender sends at once what makes up for it; only
    storage gets further ahead of the clock than it ever was.

    Parameters
    ----------
    now : float
        Time from which sound can come, in seconds on any clock.

    Attributes
    ----------
    is_fast : bool
        Whether it does at present.
    """

    def __init__(self, now: float) -> None:
        self._began_at = self._looked_at = now
        self._before_s = self._seen_s = self._full_s = 0.0
        self._lead_s = -now
        self._is_first = True
        self.is_fast = False

    def note(self, arrived_s: float, is_full: bool, now: float) -> None:
        """Take note of all the sound that has come.

        Parameters
        ----------
        arrived_s : float
            Its length so far, in seconds.
        is_full : bool
            Whether no more can come until some is read; then the reader sets the pace.
        now : float
            Time in seconds, on any clock.
        """
        unseen_s, came_s = now - self._looked_at, arrived_s - self._seen_s
        self._looked_at, self._seen_s = now, arrived_s
        was_suspended = unseen_s > PAUSE_S
        if was_suspended and self.is_fast and (is_full or came_s == 0.0):
            self._began_at += unseen_s
            self._before_s += came_s
        elif is_full and not was_suspended:
            self._full_s += unseen_s
        self._note_first(arrived_s, is_full, now)
        passed_s, came_s = now - self._began_at, arrived_s - self._before_s
        if passed_s < PACE_WINDOW_S:
            return
        lead_s = arrived_s - now
        if came_s and not (self._is_first and self.is_fast):  # it took a while to begin
            # Now and then the sender has not filled again yet what was read, or the reader of a live stream is late.
            mostly_full = 2 * self._full_s > passed_s
            gained_s = came_s - passed_s if self.is_fast else lead_s - self._lead_s
            self.is_fast = mostly_full or gained_s > (FAST_RATIO - 1.0) * passed_s
        self._lead_s = max(self._lead_s, lead_s)
        self._began_at, self._before_s, self._full_s = now, arrived_s, 0.0
        self._is_first = False

    def note_end(self, arrived_s: float, now: float) -> None:
        """Take note of all the sound when it has ended, which may have been a while ago: it shows nothing slow."""
        self._note_first(arrived_s, False, now)

    def _note_first(self, arrived_s: float, is_full: bool, now: float) -> None:
        """Take note of sound that is ahead of the clock in the first window."""
        if self._is_first and (arrived_s - (now - self._began_at) >= AHEAD_S or is_full):
            self.is_fast = True


class PauseWatch:
    """Finds how much sound was lost in a pause of a live source that does not tell.

    After a pause, either the sound that was held up comes at once, or it never does. So what comes first after a
    pause is left waiting for `SETTLE_S`, and for longer while more comes than is sent in that time; what has not come
    by then is lost.

    Parameters
    ----------
    rate_hz : int
        Sample rate.
    now : float
        Time of the opening, in seconds on any clock.
    """

    def __init__(self, rate_hz: int, now: float) -> None:
        self._rate_hz = rate_hz
        self._seen_at = now
        self._settling: _Settling | None = None

    def pass_over(self, now: float) -> None:
        """Take note that frames came at a time before which nothing can have been lost."""
        self._settling, self._seen_at = None, now

    def lost(self, waiting: int, is_full: bool, now: float) -> int | None:
        """Return how many frames were lost before those that wait; None while that is not known yet.

        Parameters
        ----------
        waiting : int
            Number of frames that have come and were not read yet.
        is_full : bool
            Whether no more can come until some are read; then nothing counts as lost.
        now : float
            Time, in seconds.
        """
        if not waiting:
            return 0
        if is_full or (self._settling is None and now - self._seen_at <= PAUSE_S):
            self.pass_over(now)
            return 0
        if self._settling is None:
            self._settling = _Settling(now, waiting, self._rate_hz)
        if not self._settling.is_over(waiting, now):
            return None
        came_at, self._settling = self._settling.came_at, None
        missing = round((came_at - self._seen_at) * self._rate_hz) - waiting
        self._seen_at = came_at
        return missing if missing > TOLERANCE_S * self._rate_hz else 0


class _Settling:
    """The time after a pause until no more comes than is sent.

    Attributes
    ----------
    came_at : float
        Time at which the last frames came. Those of a station may come in pieces of a second or two.
    """

    def __init__(self, now: float, waiting: int, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._began_at = self._looked_at = self.came_at = now
        self._before = self._newest = waiting

    def is_over(self, waiting: int, now: float) -> bool:
        """Take note of the number of frames that wait; return whether no more are to come at once."""
        if waiting > self._newest:
            self._newest, self.came_at = waiting, now
        if now - self._looked_at < SETTLE_S:
            return False
        grown_s, passed_s = (waiting - self._before) / self._rate_hz, now - self._looked_at
        self._before, self._looked_at = waiting, now
        return grown_s <= FAST_RATIO * passed_s or now - self._began_at >= LONGEST_SETTLE_S
