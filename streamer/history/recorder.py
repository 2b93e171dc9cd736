"""Write events into a history: stretches with a label, minute-by-minute scores and levels, losses, runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from streamer.events.kinds import Decision, Event, Level, Scores, Status
from streamer.history.database import open_to_write
from streamer.history.minutes import Minutes
from streamer.history.retention import prune

MOST_PENDING = 100_000
"""Statements that wait at most while the disk is full or another program holds the database; the oldest are dropped."""
PRUNED_EVERY_S = 60.0

STREAM = "(SELECT id FROM streams WHERE name = ?)"
ADD_STREAM = "INSERT INTO streams (name) VALUES (?) ON CONFLICT DO NOTHING"
SEEN = "UPDATE runs SET seen = max(seen, ?) WHERE id = ?"
BEGIN = f"INSERT INTO stretches (run, stream, kind, label, began, highest) VALUES (?, {STREAM}, ?, ?, ?, ?)"
_OPEN = f"WHERE run = ? AND stream = {STREAM} AND kind = ? AND label = ? AND ended IS NULL"
GO_ON = f"UPDATE stretches SET highest = max(highest, ?) {_OPEN}"
END = f"UPDATE stretches SET ended = max(began, ?) {_OPEN}"
NOTE = f"INSERT INTO notes (run, stream, at, state, lost_s, message) VALUES (?, {STREAM}, ?, ?, ?, ?)"
ADD_SCORES = f"""
    INSERT INTO scores VALUES ({STREAM}, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
        mean = (mean * count + excluded.mean * excluded.count) / (count + excluded.count),
        highest = max(highest, excluded.highest),
        count = count + excluded.count
"""
ADD_LEVELS = f"""
    INSERT INTO levels VALUES ({STREAM}, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
        power = (power * seconds + excluded.power * excluded.seconds) / (seconds + excluded.seconds),
        peak = max(peak, excluded.peak),
        seconds = seconds + excluded.seconds
"""


class _Standing(NamedTuple):
    """State of a stream in its last status."""

    state: str
    message: str
    dropped_samples: int


class Recorder:
    """Writes the events of a run into a history, in transactions.

    Parameters
    ----------
    path : Path
        File of the database.
    version : str
        Version of Streamer, which the run notes.
    keep_days, keep_mb : float
        Age in days and size in megabytes beyond which the oldest is removed; 0 keeps everything.
    clock : callable
        Returns seconds since 1970.

    Attributes
    ----------
    untimed_events : int
        Number of events that were left out since they have no time, as those of a file of which nobody knows when it
        began.
    dropped_statements : int
        Number of changes that could not be written in time and were dropped.

    Raises
    ------
    StreamError
        If the database cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        version: str,
        keep_days: float = 0.0,
        keep_mb: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock, self._keep_days, self._keep_mb = clock, keep_days, keep_mb
        self._connection = open_to_write(path)
        with self._connection:
            now = clock()
            row = "INSERT INTO runs (began, seen, version, pid) VALUES (?, ?, ?, ?)"
            self._run = self._connection.execute(row, (now, now, version, os.getpid())).lastrowid
        self._pending: list[tuple[str, tuple[Any, ...]]] = []
        self._minutes = Minutes()
        self._standing: dict[str, _Standing] = {}
        self._pruned_at = -PRUNED_EVERY_S
        self.untimed_events = self.dropped_statements = 0

    def add(self, event: Event) -> None:
        """Add an event to what the next `commit` writes."""
        if event.time is None:
            self.untimed_events += 1
            return
        at_s = event.time.timestamp()
        match event:
            case Decision() if event.label:
                self._decide(event, at_s)
            case Scores():
                self._minutes.add_scores(event, at_s)
            case Level():
                self._minutes.add_level(event, at_s)
            case Status():
                self._stand(event, at_s)

    def commit(self) -> None:
        """Write what was added since the last time, and remove what is too old or too much.

        Raises
        ------
        sqlite3.Error
            If it cannot be written now. It waits for the next call, up to `MOST_PENDING` changes.
        """
        now = self._clock()
        self._pending += [(ADD_STREAM, (name,)) for name in self._minutes.streams]
        self._pending += [(ADD_SCORES, row) for row in self._minutes.take_scores()]
        self._pending += [(ADD_LEVELS, row) for row in self._minutes.take_levels()]
        if (over := len(self._pending) - MOST_PENDING) > 0:
            self.dropped_statements += over
            del self._pending[:over]
        with self._connection:
            for statement, values in self._pending:
                self._connection.execute(statement, values)
            self._connection.execute(SEEN, (now, self._run))
        self._pending.clear()
        if now - self._pruned_at >= PRUNED_EVERY_S:
            self._pruned_at = now
            prune(self._connection, now, self._keep_days, self._keep_mb)

    def close(self) -> None:
        """Close the database; what was not committed is lost."""
        self._connection.close()

    def _decide(self, event: Decision, at_s: float) -> None:
        where = self._run, event.stream, event.kind, event.label
        began_s = at_s - (event.stop - event.start) / event.rate
        match event.state:
            case "on":
                self._pending.append((ADD_STREAM, (event.stream,)))
                self._pending.append((BEGIN, (*where, began_s, event.score)))
            case "update":
                self._pending.append((GO_ON, (event.score, *where)))
            case "off":
                self._pending.append((END, (began_s, *where)))

    def _stand(self, event: Status, at_s: float) -> None:
        """Note how a stream stands, if that changed, and what it lost since its last status."""
        now = _Standing(event.state, event.message, event.dropped_samples)
        before = self._standing.get(event.stream, _Standing("", "", 0))
        self._standing[event.stream] = now
        # A stream that was opened anew counts from 0 again.
        counted = before.dropped_samples if before.dropped_samples <= now.dropped_samples else 0
        lost = now.dropped_samples - counted
        if lost or now[:2] != before[:2]:
            self._pending.append((ADD_STREAM, (event.stream,)))
            values = (self._run, event.stream, at_s, event.state, lost / event.rate, event.message)
            self._pending.append((NOTE, values))
