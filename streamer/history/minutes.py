"""Gather running values by the minute, until they are written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from streamer.events.kinds import Level, Scores

SILENT_DBFS = -120.0
"""Lowest level that is reported; it stands for nothing at all."""


@dataclass
class _Scores:
    total: float = 0.0
    highest: float = 0.0
    count: int = 0


@dataclass
class _Levels:
    energy: float = 0.0
    peak: float = 0.0
    seconds: float = 0.0


class Minutes:
    """Sums up scores and levels for each stream and minute, between two takings."""

    def __init__(self) -> None:
        self._scores: defaultdict[tuple[str, int, str, str], _Scores] = defaultdict(_Scores)
        self._levels: defaultdict[tuple[str, int], _Levels] = defaultdict(_Levels)

    @property
    def streams(self) -> set[str]:
        """Names of the streams of which there is something to take."""
        return {key[0] for key in self._scores} | {key[0] for key in self._levels}

    def add_scores(self, event: Scores, at_s: float) -> None:
        """Add the scores of a message, which hold at a time in seconds since 1970."""
        for head, labels in event.heads.items():
            for label, score in labels.items():
                found = self._scores[event.stream, int(at_s // 60), head, label]
                found.total += score
                found.highest = max(found.highest, score)
                found.count += 1

    def add_level(self, event: Level, at_s: float) -> None:
        """Add the level of a message, which holds at a time in seconds since 1970."""
        found, seconds = self._levels[event.stream, int(at_s // 60)], (event.stop - event.start) / event.rate
        found.energy += seconds * _ratio(event.rms_dbfs) ** 2
        found.peak = max(found.peak, _ratio(event.peak_dbfs))
        found.seconds += seconds

    def take_scores(self) -> list[tuple[str, int, str, str, float, float, int]]:
        """Return stream, minute, head, label, mean, highest and count of all scores since the last time."""
        taken = [
            (*key, found.total / found.count, found.highest, found.count)
            for key, found in self._scores.items()
        ]
        self._scores.clear()
        return taken

    def take_levels(self) -> list[tuple[str, int, float, float, float]]:
        """Return stream, minute, mean power, peak and seconds of all levels since the last time."""
        taken = [
            (*key, found.energy / found.seconds, found.peak, found.seconds)
            for key, found in self._levels.items()
            if found.seconds
        ]
        self._levels.clear()
        return taken


def _ratio(dbfs: float) -> float:
    """Return an amplitude re full scale."""
    return float(10 ** (dbfs / 20)) if dbfs > SILENT_DBFS else 0.0
