"""The engine: one thread that reads sources, steps pipelines, and hands events to sinks.

It never waits for a source or a sink. When a live source is further behind than allowed, the oldest sound is
dropped, counted and announced. A stream that fails ends alone.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from streamer.config import Config, PublishConfig
from streamer.errors import StreamerError
from streamer.events import Event, Status
from streamer.listener import Listener
from streamer.memory import release_compiler
from streamer.pipeline import Pipeline
from streamer.sinks.sink import Sink
from streamer.sources.source import Block
from streamer.stage import alone
from streamer.stream import Chunk, Opening, Stream, fault_of
from streamer.together import Together

LIVE_CHUNK_S = 0.1
"""Most sound that is taken from one live source before the others get their turn."""

FILE_CHUNK_S = 1.0
"""The same for a source that is not live."""

SHORTEST_REST_S = 0.0005
"""Least rest when no source had a whole chunk: bounds what polling costs."""

AT_ONCE = 64
"""Streams whose chunks are heard together before what they say is sent: bounds how long one waits for the others."""

LONGEST_REST_S = 0.05
"""Most rest: bounds how long a new subscriber waits for the last state, and a request to stop."""


class Engine:
    """Runs streams until they end or it is told to stop.

    Parameters
    ----------
    streams : sequence of Stream
        Not yet opened. Those that share a model are stepped together.
    sinks : sequence of Sink
        Opened here, before any source.
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
        self.streams = streams
        self._listeners = list(dict.fromkeys(stream.listener for stream in streams))
        self._together = Together([model for listener in self._listeners for model in listener.models])
        self._sinks = sinks
        self._config = config
        self._clock = clock
        self._turn_s = config.turn_s
        self._utc_offset = time.time() - time.monotonic()
        self._seq: defaultdict[str, int] = defaultdict(int)

    def run(self, stop: threading.Event) -> None:
        """Open sinks and streams, step until all have ended or `stop` is set, then close everything.

        Parameters
        ----------
        stop : threading.Event
            Set from another thread or a signal handler.

        Raises
        ------
        StreamerError
            If a sink cannot be opened or fails. Streams that fail are noted in `Stream.error` instead.
        """
        for listener in self._listeners:
            warm_up(listener, self._config.publish)
        with ExitStack() as closing:  # whatever fails, every stream ends and every sink closes, in this order
            for sink in self._sinks:
                closing.callback(sink.close)
                sink.open()
            for stream in self.streams:
                closing.callback(self._leave, stream)
                stream.opening = Opening(stream.source)
            release_compiler()
            while not stop.is_set() and not all(stream.done for stream in self.streams):
                self._turn()

    def _adopt(self, stream: Stream) -> None:
        """Take a stream in whose source has been opened."""
        assert stream.opening is not None  # it is not running yet
        if stream.opening.error:
            self._end(stream, stream.opening.error)
            return
        stream.opening = None
        stream.opened_at = self._clock()
        stream.pipeline = _pipeline(stream.name, stream.source.rate_hz, stream.listener, self._config.publish)
        self._tell_status(stream, "running")

    def _turn(self) -> None:
        """Give every stream its turn, once; rest a little unless there is more at once."""
        due: list[Stream] = []
        for stream in self.streams:
            if stream.opening is None and not stream.done:
                due.append(stream)
            elif stream.opening is not None and stream.opening.finished:
                self._adopt(stream)
        busy = False
        for first in range(0, len(due), AT_ONCE):
            busy |= self._step(due[first : first + AT_ONCE])
        for sink in self._sinks:
            sink.service()
        if not busy:
            waits = [s.source.wait_s(self._turn_s) for s in self.streams if s.opening is None and not s.done]
            time.sleep(min(max(min(waits, default=0.0), SHORTEST_REST_S), LONGEST_REST_S))

    def _step(self, streams: Sequence[Stream]) -> bool:
        """Take one chunk of each of some streams through everything; whether there may be more at once."""
        chunks = [chunk for stream in streams if (chunk := self._take(stream))]
        said = self._together.do([chunk.heard_by.step(chunk.block) for chunk in chunks])
        for chunk, events in zip(chunks, said, strict=True):
            self._tell(chunk, events)
        return any(chunk.more for chunk in chunks)

    def _take(self, stream: Stream) -> Chunk | None:
        """Read a stream's next chunk; None if there is nothing to hear now."""
        wanted = self._chunk_frames(stream)
        if not wanted:
            self._beat(stream)
            return None
        try:
            self._bound_lag(stream)
            block = stream.source.read(wanted)
        except Exception as error:  # noqa: BLE001 - a fault in one stream must not end the others
            self._finish(stream, fault_of(error))
            return None
        if block is None:
            self._tell_overruns(stream)
            self._beat(stream)
            if stream.source.ended or stream.heard_s >= stream.duration_s:
                self._finish(stream, None)
            return None
        assert stream.pipeline is not None  # it was adopted
        lost = block.start - stream.pipeline.position
        stream.last = block
        stream.dropped_samples += lost
        more = block.captured_at is None or len(block.samples) == wanted
        return Chunk(stream, stream.pipeline, block, lost, more)

    def _tell(self, chunk: Chunk, said: list[Event] | Exception) -> None:
        """Send what a chunk said, and what became of its stream."""
        stream = chunk.stream
        if isinstance(said, Exception):
            self._finish(stream, fault_of(said))
            return
        self._send(stream, said)
        if chunk.lost:
            self._tell_loss(stream, chunk.lost)
        self._tell_overruns(stream)
        self._beat(stream)
        if stream.heard_s >= stream.duration_s:
            self._finish(stream, None)

    def _beat(self, stream: Stream) -> None:
        if self._clock() >= stream.status_due_at:
            self._tell_status(stream, "running")

    def _chunk_frames(self, stream: Stream) -> int:
        """How much is to be read; 0 of a source that can wait while a sink wants no more."""
        left_s = stream.duration_s - stream.heard_s
        if stream.last is None or stream.last.captured_at is not None:
            return max(1, round(min(LIVE_CHUNK_S, left_s) * stream.source.rate_hz))
        wanted_s = min((sink.wanted_s for sink in self._sinks), default=FILE_CHUNK_S)
        chunk_s = min(FILE_CHUNK_S, wanted_s, left_s)
        return max(1, round(chunk_s * stream.source.rate_hz)) if wanted_s else 0

    def _bound_lag(self, stream: Stream) -> None:
        stream.backlog_frames = stream.source.backlog_frames()
        allowed = round(self._config.engine.max_lag_ms * stream.source.rate_hz / 1_000)
        if stream.backlog_frames > allowed:
            stream.source.skip(
                stream.backlog_frames - min(allowed, round(LIVE_CHUNK_S * stream.source.rate_hz))
            )

    def _tell_loss(self, stream: Stream, lost: int) -> None:
        lost_ms = 1_000 * lost / stream.source.rate_hz
        text = (
            f"lost {lost} samples ({lost_ms:.0f} ms): this machine or its sound system did not keep up; heard anew "
            "from here"
        )
        self._tell_status(stream, "running", text)

    def _tell_overruns(self, stream: Stream) -> None:
        new = stream.source.counts.overruns - stream.overruns
        if new:
            stream.overruns += new
            text = f"the device reported {new} overrun{'s' if new > 1 else ''}: sound was lost before it came here"
            self._tell_status(stream, "running", text)

    def _finish(self, stream: Stream, error: StreamerError | None) -> None:
        """End a stream that was heard: what goes on in it ends too."""
        assert stream.pipeline is not None  # it was adopted
        try:
            events = stream.pipeline.finish()
        except Exception as fault:  # noqa: BLE001 - it may be the very fault that ends the stream
            events, error = [], error or fault_of(fault)
        try:
            self._send(stream, events)
        finally:
            self._end(stream, error)

    def _end(self, stream: Stream, error: StreamerError | None) -> None:
        stream.done, stream.error, stream.opening = True, error, None
        try:
            self._tell_status(stream, "failed" if error else "ended", str(error or ""))
        finally:
            stream.source.close()

    def _leave(self, stream: Stream) -> None:
        """End a stream because everything ends, wherever it is."""
        if stream.opening is not None:
            stream.opening.give_up()
            self._end(stream, stream.opening.error)
        elif not stream.done and stream.pipeline is not None:
            self._finish(stream, None)

    def _tell_status(
        self, stream: Stream, state: Literal["running", "ended", "failed"], message: str = ""
    ) -> None:
        now = self._clock()
        self._utc_offset = time.time() - time.monotonic()  # anew: the one is set at times, the other sleeps
        stream.status_due_at = now + self._config.publish.heartbeat_s
        pipeline, source = stream.pipeline, stream.source
        position = pipeline.position if pipeline else 0
        rate = source.rate_hz if pipeline else 1  # not known yet
        status = Status(
            kind="status",
            stream=stream.name,
            epoch=pipeline.epoch if pipeline else 0,
            start=position,
            stop=position,
            rate=rate,
            state=state,
            message=message,
            lag_ms=round(1_000 * stream.backlog_frames / rate, 1) if pipeline and not stream.done else 0.0,
            dropped_samples=stream.dropped_samples,
            overruns=stream.overruns,
            muted_samples=stream.muted_samples,
            uptime_s=round(now - stream.opened_at, 3) if pipeline else 0.0,
            versions=stream.listener.versions,
        )
        self._send(stream, [replace(status, time=self._utc(now))])

    def _send(self, stream: Stream, events: Iterable[Event]) -> None:
        for event in events:
            stamped = self._stamped(stream, event)
            for sink in self._sinks:
                sink.send(stamped)

    def _stamped(self, stream: Stream, event: Event) -> Event:
        """Give an event its number, and its time if the sound has one."""
        seq = self._seq[event.topic]
        self._seq[event.topic] += 1
        block = stream.last
        if event.time is not None or block is None or block.captured_at is None:
            return replace(event, seq=seq)
        captured_at = block.captured_at - (block.stop - event.stop) / event.rate
        latency_ms = round(1_000 * (self._clock() - captured_at), 3)
        return replace(event, seq=seq, time=self._utc(captured_at), latency_ms=latency_ms)

    def _utc(self, monotonic: float) -> datetime:
        return datetime.fromtimestamp(monotonic + self._utc_offset, UTC)


def warm_up(listener: Listener, publish: PublishConfig) -> None:
    """Run one second of silence through everything, so that nothing is compiled or loaded on air.

    Silence opens no gate: what waits for one hears it too.
    """
    for rate_hz, channels in ((48_000, 2), (16_000, 1)):
        pipeline = _pipeline("warm-up", rate_hz, listener.ungated(), publish)
        alone(pipeline.step(Block(0, np.zeros((rate_hz, channels), np.float32), None)))
        pipeline.finish()


def _pipeline(name: str, rate_hz: int, listener: Listener, publish: PublishConfig) -> Pipeline:
    return Pipeline(name, rate_hz, listener.heads, publish, listener.separation)
