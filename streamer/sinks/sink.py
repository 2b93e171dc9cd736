"""What every sink does."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable

from streamer.events import Event

CLOSING_S = 0.5
"""How long closing a sink may hold up what goes on."""


class Sink(ABC):
    """Takes events from the engine's thread, in order, and never holds it up.

    Opened once, then `send` and `service` from one thread, closed once (closing twice is harmless).
    """

    @abstractmethod
    def open(self) -> None:
        """Open it; an address in use or a path that cannot be written goes wrong here.

        Raises
        ------
        StreamerError
            With one line that names the thing, the fault and the way out.
        """

    @abstractmethod
    def send(self, event: Event) -> None:
        """Pass an event on."""

    @property
    def wanted_s(self) -> float:
        """Seconds of sound that it can do with now; of a source that can wait no more is read. Any by default."""
        return math.inf

    @property
    def incomplete(self) -> bool:
        """Whether something is missing of what it was to keep, which was said at the time. No by default."""
        return False

    def service(self) -> None:  # noqa: B027 - most sinks have nothing to do
        """Do what is due between events; called every few milliseconds. Nothing by default."""

    @abstractmethod
    def close(self) -> None:
        """Finish and give back what was opened."""


def close_soon(sinks: Iterable[Sink]) -> None:
    """Close sinks while all else goes on: they are given a moment, for what they hold may be opened anew.

    A slow disk takes longer; closing then goes on by itself.
    """
    for sink in sinks:
        thread = threading.Thread(target=sink.close, name="closing", daemon=True)
        thread.start()
        thread.join(CLOSING_S)
