"""The engine: one thread that reads sources, steps pipelines, and hands events to sinks.

It never waits for a source or a sink. When a live source is further behind than allowed, the oldest sound is
dropped, counted and announced. A stream that fails ends alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from streamer.config import Config
from streamer.engine.announcer import Announcer
from streamer.engine.load_shedding import LoadShedding, left_out, taken_back
from streamer.engine.scheduler import Scheduler, chunk_frames
from streamer.engine.stream import Chunk, Opening, Stream
from streamer.errors import StreamerError, fault_of
from streamer.events import Event
from streamer.inference.batching import BatchRunner
from streamer.sinks.sink import Sink, close_soon

KEPT_S = 0.1
"""Sound that is left of a backlog that is cut back."""

LEFT_OUT = "not heard: the machine does not carry all streams, and others have priority"
HEARD_AGAIN = "heard again"
"""What is said of a stream that is shed, and of one that is no longer."""

AT_ONCE = 64
"""Streams whose chunks are heard together before what they say is sent, if no model is worth more at once: bounds how
long one waits for the others."""


class Engine:
    """Runs streams until they end or it is told to stop.

    Parameters
    ----------
    streams : sequence of Stream
        Warmed up, not yet opened. Those that share a model are stepped together.
    sinks : sequence of Sink
        That take the events of all streams. They are opened here, before all else.
    config : Config
    clock : callable
        Seconds on `time.monotonic`'s clock.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        sinks: Sequence[Sink],
        config: Config,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._hear(streams)
        self._change: tuple[Sequence[Stream], str] | None = None
        self._sinks = sinks
        self._config = config
        self._teller = Announcer(sinks, config.publish.heartbeat_s, clock)
        self._shedding = LoadShedding(clock)
        self._opened: list[Sink] = []

    @property
    def incomplete(self) -> bool:
        """Whether a sink, of a stream that is heard no more too, lacks something that it was to keep."""
        return any(sink.incomplete for sink in self._opened)

    def run(self, stop: threading.Event) -> None:
        """Open sinks and streams, step until all have ended or `stop` is set, then close everything.

        Parameters
        ----------
        stop : threading.Event
            Set from another thread or a signal handler.

        Raises
        ------
        StreamerError
            If a sink of all streams cannot be opened, or any sink fails later. Streams that fail, and those whose own
            sinks cannot be opened, are noted in `Stream.error` instead.
        """
        # Whatever fails, every stream ends and every sink closes, in this order.
        with ExitStack() as leaving:
            leaving.callback(self._close_all)
            self._open_sinks(self._sinks)
            leaving.callback(self._leave_all)
            for stream in self.streams:
                self._open(stream)
            while not stop.is_set() and not all(stream.done for stream in self.streams):
                self._turn()

    def change(self, streams: Sequence[Stream], message: str) -> None:
        """Hear other streams from the next turn on; may be called from another thread.

        Parameters
        ----------
        streams : sequence of Stream
            Those of `streams` that go on, and new ones, not yet opened, whose listeners were warmed up.
        message : str
            Told in a ``status`` of each that was heard so far.
        """
        self._change = streams, message

    def _hear(self, streams: Sequence[Stream]) -> None:
        models = [model for stream in streams for model in stream.listener.models]
        self.streams = streams
        self._together = BatchRunner(models)
        self._turns = Scheduler(streams, self._clock)
        self._at_once = max([AT_ONCE, *(model.max_batch for model in models)])

    def _open_sinks(self, sinks: Sequence[Sink]) -> None:
        for sink in sinks:
            self._opened.append(sink)
            sink.open()

    def _make_change(self, streams: Sequence[Stream], message: str) -> None:
        """End what is heard no more, which may hold a device that is opened anew, and open what is new."""
        before = self.streams
        self._hear(streams)
        for stream in before:
            if stream.pipeline and not stream.done:
                self._teller.status(stream, "running", message)
            if stream not in streams:
                self._leave(stream)
                close_soon(stream.sinks)
        for stream in streams:
            if stream not in before:
                self._open(stream)

    def _open(self, stream: Stream) -> None:
        """Open what takes a stream's events, and begin to open its source."""
        try:
            self._open_sinks(stream.sinks)
        except Exception as error:  # noqa: BLE001 - a fault in one stream must not end the others
            self._end(stream, fault_of(error))
        else:
            stream.opening = Opening(stream.source)

    def _adopt(self, stream: Stream) -> None:
        """Take a stream in whose source has been opened."""
        assert stream.opening is not None  # it is not running yet
        if stream.opening.error:
            self._end(stream, stream.opening.error)
            return
        stream.opening = None
        stream.opened_at = self._clock()
        rate_hz = stream.source.rate_hz
        stream.pipeline = stream.listener.pipeline(stream.name, rate_hz, self._config.publish)
        self._teller.status(stream, "running")

    def _turn(self) -> None:
        """Give every stream its turn, once; rest a little unless there is more at once."""
        began = self._clock()
        if self._change:
            change, self._change = self._change, None
            self._make_change(*change)
        due: list[Stream] = []
        for stream in self.streams:
            if stream.opening is None and not stream.done:
                due.append(stream)
            elif stream.opening is not None and stream.opening.finished:
                self._adopt(stream)
        busy = False
        for first in range(0, len(due), self._at_once):
            busy |= self._step(due[first : first + self._at_once])
        self._shed(due)
        for sink in (*self._sinks, *(own for stream in self.streams for own in stream.sinks)):
            sink.service()
        if not busy:
            opening = any(stream.opening for stream in self.streams)
            time.sleep(self._turns.rest_s([stream for stream in due if not stream.done], began, opening))

    def _step(self, streams: Sequence[Stream]) -> bool:
        """Take one chunk of each of some streams through everything; whether there may be more at once."""
        chunks = [chunk for stream in streams if (chunk := self._take(stream))]
        said = self._together.run([chunk.work for chunk in chunks])
        for chunk, events in zip(chunks, said, strict=True):
            self._tell(chunk, events)
        return any(chunk.more for chunk in chunks)

    def _take(self, stream: Stream) -> Chunk | None:
        """Read a stream's next chunk; None if there is nothing to hear now."""
        wanted = chunk_frames(stream, self._sinks)
        if not wanted:
            self._teller.beat(stream)
            return None
        try:
            self._bound_lag(stream)
            if self._turns.gathers(stream):
                self._teller.beat(stream)
                return None
            stream.read_at = self._clock()
            block = stream.source.read(wanted)
        except Exception as error:  # noqa: BLE001 - a fault in one stream must not end the others
            self._finish(stream, fault_of(error))
            return None
        if block is None:
            self._teller.overruns(stream)
            self._teller.beat(stream)
            if stream.source.ended or stream.heard_s >= stream.duration_s:
                self._finish(stream, None)
            return None
        assert stream.pipeline is not None  # it was adopted
        stream.last = block
        if stream.shed:
            self._pass_over(stream, block.stop)
            return None
        lost = block.start - stream.pipeline.position
        stream.dropped_samples += lost
        more = block.captured_at is None or len(block.samples) == wanted
        return Chunk(stream, stream.pipeline.step(block), lost, more)

    def _tell(self, chunk: Chunk, said: list[Event] | Exception) -> None:
        """Send what a chunk said, and what became of its stream."""
        stream = chunk.stream
        if isinstance(said, Exception):
            self._finish(stream, fault_of(said))
            return
        self._teller.send(stream, said)
        if chunk.lost:
            self._teller.loss(stream, chunk.lost)
        self._teller.overruns(stream)
        self._teller.beat(stream)
        if stream.heard_s >= stream.duration_s:
            self._finish(stream, None)

    def _bound_lag(self, stream: Stream) -> None:
        stream.backlog_frames = stream.source.backlog_frames()
        allowed = round(self._config.engine.max_lag_ms * stream.source.rate_hz / 1_000)
        kept = min(allowed, round(KEPT_S * stream.source.rate_hz))
        if stream.shed:
            stream.source.skip(max(0, stream.backlog_frames - kept))
        elif stream.backlog_frames > allowed:
            skipped = stream.source.skip(stream.backlog_frames - kept)
            self._shedding.lost(skipped / stream.source.rate_hz)

    def _shed(self, streams: Sequence[Stream]) -> None:
        """Leave streams out where there are too many, and hear them again where there is room."""
        if excess := self._shedding.excess():
            live = [s for s in streams if not s.done and s.last and s.last.captured_at is not None]
            for stream in left_out([s for s in live if not s.shed], excess):
                stream.shed = True
                self._teller.status(stream, "running", LEFT_OUT)
        out = [s for s in streams if s.shed and not s.done]
        for stream in taken_back(out, self._shedding.spare() if out else 0):
            stream.shed = False
            self._teller.status(stream, "running", HEARD_AGAIN)

    def _pass_over(self, stream: Stream, stop: int) -> None:
        """Count what is not heard, up to sample `stop`."""
        assert stream.pipeline is not None  # it was adopted
        stream.dropped_samples += stop - stream.pipeline.position
        self._teller.send(stream, stream.pipeline.pass_over(stop))
        self._teller.beat(stream)
        if stream.heard_s >= stream.duration_s:
            self._finish(stream, None)

    def _finish(self, stream: Stream, error: StreamerError | None) -> None:
        """End a stream that was heard: what goes on in it ends too."""
        assert stream.pipeline is not None  # it was adopted
        try:
            events = stream.pipeline.finish()
        except Exception as fault:  # noqa: BLE001 - it may be the very fault that ends the stream
            events, error = [], error or fault_of(fault)
        try:
            self._teller.send(stream, events)
        finally:
            self._end(stream, error)

    def _end(self, stream: Stream, error: StreamerError | None) -> None:
        stream.done, stream.error, stream.opening = True, error, None
        try:
            self._teller.status(stream, "failed" if error else "ended", str(error or ""))
        finally:
            stream.source.close()

    def _close_all(self) -> None:
        """Close all sinks, the last opened first."""
        with ExitStack() as closing:  # whatever fails
            for sink in self._opened:
                closing.callback(sink.close)

    def _leave_all(self) -> None:
        with ExitStack() as closing:  # whatever fails
            for stream in reversed(self.streams):
                closing.callback(self._leave, stream)

    def _leave(self, stream: Stream) -> None:
        """End a stream because everything ends, wherever it is."""
        if stream.opening is not None:
            failed = stream.opening.error  # by itself
            stream.opening.give_up()
            self._end(stream, failed)
        elif not stream.done and stream.pipeline is not None:
            self._finish(stream, None)
