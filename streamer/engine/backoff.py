"""Decide how long to wait before a source is tried again."""

from __future__ import annotations

import random

FIRST_WAIT_S = 0.5
"""Usual wait before the first try: a server that was started again, or a device that was plugged in anew, is there."""

GROWTH = 2.0
"""Ratio of a wait to the one before it."""

JITTER = 0.25
"""Largest share by which a wait is longer or shorter than usual, so that not all clients come at one time."""


def wait_s(tries: int, longest_s: float, chance: random.Random) -> float:
    """Return the seconds to wait before the next try.

    Parameters
    ----------
    tries : int
        Number of tries so far, 0 or more.
    longest_s : float
        Upper bound of the wait, in seconds.
    chance : random.Random
        Source of the jitter.
    """
    usual_s = min(FIRST_WAIT_S * GROWTH ** min(tries, 32), longest_s)
    return min(usual_s * chance.uniform(1 - JITTER, 1 + JITTER), longest_s)
