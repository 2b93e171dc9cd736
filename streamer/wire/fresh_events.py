"""Leave out events that waited for too long, but not the last word on a label."""

from __future__ import annotations

import math
from collections import Counter, deque
from datetime import UTC, datetime

from streamer.events.kinds import Decision, Event, Status


class FreshEvents:
    """A queue that gives received events in their order, without those that are too old.

    The last decision on each label and the last status of each stream are given even if they are old, since nothing
    newer says how things stand. They are given before the first event that is not too old, or once nothing else waits.

    Parameters
    ----------
    max_age_s : float or None
        Longest time since an event was made; None takes any.
    lost : Counter[str]
        Counts by topic what is left out.
    """

    def __init__(self, max_age_s: float | None, lost: Counter[str]) -> None:
        self._max_age_s = max_age_s
        self._lost = lost
        self._late: dict[tuple[str, str], Event] = {}  # by topic and label, in the order of arrival
        self._due: deque[Event] = deque()

    @property
    def ready(self) -> bool:
        """Whether an event is due."""
        return bool(self._due)

    @property
    def holds_late(self) -> bool:
        """Whether old events are held until it is known that nothing newer replaces them."""
        return bool(self._late)

    def put(self, event: Event) -> None:
        """Take a received event."""
        subject = event.topic, event.label if isinstance(event, Decision) else ""
        if (before := self._late.pop(subject, None)) is not None:
            self._lost[before.topic] += 1
        if not self._is_late(event):
            self._release()
            self._due.append(event)
        elif isinstance(event, Decision | Status):
            self._late[subject] = event
        else:
            self._lost[event.topic] += 1

    def pop(self) -> Event | None:
        """Return the next event, once all that waited was put in; None if there is none."""
        if not self._due:
            self._release()
        return self._due.popleft() if self._due else None

    def _release(self) -> None:
        self._due.extend(self._late.values())
        self._late.clear()

    def _is_late(self, event: Event) -> bool:
        # A replay says how things stand, however long ago they began to.
        return self._max_age_s is not None and not event.replay and _age_s(event) > self._max_age_s


def _age_s(event: Event) -> float:
    """Return the seconds since an event was made; minus infinity if it does not say when."""
    if event.time is None or (event.latency_ms is None and not isinstance(event, Status)):
        return -math.inf
    return (datetime.now(UTC) - event.time).total_seconds() - (event.latency_ms or 0.0) / 1_000
