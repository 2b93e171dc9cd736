"""The interface that every sink has, and a sink that leaves out one type of event."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from streamer.events.kinds import RUNNING_KINDS, Event

CLOSING_S = 0.5
"""Longest time that closing a sink may hold up the engine."""


class Sink(ABC):
    """Takes events, in order, on the engine's thread, and never makes that thread wait for long.

    A sink is opened once, then `send` and `service` are called from one thread, then it is closed. Closing twice is
    harmless.
    """

    @abstractmethod
    def open(self) -> None:
        """Open the sink.

        Raises
        ------
        StreamerError
            If it cannot be opened, as when an address is in use or a path cannot be written. The text is one line
            that names the thing, the fault and the way out.
        """

    @abstractmethod
    def send(self, event: Event) -> None:
        """Take an event, and write, send or play it."""

    def wants(self, kind: str) -> bool:  # noqa: ARG002 - most sinks take whatever comes
        """Return whether the sink has a use for events of a kind at present, be it of one stream only. True by default.

        The engine asks before it processes sound, and only for the kinds of running values.
        """
        return True

    @property
    def wanted_s(self) -> float:
        """Seconds of sound that the sink has room for; a source that can wait is read no further. Default: infinite."""
        return math.inf

    @property
    def incomplete(self) -> bool:
        """Whether output is missing that the sink should have kept. It logged that at the time. False by default."""
        return False

    @property
    def title(self) -> str:
        """Text for the title of the live view that says where the sink sends messages; empty by default."""
        return ""

    @property
    def dropped_lines(self) -> int:
        """Number of lines that a slow reader had no room for, so far. 0 by default."""
        return 0

    def service(self) -> None:  # noqa: B027 - most sinks have nothing to do
        """Do what is due between events, which is nothing by default. The engine calls this every few milliseconds."""

    @abstractmethod
    def close(self) -> None:
        """Finish the output, and release everything that was opened."""


class Filtered(Sink):
    """Sink that passes events on to another sink, except those of one type.

    Parameters
    ----------
    left_out : type of Event
        Type of the events that are not passed on.
    sink : Sink
        Sink that gets all other events; it is opened and closed with this one.
    """

    def __init__(self, left_out: type[Event], sink: Sink) -> None:
        self._left_out, self._sink = left_out, sink

    def open(self) -> None:
        self._sink.open()

    def send(self, event: Event) -> None:
        if not isinstance(event, self._left_out):
            self._sink.send(event)

    def wants(self, kind: str) -> bool:
        return self._sink.wants(kind)

    @property
    def wanted_s(self) -> float:
        return self._sink.wanted_s

    def service(self) -> None:
        self._sink.service()

    def close(self) -> None:
        self._sink.close()


def unwanted_kinds(sinks: Sequence[Sink]) -> set[str]:
    """Return the kinds of running values for which no sink has a use at present."""
    return {kind for kind in RUNNING_KINDS if not any(sink.wants(kind) for sink in sinks)}


def close_soon(sinks: Iterable[Sink]) -> None:
    """Close sinks without holding up the engine for longer than `CLOSING_S` each.

    It waits, since a file or device of a sink may be opened again at once. If closing takes longer, as on a slow disk,
    it goes on by itself.
    """
    for sink in sinks:
        thread = threading.Thread(target=sink.close, name="closing", daemon=True)
        thread.start()
        thread.join(CLOSING_S)
