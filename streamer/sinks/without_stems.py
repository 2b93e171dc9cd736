"""Everything but stems, for who did not ask for them."""

from __future__ import annotations

from streamer.events import Event, Stem
from streamer.sinks.sink import Sink


class WithoutStems(Sink):
    """Passes on all but sound.

    Parameters
    ----------
    sink : Sink
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def open(self) -> None:
        self._sink.open()

    def send(self, event: Event) -> None:
        if not isinstance(event, Stem):
            self._sink.send(event)

    def service(self) -> None:
        self._sink.service()

    def close(self) -> None:
        self._sink.close()
