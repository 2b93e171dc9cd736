"""Wrap a source, to change part of what it does."""

from __future__ import annotations

from collections.abc import Mapping

from streamer.sources.source import Block, Source, SourceCounts


class SourceWrapper(Source):
    """Source that passes every call on to another source; the base class of sources that change some calls.

    Parameters
    ----------
    inner : Source
        A source that is not open yet. It is opened and closed with this source.
    """

    def __init__(self, inner: Source) -> None:
        self._inner = inner
        self.longest_wait_s = inner.longest_wait_s

    @property
    def is_live(self) -> bool:
        return self._inner.is_live

    @property
    def opens_slowly(self) -> bool:
        return self._inner.opens_slowly

    def give_up_opening(self) -> None:
        self._inner.give_up_opening()

    def open(self) -> None:
        self._inner.open()
        self.lost_by, self.timed_by = self._inner.lost_by, self._inner.timed_by
        self.rate_hz = self._inner.rate_hz
        self.channels = self._inner.channels

    def read(self, max_frames: int) -> Block | None:
        return self._inner.read(max_frames)

    def backlog_frames(self) -> int:
        return self._inner.backlog_frames()

    def skip(self, frames: int) -> int:
        return self._inner.skip(frames)

    def wait_s(self, turn_s: float) -> float:
        return self._inner.wait_s(turn_s)

    @property
    def total_s(self) -> float | None:
        return self._inner.total_s

    @property
    def tags(self) -> Mapping[str, str]:
        return self._inner.tags

    @property
    def ended(self) -> bool:
        return self._inner.ended

    @property
    def counts(self) -> SourceCounts:
        return self._inner.counts

    def close(self) -> None:
        self._inner.close()
