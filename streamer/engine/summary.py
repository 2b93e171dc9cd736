"""Sum up a stream: how much was heard, and what was lost."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.engine.stream import Stream


@dataclass(frozen=True)
class Summary:
    """The sums of a stream, without the stream itself: they are kept to the end, even if a reload ends the stream.

    Attributes
    ----------
    name : str
    samples : int
        Number of samples since the source was opened, lost ones included; 0 if it never was.
    rate_hz : int
        Sample rate; 0 if the source was never open.
    dropped_samples, overruns, muted_samples : int
        As for `Stream`.
    """

    name: str
    samples: int
    rate_hz: int
    dropped_samples: int
    overruns: int
    muted_samples: int


def summary_of(stream: Stream) -> Summary:
    """Return what a stream has come to so far."""
    progress = stream.progress
    return Summary(
        stream.name,
        stream.position_samples,
        progress.rate_hz if progress else 0,
        stream.dropped_samples,
        stream.overruns,
        stream.muted_samples,
    )
