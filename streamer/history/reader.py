"""Read from a history what was heard between two times."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """Question that is asked of a history; times are in seconds since 1970.

    Attributes
    ----------
    since_s, until_s : float
        Beginning and end.
    stream, kind, label : str
        Names; an empty text takes all.
    """

    since_s: float
    until_s: float
    stream: str = ""
    kind: str = ""
    label: str = ""


@dataclass(frozen=True)
class Stretch:
    """Time for which a label was on; times are in seconds since 1970.

    Attributes
    ----------
    stream, kind, label : str
    began_s, ended_s : float
        Beginning and end. Of what goes on, or went on when the process was killed, the end is the last time at which
        the process wrote.
    highest : float
        Highest score that was reported, 0 to 1.
    """

    stream: str
    kind: str
    label: str
    began_s: float
    ended_s: float
    highest: float

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.ended_s - self.began_s


@dataclass(frozen=True)
class StreamNote:
    """State of a stream from a time on, with the seconds that it had lost since its last status."""

    stream: str
    at_s: float
    state: str
    lost_s: float
    message: str


@dataclass(frozen=True)
class HeardMinute:
    """Minute since 1970 in which a stream was heard, and for how many seconds of it."""

    stream: str
    minute: int
    seconds: float


STRETCHES = """
SELECT streams.name, kind, label, stretches.began, max(stretches.began, coalesce(ended, seen)) AS stop, highest
FROM stretches JOIN streams ON streams.id = stream JOIN runs ON runs.id = run
WHERE stretches.began < :until_s AND coalesce(ended, seen) >= :since_s
  AND (:stream = '' OR streams.name = :stream) AND (:kind = '' OR kind = :kind) AND (:label = '' OR label = :label)
ORDER BY stretches.began, stretches.id
"""
NOTES = """
SELECT streams.name, at, state, lost_s, message FROM notes JOIN streams ON streams.id = stream
WHERE at >= :since_s AND at < :until_s AND (:stream = '' OR streams.name = :stream) ORDER BY at, notes.id
"""
HEARD = """
SELECT streams.name, minute, seconds FROM levels JOIN streams ON streams.id = stream
WHERE minute >= :since_s / 60 AND minute < :until_s / 60 AND (:stream = '' OR streams.name = :stream)
ORDER BY streams.name, minute
"""


def read_stretches(connection: sqlite3.Connection, wanted: Wanted) -> Iterator[Stretch]:
    """Yield the stretches of some labels that lie between two times, or reach into that time, by their beginning."""
    with closing(connection.execute(STRETCHES, vars(wanted))) as rows:
        for row in rows:
            yield Stretch(*row)


def read_notes(connection: sqlite3.Connection, wanted: Wanted) -> list[StreamNote]:
    """Return how the streams stood, and what they lost, between two times."""
    with closing(connection.execute(NOTES, vars(wanted))) as rows:
        return [StreamNote(*row) for row in rows]


def read_heard(connection: sqlite3.Connection, wanted: Wanted) -> list[HeardMinute]:
    """Return the minutes between two times in which something was heard, by stream."""
    with closing(connection.execute(HEARD, vars(wanted))) as rows:
        return [HeardMinute(*row) for row in rows]
