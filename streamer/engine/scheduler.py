"""Decide when there is enough sound for a turn, how much of it is read, and how long to rest between turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from streamer.config import TURN_S
from streamer.engine.phases import Running
from streamer.engine.stream import Stream
from streamer.sinks.sink import Sink

LIVE_CHUNK_S = 0.5
"""Longest sound that is read from one live source before the others get their turn. If there is a backlog, the machine
carries more streams the longer the chunks are."""

FILE_CHUNK_S = 1.0
"""The same for a source that is not live."""

REST_MIN_S = 0.0005
"""Shortest rest after a turn in which no source had a whole chunk; it bounds the cost of polling."""

REST_MAX_S = 0.05
"""Longest rest; it bounds how long a new subscriber waits for the last state, and how long a request to stop waits."""

REST_WHILE_OPENING_S = 0.005
"""Longest rest while a source is being opened."""

TURN_PER_STREAM_S = 0.001
"""Shortest time from one turn to the next, for each stream: with many streams, something is due all the time."""

TURN_OF_MANY_S = 0.03
"""Upper bound of the shortest time between turns, for any number of streams."""


class Scheduler:
    """Decides when there is enough sound of a live stream to read, and how long the engine rests.

    Parameters
    ----------
    streams : sequence of Stream
        The streams that share an engine's turns. The shortest `turn_s` among their configurations holds for all.
    clock : callable
        Returns seconds on `time.monotonic`'s clock.
    """

    def __init__(self, streams: Sequence[Stream], clock: Callable[[], float]) -> None:
        self._turn_s = min((stream.config.turn_s for stream in streams), default=TURN_S)
        self._clock = clock

    def waits_for_more(self, running: Running) -> bool:
        """Return whether to leave live sound unread: no message is due, and the last read is less than a turn ago."""
        if not running.is_live or running.shed:
            return False
        if self._clock() - running.read_at >= self._turn_s:
            return False
        return running.backlog_frames / running.source.rate_hz < self._due_after_s(running)

    def rest_s(self, running: Sequence[Running], began: float, opening: bool) -> float:
        """Return how many seconds the engine rests after a turn, since nothing is due earlier.

        Parameters
        ----------
        running : sequence of Running
        began : float
            Start of the last turn, on the clock.
        opening : bool
            Whether a stream is being opened, which limits the rest.
        """
        # Streams that are processed in one turn share batches, so with many it pays to wait for more of them.
        turn_s = min(self._turn_s, TURN_PER_STREAM_S * len(running), TURN_OF_MANY_S)
        left_s = began + turn_s - self._clock()
        waits = [each.source.wait_s(self._due_after_s(each)) for each in running]
        longest_s = REST_WHILE_OPENING_S if opening else REST_MAX_S
        return min(max(min(waits, default=longest_s), left_s, REST_MIN_S), longest_s)

    def _due_after_s(self, running: Running) -> float:
        """Seconds of sound after the last read with which a message is due; one turn at most."""
        return min(self._turn_s, running.pipeline.wanted_samples / running.source.rate_hz)


def chunk_frames(running: Running, sinks: Iterable[Sink]) -> int:
    """Return the most frames to read of a stream in a turn; 0 if its source can wait and a sink has no room.

    Parameters
    ----------
    running : Running
    sinks : iterable of Sink
        Sinks of all streams; the sinks of this stream alone are known from `running`.
    """
    stream, rate_hz = running.stream, running.source.rate_hz
    left_s = stream.duration_s - running.position_s
    # Until the first block shows whether the source is live, it is read as if it were.
    if running.last_block is None or running.is_live:
        return max(1, round(min(LIVE_CHUNK_S, left_s) * rate_hz))
    wanted_s = min((sink.wanted_s for sink in (*sinks, *stream.sinks)), default=FILE_CHUNK_S)
    chunk_s = min(FILE_CHUNK_S, wanted_s, left_s)
    return max(1, round(chunk_s * rate_hz)) if wanted_s else 0
