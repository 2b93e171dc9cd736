"""Publish the events of streams: give each its number and time, and report how every stream stands."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from streamer.engine.clock_words import clock_words
from streamer.engine.make_status import make_status
from streamer.engine.phases import Opening, Recovering, Running
from streamer.engine.stream import Stream
from streamer.events.kinds import Event, Stem
from streamer.sinks.sink import Sink
from streamer.sources.source import Block
from streamer.start_time import Beginning

LOSSES_APART_S = 1.0
"""Shortest time between two messages of lost sound: where every third packet is missing, each would be one."""


class Announcer:
    """Hands the events of streams to sinks, numbered and timed, and adds status messages.

    Parameters
    ----------
    sinks : sequence of Sink
        Sinks for the events of all streams; a stream's own sinks come before them.
    heartbeat_s : float
        Seconds between two ``status`` of a stream, if nothing else makes it publish one.
    clock : callable
        Returns seconds on `time.monotonic`'s clock.
    """

    def __init__(self, sinks: Sequence[Sink], heartbeat_s: float, clock: Callable[[], float]) -> None:
        self._sinks = sinks
        self._heartbeat_s = heartbeat_s
        self._clock = clock
        self._utc_offset = time.time() - time.monotonic()
        self._seq: defaultdict[str, int] = defaultdict(int)

    def publish(self, stream: Stream, events: Iterable[Event]) -> None:
        """Hand a stream's events to its own sinks and to those of all streams; unpublished stems only to its own.

        Events that were not made, since nobody wants them, have numbers all the same.

        Raises
        ------
        StreamerError
            If a sink fails; it is raised after all other sinks have got all events.
        """
        progress = stream.progress
        last_block = progress.last_block if progress else None
        by_sender = progress is not None and progress.is_timed_by_sender
        failed: list[Exception] = []
        if progress is not None:
            for kind, count in progress.pipeline.demand.take_unmade().items():
                self._seq[f"{kind}/{stream.name}"] += count
        for event in events:
            stamped = self._stamped(event, last_block, by_sender, stream.beginning)
            is_private = isinstance(event, Stem) and not stream.config.stems.publish
            for sink in (*stream.sinks, *(() if is_private else self._sinks)):
                try:
                    sink.send(stamped)
                except Exception as error:  # noqa: BLE001 - raised again, once the others have it
                    failed.append(error)
        if failed:
            raise failed[0]

    def heartbeats(self, streams: Iterable[Stream]) -> None:
        """Publish the status of each stream of which it is due, and which runs or is being opened."""
        now = self._clock()
        for stream in streams:
            if now >= stream.status_due_at and isinstance(stream.phase, Opening | Running | Recovering):
                self.status(stream)

    def await_opening(self, stream: Stream) -> None:
        """Let the first heartbeat of a stream come after an interval: by then, most streams are open."""
        stream.status_due_at = self._clock() + self._heartbeat_s

    def loss(self, running: Running, lost: int) -> None:
        """Publish that `lost` samples of a stream were lost; if that was said just before, say it a little later."""
        running.untold_losses += 1
        running.untold_samples += lost
        self.losses_if_due(running)

    def losses_if_due(self, running: Running) -> None:
        """Publish the losses of a stream that were not told yet, unless that was done just before."""
        if running.untold_losses and self._clock() >= running.losses_due_at:
            self.losses(running)

    def losses(self, running: Running) -> None:
        """Publish the losses of a stream that were not told yet, if there are any."""
        count, lost = running.untold_losses, running.untold_samples
        if not count:
            return
        lost_ms = 1_000 * lost / running.rate_hz
        places = "" if count == 1 else f" in {count} places"
        lost_by = running.source.lost_by
        running.untold_losses = running.untold_samples = 0
        running.losses_due_at = self._clock() + LOSSES_APART_S
        self.status(
            running.stream, f"lost {lost} samples ({lost_ms:.0f} ms){places}: {lost_by}; heard anew from here"
        )

    def heard_again(self, running: Running, lost: int) -> None:
        """Publish that a stream is heard again whose source was away, and that `lost` samples were not heard."""
        running.outage = None
        self.status(running.stream, f"heard again; {lost / running.rate_hz:.1f} s were not heard")

    def overruns(self, running: Running) -> None:
        """Publish a status about the device's overruns since the last such status; nothing if there were none."""
        stream = running.stream
        new = stream.source.counts.overruns - running.overruns
        if new:
            running.overruns += new
            stream.overruns += new
            text = f"the device reported {new} overrun{'s' if new > 1 else ''}: sound was lost before it came here"
            self.status(stream, text)

    def cancelled(self, running: Running) -> None:
        """Publish, once, that the channels of a stream cancel each other, if they do."""
        if running.pipeline.cancelled and not running.said_cancelled:
            running.said_cancelled = True
            self.status(running.stream, running.pipeline.cancelled)

    def clock(self, running: Running) -> None:
        """Publish that the sender's clock gives the times from now on, or is far from this machine's, or was set."""
        clock, (said, said_s) = running.clock, running.said_clock
        if clock == said != "sender":
            return
        block = running.last_block
        if block is None or block.captured_at is None or running.stream.beginning is not None:
            return
        sent_at = block.sent_at if clock == "sender" else None
        behind_s = 0.0 if sent_at is None else self._utc(block.captured_at).timestamp() - sent_at
        words = clock_words(clock, behind_s, said, said_s)
        if clock != said or words:
            running.said_clock = clock, behind_s
        if words:
            self.status(running.stream, words)

    def status(self, stream: Stream, message: str = "") -> None:
        """Publish the status of a stream that was begun to be opened, with a message for people."""
        now = self._clock()
        # Measured each time: UTC is set now and then, and the monotonic clock stops while the machine sleeps.
        self._utc_offset = time.time() - time.monotonic()
        stream.status_due_at = now + self._heartbeat_s
        status = make_status(stream, now, self._utc(now), message)
        self.publish(stream, [status])

    def _stamped(
        self, event: Event, last_block: Block | None, by_sender: bool, beginning: Beginning | None
    ) -> Event:
        """Return the event with its number, and with its time if its sound has one."""
        topic = event.topic
        seq = self._seq[topic]
        self._seq[topic] = seq + 1
        if beginning is not None and event.time is None:
            return event.stamped(seq, beginning.at + timedelta(seconds=event.stop / event.rate), None)
        if event.time is not None or last_block is None or last_block.captured_at is None:
            return event.stamped(seq, event.time, event.latency_ms)
        before_s = (last_block.stop - event.stop) / event.rate
        latency_ms = round(1_000 * (self._clock() - (last_block.captured_at - before_s)), 3)
        if by_sender and last_block.sent_at is not None:
            return event.stamped(seq, datetime.fromtimestamp(last_block.sent_at - before_s, UTC), latency_ms)
        return event.stamped(seq, self._utc(last_block.captured_at - before_s), latency_ms)

    def _utc(self, monotonic: float) -> datetime:
        return datetime.fromtimestamp(monotonic + self._utc_offset, UTC)
