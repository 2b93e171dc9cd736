"""Shed load when the machine cannot carry all streams: decide which streams are skipped, and when they come back."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamer.engine.phases import Running

LOSSES_TO_SHED, LOSS_WINDOW_S = 3, 60.0
"""Shed only after this many losses within this window; one long freeze counts once."""

SAME_LOSS_S = 0.5
"""Losses that are no further apart than this count as one: all streams lag alike."""

CALM_S = 30.0
"""Time without a loss before streams are resumed."""

CALM_MAX_S = 480.0
"""Upper bound of that time, which doubles whenever streams were resumed too soon."""


class LoadShedding:
    """Decides which live streams to skip, from the sound that all live streams lose because they lag.

    Parameters
    ----------
    clock : callable
        Returns seconds on any clock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._losses: deque[_Loss] = deque()
        self._quiet_from = clock()
        self._calm_s = CALM_S
        self._resumed_at = -math.inf
        self._next_spare = 1

    def lost(self, seconds: float) -> None:
        """Note that a stream has just lost `seconds` of sound."""
        now = self._clock()
        # A freeze of the machine makes all streams lag at once. It is one loss, and must not shed any of them.
        if not self._losses or now - self._quiet_from > SAME_LOSS_S:
            self._losses.append(_Loss(now))
        self._losses[-1].seconds += seconds
        self._quiet_from = now

    def update(self, running: Sequence[Running]) -> list[Running]:
        """Skip streams if there are too many, resume some if there is room, and return those that changed.

        Parameters
        ----------
        running : sequence of Running
            All running streams, in the order of the configuration. This call sets `Running.shed` of those that
            change: True to skip a stream, False to resume it.
        """
        shed: list[Running] = []
        if excess := self.excess():
            shed = streams_to_shed([each for each in running if each.is_live and not each.shed], excess)
        for each in shed:
            each.shed = True
        skipped = [each for each in running if each.shed]
        resumed = streams_to_resume(skipped, self.spare()) if skipped else []
        for each in resumed:
            each.shed = False
        return shed + resumed

    def excess(self) -> int:
        """Return the number of streams to shed now, and forget the losses that led to it.

        The number is the seconds of sound that all streams together lost per second, rounded up; 0 unless sound was
        lost `LOSSES_TO_SHED` times within `LOSS_WINDOW_S`.
        """
        if not self._losses:
            return 0
        now = self._clock()
        while self._losses and self._losses[0].at < now - LOSS_WINDOW_S:
            self._losses.popleft()
        if len(self._losses) < LOSSES_TO_SHED:
            return 0
        first, *others = self._losses
        count = math.ceil(sum(loss.seconds for loss in others) / (now - first.at))
        if now - self._resumed_at <= self._calm_s + LOSS_WINDOW_S:  # streams came back, and it was too soon
            self._calm_s = min(2 * self._calm_s, CALM_MAX_S)
        self._losses.clear()
        self._quiet_from, self._next_spare = now, 1
        return count

    def spare(self) -> int:
        """Return the number of streams to resume now: 0 until long enough without a loss, then 1, 2, 4 and so on."""
        now = self._clock()
        if now - self._quiet_from <= self._calm_s:
            return 0
        count, self._next_spare = self._next_spare, 2 * self._next_spare
        self._resumed_at = self._quiet_from = now
        return count


@dataclass
class _Loss:
    """Sound that all streams together lost at about one time."""

    at: float
    seconds: float = 0.0


def streams_to_shed(running: Sequence[Running], count: int) -> list[Running]:
    """Return `count` streams to shed, fewer if that were all: lowest priority first, of equal ones the last first.

    Parameters
    ----------
    running : sequence of Running
        Streams that are not shed, in the order of the configuration.
    count : int
        Number of streams wanted; one is always left running.
    """
    return _by_need(running)[: min(count, len(running) - 1)]


def streams_to_resume(shed: Sequence[Running], count: int) -> list[Running]:
    """Return `count` of the streams that are shed, to be resumed in the opposite order of shedding."""
    return _by_need(shed)[::-1][:count]


def _by_need(running: Sequence[Running]) -> list[Running]:
    order = {each: place for place, each in enumerate(running)}
    return sorted(running, key=lambda each: (each.stream.priority, -order[each]))
