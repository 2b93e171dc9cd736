"""The engine: one thread that reads sources, runs pipelines, and hands events to sinks.

It never waits for a source or a sink. When a live source is further behind than allowed, the oldest sound is
dropped, counted and announced. A stream that fails ends alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from streamer.config import Config
from streamer.engine.announcer import Announcer
from streamer.engine.lifecycle import Lifecycle
from streamer.engine.load_shedding import LoadShedding
from streamer.engine.phases import Ended, Opening, Recovering, Running
from streamer.engine.scheduler import Scheduler, chunk_frames
from streamer.engine.stream import Stream
from streamer.engine.summary import Summary, summary_of
from streamer.errors import StreamerError, fault_of
from streamer.events.kinds import Event
from streamer.inference.batching import BatchRunner
from streamer.pipeline.step_all import step_all
from streamer.sinks.sink import Sink, close_soon, unwanted_kinds
from streamer.sources.source import Block

BACKLOG_KEPT_S = 0.1
"""Sound that is kept when a backlog is cut back."""

SHED_MESSAGE = "not heard: the machine does not carry all streams, and others have priority"
RESUMED_MESSAGE = "heard again"
"""Messages in the status of a stream that is shed, and of one that is resumed."""

GROUP_STREAMS = 64
"""Streams that are processed together before their events are published, if no model takes a larger batch. It bounds
how long the events of one stream wait for the processing of the others."""


@dataclass(slots=True)
class StreamTurn:
    """One stream in one turn of the engine: what was read of the stream, and the events or the fault that followed.

    Attributes
    ----------
    running : Running
    block : Block or None
        Block to process; None if none was read, or the stream is skipped.
    heard : bool
        Whether a block was read.
    lost : int
        Samples that were lost before the block.
    change : str
        Words that say which microphone is heard from the block on, if it is another one.
    more : bool
        Whether there may be more to read at once.
    ended : bool
        Whether the source has no more sound.
    broke_off : StreamerError or None
        The error of the source if it failed.
    result : list of Event, or Exception
        The events to publish, or the fault that ends the stream.
    """

    running: Running
    block: Block | None = None
    heard: bool = False
    lost: int = 0
    change: str = ""
    more: bool = False
    ended: bool = False
    broke_off: StreamerError | None = None
    result: list[Event] | Exception = field(default_factory=list)


class Engine:
    """Runs streams until all have ended or the engine is told to stop.

    Parameters
    ----------
    streams : sequence of Stream
        Streams that are warmed up and not yet opened. Those that share a model are processed in one batch.
    sinks : sequence of Sink
        Sinks for the events of all streams. `run` opens them, before all else.
    config : Config
    clock : callable
        Returns seconds on `time.monotonic`'s clock.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        sinks: Sequence[Sink],
        config: Config,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._sinks = sinks
        self._max_lag_ms = config.engine.max_lag_ms
        self._announcer = Announcer(sinks, config.publish.heartbeat_s, clock)
        self._lifecycle = Lifecycle(self._announcer, config.publish, clock)
        self._shedding = LoadShedding(clock)
        self._runner = BatchRunner([])
        self._change: tuple[Sequence[Stream], str] | None = None
        self._left: list[Summary] = []
        self._use(streams)

    @property
    def incomplete(self) -> bool:
        """Whether a sink lacks output that it should have kept; sinks of streams that were removed count too."""
        return self._lifecycle.incomplete

    @property
    def summaries(self) -> list[Summary]:
        """The sums of all streams: first of those that a change of the streams ended, then of the present ones."""
        return [*self._left, *map(summary_of, self.streams)]

    def run(self, stop: threading.Event) -> None:
        """Open sinks and streams, take turns until all streams have ended or `stop` is set, then close everything.

        Parameters
        ----------
        stop : threading.Event
            Set from another thread or a signal handler.

        Raises
        ------
        StreamerError
            If a sink of all streams cannot be opened, or any sink fails later. Streams that fail, and those whose own
            sinks cannot be opened, have the reason in `Stream.error` instead.
        """
        # Whatever fails, every stream ends and every sink closes, in this order.
        with ExitStack() as leaving:
            leaving.callback(self._lifecycle.close_sinks)
            self._lifecycle.open_sinks(self._sinks)
            leaving.callback(self._leave_all)
            for stream in self.streams:
                self._lifecycle.open(stream)
            while not stop.is_set() and not all(isinstance(stream.phase, Ended) for stream in self.streams):
                self._turn()

    def change(self, streams: Sequence[Stream], message: str) -> None:
        """Replace the streams from the next turn on; may be called from another thread.

        Parameters
        ----------
        streams : sequence of Stream
            The streams to run: present ones, which go on, and new ones, not yet opened, whose models are warmed up.
            Present streams that are not among them are ended.
        message : str
            Published in a ``status`` of each stream that ran so far or was being opened.
        """
        self._change = streams, message

    def _use(self, streams: Sequence[Stream]) -> None:
        models = [model for stream in streams for model in stream.models.in_call_order]
        self.streams = streams
        self._served = [*self._sinks, *(own for stream in streams for own in stream.sinks)]
        self._runner.set_order(models)
        self._scheduler = Scheduler(streams, self._clock)
        self._group_streams = max([GROUP_STREAMS, *(model.max_batch for model in models)])

    def _turn(self) -> None:
        """Give every stream its turn, then rest a little unless there is more to read at once."""
        began = self._clock()
        if self._change:
            change, self._change = self._change, None
            self._apply(*change)
        running = self._running()
        for stream in self.streams:
            self._lifecycle.proceed(stream)
        busy = False
        for first in range(0, len(running), self._group_streams):
            busy |= self._turn_of(running[first : first + self._group_streams])
        running = self._running()
        for changed in self._shedding.update(running):
            self._announcer.status(changed.stream, SHED_MESSAGE if changed.shed else RESUMED_MESSAGE)
        for each in running:
            self._announcer.losses_if_due(each)
        self._announcer.heartbeats(self.streams)
        for sink in self._served:
            sink.service()
        if not busy:
            opening = any(isinstance(stream.phase, Opening) for stream in self.streams)
            time.sleep(self._scheduler.rest_s(running, began, opening))

    def _turn_of(self, group: Sequence[Running]) -> bool:
        """Take a group of streams through the phases of a turn; return whether there may be more to read at once."""
        turns = [turn for running in group if (turn := self._read(running))]
        self._process(turns)
        for turn in turns:
            self._publish(turn)
            self._end_if_done(turn)
        return any(turn.more for turn in turns)

    def _read(self, running: Running) -> StreamTurn | None:
        """Read a stream's next block and prepare its processing; return None if no block is due."""
        try:
            frames = chunk_frames(running, self._sinks)
            if not frames:
                return None
            self._bound_lag(running)
            if self._scheduler.waits_for_more(running):
                return None
            running.read_at = self._clock()
            block = running.source.read(frames)
            if block is None:
                return StreamTurn(running, ended=running.source.ended)
            placed = running.placed(block, self._clock())
            return StreamTurn(running, more=True) if placed is None else _turn_with(running, placed, frames)
        except StreamerError as error:
            return StreamTurn(running, broke_off=error)
        except Exception as error:  # noqa: BLE001 - a fault in one stream must not end the others
            return StreamTurn(running, result=error)

    def _process(self, turns: Sequence[StreamTurn]) -> None:
        """Run the pipelines of all streams that have something to process, in common batches."""
        working = [(turn, turn.block) for turn in turns if turn.block]
        unwanted = unwanted_kinds(self._served)
        for turn, _ in working:
            turn.running.pipeline.demand.unwanted = unwanted
        results = step_all([(turn.running.pipeline, block) for turn, block in working], self._runner)
        for (turn, _), result in zip(working, results, strict=True):
            turn.result = result

    def _publish(self, turn: StreamTurn) -> None:
        """Publish the events of a stream, and what it lost."""
        if isinstance(turn.result, Exception):
            return
        if turn.result:
            self._announcer.publish(turn.running.stream, turn.result)
        if turn.change:
            self._announcer.status(turn.running.stream, turn.change)
        if turn.heard and turn.running.outage:
            self._announcer.heard_again(turn.running, turn.lost)
        elif turn.lost:
            self._announcer.loss(turn.running, turn.lost)
        self._announcer.overruns(turn.running)
        self._announcer.cancelled(turn.running)
        self._announcer.clock(turn.running)

    def _end_if_done(self, turn: StreamTurn) -> None:
        """End a stream that failed, whose source has ended, or whose duration is reached."""
        running = turn.running
        if isinstance(turn.result, Exception):
            self._lifecycle.finish(running, fault_of(turn.result))
        elif turn.broke_off:
            self._lifecycle.break_off(running, turn.broke_off)
        elif turn.ended or running.position_s >= running.stream.duration_s:
            self._lifecycle.finish(running, None)

    def _bound_lag(self, running: Running) -> None:
        """Drop the oldest sound of a source that is further behind than allowed."""
        source = running.source
        running.backlog_frames = source.backlog_frames()
        allowed = round(self._max_lag_ms * source.rate_hz / 1_000)
        if running.backlog_frames <= allowed and not running.shed:
            return
        kept = min(allowed, round(BACKLOG_KEPT_S * source.rate_hz))
        skipped = source.skip(max(0, running.backlog_frames - kept))
        if skipped and not running.shed:
            self._shedding.lost(skipped / source.rate_hz)

    def _apply(self, streams: Sequence[Stream], message: str) -> None:
        """End the streams that are no longer wanted and open the new ones."""
        before = self.streams
        self._use(streams)
        for stream in before:
            if isinstance(stream.phase, Opening | Running | Recovering):
                self._announcer.status(stream, message)
            if stream not in streams:  # ended first: it may hold a device that a new stream opens
                self._lifecycle.leave(stream)
                self._left.append(summary_of(stream))
                close_soon(stream.sinks)
        for stream in streams:
            if stream not in before:
                self._lifecycle.open(stream)

    def _running(self) -> list[Running]:
        return [stream.phase for stream in self.streams if isinstance(stream.phase, Running)]

    def _leave_all(self) -> None:
        with ExitStack() as closing:  # leaves the others if one fails
            for stream in reversed(self.streams):
                closing.callback(self._lifecycle.leave, stream)


def _turn_with(running: Running, block: Block, frames: int) -> StreamTurn:
    """Return the turn of a stream of which a block was read when `frames` were asked for."""
    stream, pipeline = running.stream, running.pipeline
    running.last_block = block
    if running.shed:
        # The status counts what is skipped, and says that it is; no loss is announced for each block.
        stream.dropped_samples += block.stop - pipeline.position
        return StreamTurn(running, change=block.change, heard=True, result=pipeline.pass_over(block.stop))
    lost = block.start - pipeline.position
    stream.dropped_samples += lost
    more = block.captured_at is None or len(block.samples) == frames
    return StreamTurn(running, block, True, lost, block.change, more)
