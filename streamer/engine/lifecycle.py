"""Move streams from phase to phase: open them, start them, end them; open and close the sinks with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack

from streamer.config import PublishConfig
from streamer.engine.announcer import Announcer
from streamer.engine.stream import Ended, Opening, Running, Stream
from streamer.errors import StreamerError, fault_of
from streamer.sinks.sink import Sink


class Lifecycle:
    """Changes the phase of streams, and publishes each change.

    Parameters
    ----------
    announcer : Announcer
    publish : PublishConfig
        Which running values are published, and how often.
    clock : callable
        Returns seconds on `time.monotonic`'s clock.
    """

    def __init__(self, announcer: Announcer, publish: PublishConfig, clock: Callable[[], float]) -> None:
        self._announcer = announcer
        self._publish = publish
        self._clock = clock
        self._opened: list[Sink] = []

    @property
    def incomplete(self) -> bool:
        """Whether any sink that was opened, closed ones included, lacks output that it should have kept."""
        return any(sink.incomplete for sink in self._opened)

    def open_sinks(self, sinks: Iterable[Sink]) -> None:
        """Open sinks, and remember them until `close_sinks`."""
        for sink in sinks:
            self._opened.append(sink)  # first: one that fails half-way has something to close
            sink.open()

    def close_sinks(self) -> None:
        """Close all sinks, the last opened first."""
        with ExitStack() as closing:  # closes the others if one fails
            for sink in self._opened:
                closing.callback(sink.close)

    def open(self, stream: Stream) -> None:
        """Open a waiting stream's own sinks, and begin to open its source."""
        try:
            self.open_sinks(stream.sinks)
        except Exception as error:  # noqa: BLE001 - a fault in one stream must not end the others
            self._end(stream, fault_of(error))
        else:
            stream.phase = Opening(stream.source)

    def start(self, stream: Stream) -> None:
        """Make an opening stream run if its source is open, or end it if that failed; otherwise do nothing."""
        if not isinstance(stream.phase, Opening) or not stream.phase.finished:
            return
        if stream.phase.error:
            self._end(stream, stream.phase.error)
            return
        opened_at = self._clock()
        pipeline = stream.models.pipeline(stream.name, stream.source.rate_hz, self._publish)
        stream.phase = Running(stream, pipeline, opened_at)
        self._announcer.status(stream)

    def finish(self, running: Running, error: StreamerError | None) -> None:
        """End a running stream: publish the events that the end of its sound completes, then its last status."""
        try:
            events = running.pipeline.finish()
        except Exception as fault:  # noqa: BLE001 - it may be the very fault that ends the stream
            events, error = [], error or fault_of(fault)
        try:
            self._announcer.publish(running.stream, events)
        finally:
            self._end(running.stream, error)

    def leave(self, stream: Stream) -> None:
        """End a stream that is opening or running; do nothing in the other phases."""
        match stream.phase:
            case Opening() as opening:
                error = opening.error  # read first: to be told to give up is no failure of the stream
                opening.give_up()
                self._end(stream, error)
            case Running() as running:
                self.finish(running, None)

    def _end(self, stream: Stream, error: StreamerError | None) -> None:
        stream.phase = Ended(error, stream.progress)
        try:
            self._announcer.status(stream, str(error or ""))
        finally:
            stream.source.close()
