"""Divide what was heard by the hours of the day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from streamer.history.reader import HeardMinute, Stretch, Wanted

HOUR_S = 3_600.0


@dataclass(frozen=True)
class LabelHour:
    """Share of an hour for which a label was on.

    Attributes
    ----------
    stream, kind, label : str
    began_s : float
        Beginning of the hour, in seconds since 1970.
    seconds : float
        Time for which the label was on.
    heard_s : float
        Time that was heard, to the minute; what was not heard is neither with nor without the label.
    """

    stream: str
    kind: str
    label: str
    began_s: float
    seconds: float
    heard_s: float

    @property
    def share(self) -> float:
        """Share of the time that was heard, 0 to 1."""
        return min(1.0, self.seconds / self.heard_s) if self.heard_s else 0.0


def by_hour(wanted: Wanted, stretches: Iterable[Stretch], heard: Iterable[HeardMinute]) -> list[LabelHour]:
    """Return for each hour between two times the labels that were on, by stream and time, the longest first.

    Hours begin where those of the local time do.

    Parameters
    ----------
    wanted : Wanted
        The two times; what lies outside does not count.
    stretches : iterable of Stretch
    heard : iterable of HeardMinute
    """
    offset_s = _past_the_hour(wanted.since_s)
    heard_s: defaultdict[tuple[str, float], float] = defaultdict(float)
    for minute in heard:
        heard_s[minute.stream, _hour(60.0 * minute.minute, offset_s)] += minute.seconds
    on_s: defaultdict[tuple[str, str, str, float], float] = defaultdict(float)
    for stretch in stretches:
        begins, ends = max(stretch.began_s, wanted.since_s), min(stretch.ended_s, wanted.until_s)
        for hour, seconds in _divided(begins, ends, offset_s):
            on_s[stretch.stream, stretch.kind, stretch.label, hour] += seconds
    found = [
        LabelHour(stream, kind, label, hour, seconds, heard_s[stream, hour])
        for (stream, kind, label, hour), seconds in on_s.items()
    ]
    return sorted(found, key=lambda each: (each.stream, each.began_s, each.kind, -each.seconds, each.label))


def _divided(begins_s: float, ends_s: float, offset_s: float) -> Iterator[tuple[float, float]]:
    """Yield the beginning of each hour that a time reaches into, and how many seconds of it lie there."""
    while begins_s < ends_s:
        hour = _hour(begins_s, offset_s)
        stop = min(ends_s, hour + HOUR_S)
        yield hour, stop - begins_s
        begins_s = stop


def _hour(at_s: float, offset_s: float) -> float:
    return (at_s - offset_s) // HOUR_S * HOUR_S + offset_s


def _past_the_hour(at_s: float) -> float:
    """Return by how many seconds the hours of the local time begin after those of UTC, 0 to 3600."""
    zone = datetime.fromtimestamp(at_s).astimezone().utcoffset()
    return -zone.total_seconds() % HOUR_S if zone else 0.0
