"""What every sink does."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from streamer.events import Event


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

    def service(self) -> None:  # noqa: B027 - most sinks have nothing to do
        """Do what is due between events; called every few milliseconds. Nothing by default."""

    @abstractmethod
    def close(self) -> None:
        """Finish and give back what was opened."""
