"""Move streams from phase to phase: open them, start them, end them; open and close the sinks with them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from weakref import WeakValueDictionary

from streamer.config_sections import PublishConfig
from streamer.engine.announcer import Announcer
from streamer.engine.backoff import wait_s
from streamer.engine.phases import Ended, Opening, Outage, Recovering, Running
from streamer.engine.stream import Stream
from streamer.errors import StreamerError, fault_of
from streamer.pipeline.column import Column
from streamer.sinks.sink import Sink

STEADY_S = 30.0
"""Time for which a source must run so that the next time it breaks off it is tried again soon."""


class Lifecycle:
    """Changes the phase of streams, and publishes each change.

    Parameters
    ----------
    announcer : Announcer
    publish : PublishConfig
        Which running values are published, and how often.
    clock : callable
        Returns seconds on `time.monotonic`'s clock.
    chance : random.Random or None
        Source of the jitter of waits; None for one of its own.
    """

    def __init__(
        self,
        announcer: Announcer,
        publish: PublishConfig,
        clock: Callable[[], float],
        chance: random.Random | None = None,
    ) -> None:
        self._announcer = announcer
        self._chance = chance or random.Random()
        self._publish = publish
        self._clock = clock
        self._opened: list[Sink] = []
        # A column lasts as long as a stream has a row in it, and a stream as long as its models.
        self._columns: WeakValueDictionary[tuple[int, int], Column] = WeakValueDictionary()

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
            self._announcer.await_opening(stream)
            stream.phase = Opening(stream.source)

    def proceed(self, stream: Stream) -> None:
        """Take a stream that is being opened or opened again to its next phase, if that is due."""
        match stream.phase:
            case Opening() as opening if opening.finished:
                if opening.error is None:
                    self._start(stream)
                elif stream.config.engine.wait and stream.source.is_live:
                    self._recover(stream, Outage(opening.error, 0.0, self._clock()), tries=0)
                else:
                    self._end(stream, opening.error)
            case Recovering() as recovering:
                self._try_again(stream, recovering)

    def break_off(self, running: Running, reason: StreamerError) -> None:
        """Open the source of a stream anew that failed or ended; end the stream if that is not wanted."""
        if not (running.source.is_live and running.stream.config.engine.reconnect):
            self.finish(running, reason)
            return
        if self._clock() - running.reopened_at >= STEADY_S:
            running.tries = 0
        outage = running.outage_from(reason)
        self._announcer.publish(running.stream, running.pipeline.start_anew())
        running.source.close()
        self._recover(running.stream, outage, running.tries)

    def _recover(self, stream: Stream, outage: Outage, tries: int) -> None:
        """Wait for a source, and say why and until when."""
        longest_s = min(stream.config.engine.longest_wait_s, stream.source.longest_wait_s)
        wait = wait_s(tries, longest_s, self._chance)
        stream.phase = Recovering(outage, tries + 1, self._clock() + wait, stream.progress)
        self._announcer.status(stream, f"{outage.reason}; it is tried again in {wait:.1f} s")

    def _try_again(self, stream: Stream, recovering: Recovering) -> None:
        """Open the source again if that is due, and go on once it is open; give up at the end of the duration."""
        outage, opening, now = recovering.outage, recovering.opening, self._clock()
        if outage.heard_s + now - outage.heard_until >= stream.duration_s:
            self._give_up(recovering)
            over = f"the {stream.duration_s:g} s of its duration are over, waiting included"
            self._end(stream, type(outage.reason)(f"{outage.reason}; it is not tried again: {over}"))
        elif opening is None:
            if now >= recovering.due_at:
                recovering.opening = Opening(stream.source, on_thread=True)
        elif opening.finished:
            if opening.error:
                self._recover(stream, replace(outage, reason=opening.error), recovering.tries)
            elif recovering.running is None:
                self._start(stream)
            else:
                self._resume(recovering.running, recovering)

    def _start(self, stream: Stream) -> None:
        """Let a stream run whose source was opened for the first time."""
        try:
            stream.find_beginning()
        except Exception as error:  # noqa: BLE001 - a fault in one stream must not end the others
            self._end(stream, fault_of(error))
            return
        opened_at = self._clock()
        pipeline = stream.models.pipeline(stream.name, self._column(stream, stream.source.rate_hz))
        stream.phase = Running(stream, pipeline, opened_at)
        began = stream.beginning
        self._announcer.status(
            stream, f"it began at {began.at:%Y-%m-%dT%H:%M:%SZ}, as {began.words} says" if began else ""
        )

    def _column(self, stream: Stream, rate_hz: int) -> Column:
        """Return the column of all streams with the same models and sample rate."""
        key = id(stream.models), rate_hz
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = stream.models.column(rate_hz, self._publish)
        return column

    def _resume(self, running: Running, recovering: Recovering) -> None:
        """Let a stream run on whose source was opened again, at another rate perhaps."""
        stream, rate_hz = running.stream, running.source.rate_hz
        if rate_hz != running.rate_hz:
            before = running.pipeline
            running.pipeline = stream.models.pipeline(
                stream.name, self._column(stream, rate_hz), before.epoch
            )
            running.pipeline.pass_over(round(recovering.outage.heard_s * rate_hz))
            running.pipeline.muted_samples = before.muted_samples
            running.rate_hz = rate_hz
        running.outage, running.tries = recovering.outage, recovering.tries
        running.reopened_at, running.overruns = self._clock(), 0
        stream.phase = running

    def finish(self, running: Running, error: StreamerError | None) -> None:
        """End a running stream: publish the events that the end of its sound completes, then its last status."""
        try:
            events = running.pipeline.finish()
        except Exception as fault:  # noqa: BLE001 - it may be the very fault that ends the stream
            events, error = [], error or fault_of(fault)
        try:
            self._announcer.publish(running.stream, events)
            self._announcer.losses(running)
        finally:
            self._end(running.stream, error)

    def leave(self, stream: Stream) -> None:
        """End a stream that is opening or running; do nothing in the other phases."""
        match stream.phase:
            case Opening() as opening:
                error = opening.error  # read first: to be told to give up is no failure of the stream
                opening.give_up()
                self._end(stream, error)
            case Recovering() as recovering:
                self._give_up(recovering)
                self._end(stream, None)
            case Running() as running:
                self.finish(running, None)

    def _give_up(self, recovering: Recovering) -> None:
        if recovering.opening:
            recovering.opening.give_up()

    def _end(self, stream: Stream, error: StreamerError | None) -> None:
        stream.phase = Ended(error, stream.progress)
        try:
            self._announcer.status(stream, str(error or ""))
        finally:
            stream.source.close()
