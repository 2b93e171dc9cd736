"""What an engine says: events with their number and time, and how each stream stands."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from streamer.engine.stream import Stream
from streamer.events import Event, Status, Stem
from streamer.sinks.sink import Sink


class Announcer:
    """Hands events to sinks.

    Parameters
    ----------
    sinks : sequence of Sink
        That take the events of all streams; what takes a stream's alone has them first.
    heartbeat_s : float
        Between two ``status`` of a stream.
    clock : callable
        Seconds on `time.monotonic`'s clock.
    """

    def __init__(self, sinks: Sequence[Sink], heartbeat_s: float, clock: Callable[[], float]) -> None:
        self._sinks = sinks
        self._heartbeat_s = heartbeat_s
        self._clock = clock
        self._utc_offset = time.time() - time.monotonic()
        self._seq: defaultdict[str, int] = defaultdict(int)

    def send(self, stream: Stream, events: Iterable[Event]) -> None:
        """Send what was heard in a stream.

        Raises
        ------
        StreamerError
            If a sink fails; all others have had everything then.
        """
        failed: list[Exception] = []
        for event in events:
            stamped = self._stamped(stream, event)
            kept_back = isinstance(event, Stem) and not stream.config.stems.publish
            for sink in (*stream.sinks, *(() if kept_back else self._sinks)):
                try:
                    sink.send(stamped)
                except Exception as error:  # noqa: BLE001 - raised again, once the others have it
                    failed.append(error)
        if failed:
            raise failed[0]

    def beat(self, stream: Stream) -> None:
        """Tell how a stream stands, if that is due."""
        if self._clock() >= stream.status_due_at:
            self.status(stream, "running")

    def loss(self, stream: Stream, lost: int) -> None:
        """Tell that samples of a stream were lost."""
        lost_ms = 1_000 * lost / stream.source.rate_hz
        text = (
            f"lost {lost} samples ({lost_ms:.0f} ms): this machine or its sound system did not keep up; heard anew "
            "from here"
        )
        self.status(stream, "running", text)

    def overruns(self, stream: Stream) -> None:
        """Tell of overruns of a stream's device that have not been told."""
        new = stream.source.counts.overruns - stream.overruns
        if new:
            stream.overruns += new
            text = f"the device reported {new} overrun{'s' if new > 1 else ''}: sound was lost before it came here"
            self.status(stream, "running", text)

    def status(self, stream: Stream, state: Literal["running", "ended", "failed"], message: str = "") -> None:
        """Tell how a stream stands."""
        now = self._clock()
        self._utc_offset = time.time() - time.monotonic()  # anew: the one is set at times, the other sleeps
        stream.status_due_at = now + self._heartbeat_s
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
            shed=stream.shed,
            pid=os.getpid(),
            versions=stream.listener.versions,
        )
        self.send(stream, [replace(status, time=self._utc(now))])

    def _stamped(self, stream: Stream, event: Event) -> Event:
        """Give an event its number, and its time if the sound has one."""
        seq = self._seq[event.topic]
        self._seq[event.topic] += 1
        block = stream.last
        if event.time is not None or block is None or block.captured_at is None:
            return event.stamped(seq, event.time, event.latency_ms)
        captured_at = block.captured_at - (block.stop - event.stop) / event.rate
        latency_ms = round(1_000 * (self._clock() - captured_at), 3)
        return event.stamped(seq, self._utc(captured_at), latency_ms)

    def _utc(self, monotonic: float) -> datetime:
        return datetime.fromtimestamp(monotonic + self._utc_offset, UTC)
