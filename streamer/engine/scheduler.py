"""Turns of an engine: how much of a stream is taken in one, what live sound is let gather, how long to rest between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from streamer.config import TURN_S
from streamer.engine.stream import Stream
from streamer.sinks.sink import Sink

LIVE_CHUNK_S = 0.5
"""Most sound that is taken from one live source before the others get their turn: where there is a backlog, the longer
the chunks, the more streams are carried."""

FILE_CHUNK_S = 1.0
"""The same for a source that is not live."""

SHORTEST_REST_S = 0.0005
"""Least rest when no source had a whole chunk: bounds what polling costs."""

OPENING_LOOK_S = 0.005
"""Most rest while a source is being opened."""

LEAST_TURN_S = 0.001
"""Least time from one turn to the next, for each stream: of many, something is due all the time."""

LEAST_TURN_OF_MANY_S = 0.03
"""What that is at most, however many there are."""

LONGEST_REST_S = 0.05
"""Most rest: bounds how long a new subscriber waits for the last state, and a request to stop."""


class Scheduler:
    """Decides when there is enough sound for a turn.

    Parameters
    ----------
    streams : sequence of Stream
        That share an engine's turns. The shortest turn that one of them wants is that of all.
    clock : callable
        Seconds on `time.monotonic`'s clock.
    """

    def __init__(self, streams: Sequence[Stream], clock: Callable[[], float]) -> None:
        self._turn_s = min((stream.config.turn_s for stream in streams), default=TURN_S)
        self._clock = clock

    def gathers(self, stream: Stream) -> bool:
        """Whether live sound is worth waiting for: nothing is due, and the last look is less than a turn ago."""
        if stream.last is None or stream.last.captured_at is None or stream.shed:
            return False
        if self._clock() - stream.read_at >= self._turn_s:
            return False
        return stream.backlog_frames / stream.source.rate_hz < self._wanted_s(stream)

    def rest_s(self, streams: Sequence[Stream], began: float, opening: bool) -> float:
        """Seconds until something may be due.

        Parameters
        ----------
        streams : sequence of Stream
            That are heard.
        began : float
            When the last turn did, on the clock.
        opening : bool
            Whether any other is being opened.
        """
        least_s = min(self._turn_s, LEAST_TURN_S * len(streams), LEAST_TURN_OF_MANY_S)
        left_s = began + least_s - self._clock()
        waits = [stream.source.wait_s(self._wanted_s(stream)) for stream in streams]
        longest_s = OPENING_LOOK_S if opening else LONGEST_REST_S
        return min(max(min(waits, default=longest_s), left_s, SHORTEST_REST_S), longest_s)

    def _wanted_s(self, stream: Stream) -> float:
        """Sound from the last look on with which something is due; a turn of it at most."""
        if stream.pipeline is None:
            return self._turn_s
        return min(self._turn_s, stream.pipeline.wanted_samples / stream.source.rate_hz)


def chunk_frames(stream: Stream, sinks: Iterable[Sink]) -> int:
    """How much is to be read of a stream in a turn; 0 of a source that can wait while a sink wants no more.

    Parameters
    ----------
    stream : Stream
    sinks : iterable of Sink
        Of all streams; its own are asked too.
    """
    left_s = stream.duration_s - stream.heard_s
    if stream.last is None or stream.last.captured_at is not None:
        return max(1, round(min(LIVE_CHUNK_S, left_s) * stream.source.rate_hz))
    wanted_s = min((sink.wanted_s for sink in (*sinks, *stream.sinks)), default=FILE_CHUNK_S)
    chunk_s = min(FILE_CHUNK_S, wanted_s, left_s)
    return max(1, round(chunk_s * stream.source.rate_hz)) if wanted_s else 0
