"""Make the status event of a stream; `streamer.events.make_events` makes all other events."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import Literal

from streamer.engine.phases import Ended, Opening, Recovering, Running
from streamer.engine.stream import Stream
from streamer.errors import EndedError
from streamer.events.kinds import Status
from streamer.events.readable import readable


def make_status(stream: Stream, now: float, utc: datetime, message: str) -> Status:
    """Return the status of a stream that was begun to be opened.

    Parameters
    ----------
    stream : Stream
        The stream.
    now : float
        Present time on `time.monotonic`'s clock, in seconds.
    utc : datetime
        The same time in UTC.
    message : str
        Text for people; empty if there is nothing to tell.
    """
    progress = stream.progress
    status = Status(
        kind="status",
        stream=stream.name,
        epoch=progress.pipeline.epoch if progress else 0,
        start=progress.pipeline.position if progress else 0,
        stop=progress.pipeline.position if progress else 0,
        rate=progress.rate_hz if progress else 1,  # the rate of a source that never opened is unknown
        time=utc,
        state=_state(stream),
        message=readable(message),
        dropped_samples=stream.dropped_samples,
        overruns=stream.overruns,
        muted_samples=stream.muted_samples,
        pid=os.getpid(),
        versions=stream.models.versions,
        source=readable(stream.address),
        clock=stream.clock,
    )
    if not progress:
        return status
    return replace(
        status,
        lag_ms=_lag_ms(progress) if stream.phase is progress else 0.0,
        uptime_s=round(now - progress.opened_at, 3),
        shed=progress.shed,
    )


def _state(stream: Stream) -> Literal["opening", "running", "recovering", "ended", "failed"]:
    match stream.phase:
        case Ended(error=error):
            return "ended" if error is None or isinstance(error, EndedError) else "failed"
        case Opening():
            return "opening"
        case Recovering():
            return "recovering"
    return "running"


def _lag_ms(running: Running) -> float:
    return round(1_000 * running.backlog_frames / running.rate_hz, 1)
