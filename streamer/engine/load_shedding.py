"""When the machine cannot carry all streams: how many are left out, and when they are heard again."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamer.engine.stream import Stream

TIMES, WITHIN_S = 3, 60.0
"""So often must sound have been lost, in so long: after a freeze, however long, all goes on."""
AT_ONCE_S = 0.5
"""Losses that are closer are one: all streams lag alike."""
CALM_S = 30.0
"""Nothing must have been lost for so long before a stream is heard again."""
LONGEST_CALM_S = 480.0
"""The same at most: it doubles each time that this was too soon."""


class LoadShedding:
    """Judges by the sound that live streams lose because they lag.

    Parameters
    ----------
    clock : callable
        Seconds on any clock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._losses: deque[_Loss] = deque()
        self._quiet_from = clock()
        self._calm_s = CALM_S
        self._back_at = -math.inf
        self._next = 1

    def lost(self, seconds: float) -> None:
        """Take note that a stream lost so much sound."""
        now = self._clock()
        if not self._losses or now - self._quiet_from > AT_ONCE_S:
            self._losses.append(_Loss(now))
        self._losses[-1].seconds += seconds
        self._quiet_from = now

    def excess(self) -> int:
        """How many streams are too many: as many as there are seconds lost in each. They count as gone from then on."""
        now = self._clock()
        while self._losses and self._losses[0].at < now - WITHIN_S:
            self._losses.popleft()
        if len(self._losses) < TIMES:
            return 0
        first, *others = self._losses
        count = math.ceil(sum(loss.seconds for loss in others) / (now - first.at))
        if now - self._back_at <= self._calm_s + WITHIN_S:
            self._calm_s = min(2 * self._calm_s, LONGEST_CALM_S)
        self._losses.clear()
        self._quiet_from, self._next = now, 1
        return count

    def spare(self) -> int:
        """How many streams may be heard again: one, and twice as many each time that it went well."""
        now = self._clock()
        if now - self._quiet_from <= self._calm_s:
            return 0
        count, self._next = self._next, 2 * self._next
        self._back_at = self._quiet_from = now
        return count


@dataclass
class _Loss:
    """What was lost at about one time, of all streams."""

    at: float
    seconds: float = 0.0


def left_out(streams: Sequence[Stream], count: int) -> list[Stream]:
    """The streams that are left out first: those of the lowest priority, and of these the last; never all.

    Parameters
    ----------
    streams : sequence of Stream
        In the order of the configuration.
    count : int
    """
    return _by_need(streams)[: min(count, len(streams) - 1)]


def taken_back(streams: Sequence[Stream], count: int) -> list[Stream]:
    """Those among streams that were left out that are heard again first."""
    return _by_need(streams)[::-1][:count]


def _by_need(streams: Sequence[Stream]) -> list[Stream]:
    order = {stream: place for place, stream in enumerate(streams)}
    return sorted(streams, key=lambda stream: (stream.priority, -order[stream]))
