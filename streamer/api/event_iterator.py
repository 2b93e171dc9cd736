"""Events of streams, one after the other, while an engine runs on a thread of its own."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Iterator, Sequence
from types import TracebackType
from typing import Self

from streamer.config import Config
from streamer.engine.engine import Engine
from streamer.engine.engine_thread import EngineThread
from streamer.engine.stream import Stream
from streamer.events.kinds import Event
from streamer.sinks.event_queue import EventQueue
from streamer.sinks.sink import Sink


class EventIterator(Iterator[Event], AsyncIterator[Event]):
    """Iterator over events, one by one as they come; `streamer.listen` and `streamer.analyze` return it.

    It is also an asynchronous iterator and a context manager. It closes devices and files when the sound ends, by
    `close`, at the end of a ``with`` block, and when nothing refers to the iterator any more, as after a ``break``.

    Parameters
    ----------
    streams : sequence of Stream
        Not yet opened.
    config : Config
    queue : EventQueue
        Receives the events on the engine's thread; the iterator takes them from it.
    sinks : sequence of Sink, optional
        Sinks of the engine, `queue` or a sink that passes events on to it among them; by default `queue` alone.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        config: Config,
        queue: EventQueue,
        sinks: Sequence[Sink] | None = None,
    ) -> None:
        self._streams = tuple(streams)
        self._queue = queue
        self._thread = EngineThread(Engine(self._streams, sinks or [queue], config))
        # Runs at the latest when Python exits; it must not refer to this object, which it would keep alive.
        self._end = weakref.finalize(self, _end_engine, self._thread, queue)
        self._thread.start()

    @property
    def lost_events(self) -> int:
        """Number of events that were lost so far, because the caller did not take them in time."""
        return self._queue.lost_events

    def __next__(self) -> Event:
        """Wait for the next event and return it; a KeyboardInterrupt meanwhile closes the iterator.

        Raises
        ------
        StreamerError
            If a stream failed; raised once all streams have ended and all their events were taken.
        StopIteration
            If all streams have ended, or the iterator was closed.
        """
        try:
            event = self._queue.take()
        except (
            BaseException
        ):  # KeyboardInterrupt: its traceback, which a notebook keeps, would keep this alive
            self.close()
            raise
        if event is None:
            self._raise_errors()
            raise StopIteration
        return event

    async def __anext__(self) -> Event:
        """Wait for the next event while other tasks run, and return it; StopAsyncIteration ends the iteration."""
        import asyncio  # takes longer to load than the rest of this module

        while (event := self._queue.take_now()) is None:
            # A task that is cancelled here has taken no event.
            if not await asyncio.to_thread(self._queue.wait):
                await asyncio.to_thread(self._raise_errors)
                raise StopAsyncIteration
        return event

    def stop(self) -> None:
        """Ask all streams to end: labels that are on get an ``off``, and iteration stops after the last event.

        It returns at once, and may be called from any thread.
        """
        self._thread.stop_requested.set()

    def close(self) -> None:
        """End all streams, close their devices, drop the events that were not taken; closing twice is harmless."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _raise_errors(self) -> None:
        """Raise the error of the engine, or of the first stream that failed, with the others as notes."""
        if not self._end.alive:
            return  # it was closed, or has raised them already
        self._thread.join()
        self._end()
        self._thread.raise_failure()
        failed = [stream for stream in self._streams if stream.error]
        if not failed:
            return
        first, *others = failed
        assert first.error is not None  # it has failed
        error = type(first.error)(f"{first.name}: {first.error}") if len(self._streams) > 1 else first.error
        for other in others:
            error.add_note(f"{other.name}: {other.error}")
        raise error


def _end_engine(thread: EngineThread, queue: EventQueue) -> None:
    """End an engine in order, and close what it opened."""
    thread.stop_requested.set()
    queue.abandon()
    thread.join()
