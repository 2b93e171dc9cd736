"""Leave out events that were received before, and count those that were lost between two."""

from __future__ import annotations

from collections import Counter

from streamer.events.kinds import Decision, Event


class EventSequence:
    """The last received events, which tell what is a repetition and what was lost.

    Parameters
    ----------
    lost : Counter[str]
        Counts by topic the messages between two that were received.
    """

    def __init__(self, lost: Counter[str]) -> None:
        self._lost = lost
        self._last: dict[str, dict[str, Event]] = {}  # by topic and label

    def is_new(self, event: Event) -> bool:
        """Return whether the event was not received before, and count the messages lost before it."""
        label = event.label if isinstance(event, Decision) else ""
        known = self._last.setdefault(event.topic, {})
        furthest = max(known.values(), key=lambda one: one.seq, default=None)
        # A replay repeats the last event of its label; other labels of its topic may have newer events.
        before = known.get(label) if event.replay else furthest
        if event.replay and before and _identity(event) == _identity(before):
            return False
        if before and furthest:
            if event.seq <= before.seq or event.stop < before.stop:
                known.clear()  # the publisher was started again
            elif event.seq > furthest.seq + 1:
                self._lost[event.topic] += event.seq - furthest.seq - 1
        known[label] = event
        return True


def _identity(event: Event) -> tuple[object, ...]:
    # With seq alone, the first message after a restart of the publisher could look like the one before it.
    return event.epoch, event.seq, event.start, event.stop, event.time
