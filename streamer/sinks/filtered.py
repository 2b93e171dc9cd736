"""Everything but one type of event, for who did not ask for it."""

from __future__ import annotations

from streamer.events import Event
from streamer.sinks.sink import Sink


class Filtered(Sink):
    """Passes on all but one type of event.

    Parameters
    ----------
    left_out : type of Event
    sink : Sink
    """

    def __init__(self, left_out: type[Event], sink: Sink) -> None:
        self._left_out, self._sink = left_out, sink

    def open(self) -> None:
        self._sink.open()

    def send(self, event: Event) -> None:
        if not isinstance(event, self._left_out):
            self._sink.send(event)

    @property
    def wanted_s(self) -> float:
        return self._sink.wanted_s

    def service(self) -> None:
        self._sink.service()

    def close(self) -> None:
        self._sink.close()
