"""Hand events to another thread of the same program, through a queue that is bounded."""

from __future__ import annotations

import logging
import threading
from collections import deque

from streamer.events.kinds import Decision, Event, Status
from streamer.sinks.sink import Sink

logger = logging.getLogger(__name__)

RANKS = 3
"""Running values, then how a stream stands, then decisions: what is lost first comes first."""


class EventQueue(Sink):
    """Holds events until a reader takes them; a full queue holds up the engine, so that none is lost.

    This is right for sound that can wait, such as a file that is read as fast as possible.

    Parameters
    ----------
    max_waiting : int
        Events that may wait, 1 or more.

    Attributes
    ----------
    lost_events : int
        Number of events that no reader took in time, so far.
    """

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        # A queue for each rank, so that the oldest event of the least important kind is found at once.
        self._queues: tuple[deque[tuple[int, Event]], ...] = tuple(deque() for _ in range(RANKS))
        self._count = 0
        self._changed = threading.Condition()
        self._ended = False
        self._abandoned = False
        self.lost_events = 0

    def open(self) -> None:
        """Do nothing: a queue needs no opening."""

    def send(self, event: Event) -> None:
        """Add an event to the queue; wait until there is room for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting < self._max_waiting or self._abandoned)
            self._add(event)

    def close(self) -> None:
        """End the queue: the reader can still take the events that wait, and none after these."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self) -> Event | None:
        """Wait for the oldest event, remove and return it; return None if there will be no more."""
        with self._changed:
            self.wait()
            return self.take_now()

    def take_now(self) -> Event | None:
        """Remove and return the oldest event; return None if none waits."""
        with self._changed:
            waiting = [queue for queue in self._queues if queue]
            if not waiting:
                return None
            _, event = min(waiting, key=lambda queue: queue[0][0]).popleft()
            self._changed.notify_all()
            return event

    def wait(self) -> bool:
        """Wait until an event can be taken, and return True; return False if there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            return self._waiting > 0

    def abandon(self) -> None:
        """Drop all events that wait or come later, since nobody takes them; a `send` that waits for room returns."""
        with self._changed:
            self._abandoned = self._ended = True
            for queue in self._queues:
                queue.clear()
            self._changed.notify_all()

    @property
    def _waiting(self) -> int:
        return sum(map(len, self._queues))

    def _add(self, event: Event) -> None:
        if not self._abandoned:
            self._queues[_rank(event)].append((self._count, event))
            self._count += 1
            self._changed.notify_all()


class LiveEventQueue(EventQueue):
    """`EventQueue` for live sound, which cannot wait: a full queue loses its least important events, oldest first.

    Levels, scores, spectra and stems are lost before statuses, and statuses before decisions. Each loss is counted in
    `lost_events` and shows as a jump of `Event.seq`; the first one is logged as a warning.

    Parameters
    ----------
    max_waiting : int
        Events that may wait, 1 or more.
    """

    def send(self, event: Event) -> None:
        """Add an event; if the queue is full, drop the least important event instead of waiting."""
        with self._changed:
            self._add(event)
            # Empty if the reader was collected as garbage, which any allocation may do, and `abandon` was called here.
            while self._waiting > self._max_waiting and (
                queues := [queue for queue in self._queues if queue]
            ):
                queues[0].popleft()
                self._count_loss()

    def close(self) -> None:
        if self.lost_events and not self._ended:
            logger.warning("%d events were lost: they were not taken in time", self.lost_events)
        super().close()

    def _count_loss(self) -> None:
        self.lost_events += 1
        if self.lost_events == 1:
            logger.warning(
                "events are lost: %d wait to be taken, and no more may; take them sooner, or let more wait",
                self._max_waiting,
            )


def _rank(event: Event) -> int:
    """Return how important an event is, from 0 to `RANKS` - 1."""
    match event:
        case Decision():
            return 2
        case Status():
            return 1
        case _:
            return 0
