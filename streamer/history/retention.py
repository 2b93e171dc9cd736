"""Remove the oldest part of a history: what is older than asked for, or more than the file may hold."""

from __future__ import annotations

import sqlite3
from contextlib import closing

DAY_S = 86_400.0
OLDEST = "SELECT min(at) FROM (SELECT min(began) AS at FROM stretches UNION ALL SELECT 60 * min(minute) FROM levels)"
REMOVALS = (
    "DELETE FROM stretches WHERE coalesce(ended, began) < ?",
    "DELETE FROM notes WHERE at < ?",
    "DELETE FROM scores WHERE minute < ? / 60",
    "DELETE FROM levels WHERE minute < ? / 60",
    "DELETE FROM runs WHERE seen < ? AND id NOT IN (SELECT run FROM stretches UNION SELECT run FROM notes)",
)
"""Statements that remove what ended before a time."""


def prune(connection: sqlite3.Connection, now_s: float, keep_days: float, keep_mb: float) -> None:
    """Remove what is too old, then the oldest days until the rest is small enough; give the room back to the disk.

    The day that goes on stays, whatever its size.

    Parameters
    ----------
    connection : sqlite3.Connection
    now_s : float
        Time in seconds since 1970.
    keep_days, keep_mb : float
        Largest age in days, and largest size in megabytes of what the file holds; 0 is no limit.
    """
    if keep_days:
        _remove(connection, now_s - keep_days * DAY_S)
    while keep_mb and _used_mb(connection) > keep_mb:
        before = (_value(connection, OLDEST) or now_s) // DAY_S * DAY_S + DAY_S
        if before > now_s:
            break
        _remove(connection, before)
    # Without this the file would never become smaller. `execute` would give back a single page (Python 3.11).
    connection.executescript("PRAGMA incremental_vacuum")


def _remove(connection: sqlite3.Connection, before_s: float) -> None:
    with connection:
        for statement in REMOVALS:
            connection.execute(statement, (before_s,))


def _used_mb(connection: sqlite3.Connection) -> float:
    pages, free, size = (
        _value(connection, f"PRAGMA {name}") or 0 for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size / 1e6


def _value(connection: sqlite3.Connection, query: str) -> float | None:
    with closing(connection.execute(query)) as cursor:
        found: float | None = cursor.fetchone()[0]
        return found
