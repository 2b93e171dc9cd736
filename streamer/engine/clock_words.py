"""Say in words what gives the times of a live stream, where a listener should know."""

from __future__ import annotations

BEHIND_S, AHEAD_S = 120.0, 2.0
"""How far a sender's clock may be behind the arrival and ahead of it: streams in pieces are up to a minute late, and no
sound comes before it was sent."""

STEP_S = 60.0
"""Smallest change of the difference that is said."""


def clock_words(clock: str, behind_s: float, said: str, said_s: float) -> str:
    """Return what has to be said of the clock of a stream; nothing if all is as it was, or as it should be.

    Parameters
    ----------
    clock : str
        What gives its times, as in `streamer.events.kinds.Status`.
    behind_s : float
        How far the sender's clock is behind the arrival on this machine, in seconds; 0 if another clock gives them.
    said, said_s : str and float
        The same when it was last looked at; `said` is empty if it was not yet.
    """
    if clock == said and abs(behind_s - said_s) < STEP_S:
        return ""
    if clock != "sender":
        return f"times are of the {clock} from now on" if said == "sender" else ""
    if -AHEAD_S <= behind_s <= BEHIND_S:
        if said == "sender":
            return "the sender's clock agrees with the arrival of its sound here again"
        return "times are the sender's from now on" if said else ""
    where = "behind" if behind_s > 0 else "ahead of"
    return (
        f"times are the sender's, whose clock is {_duration(abs(behind_s))} {where} the arrival of its sound here; if "
        "that is not the delay of the stream, a clock is wrong: set it, or choose the arrival (--clock arrival)"
    )


def _duration(seconds: float) -> str:
    """Return a time in words: ``3 h 0 min 2 s``."""
    whole = round(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{seconds:.0f} s"
