"""Open the database of a history, and bring it to the present schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from streamer.errors import StreamError

APPLICATION_ID = 0x53_74_72_6D
"""Number in the head of the file that marks a history of Streamer: "Strm"."""
BUSY_S = 5.0
"""Time that a program waits for another one that writes."""

MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        began REAL NOT NULL,     -- UTC in seconds since 1970, as all times here
        seen REAL NOT NULL,      -- last time at which it wrote
        version TEXT NOT NULL,
        pid INTEGER NOT NULL
    );
    CREATE TABLE streams (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    );
    CREATE TABLE stretches (     -- from an `on` to its `off`
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs,
        stream INTEGER NOT NULL REFERENCES streams,
        kind TEXT NOT NULL,
        label TEXT NOT NULL,
        began REAL NOT NULL,
        ended REAL,              -- NULL while it goes on, or if the run broke off
        highest REAL NOT NULL    -- highest score that was reported
    );
    CREATE INDEX stretches_by_time ON stretches (began);
    CREATE INDEX stretches_by_label ON stretches (label, began);
    CREATE TABLE scores (        -- of each minute, of labels that were among the highest
        stream INTEGER NOT NULL REFERENCES streams,
        minute INTEGER NOT NULL, -- minutes since 1970
        head TEXT NOT NULL,
        label TEXT NOT NULL,
        mean REAL NOT NULL,
        highest REAL NOT NULL,
        count INTEGER NOT NULL,  -- number of messages that had the label
        PRIMARY KEY (stream, minute, head, label)
    ) WITHOUT ROWID;
    CREATE TABLE levels (        -- of each minute
        stream INTEGER NOT NULL REFERENCES streams,
        minute INTEGER NOT NULL,
        power REAL NOT NULL,     -- mean, re full scale
        peak REAL NOT NULL,      -- highest amplitude, re full scale
        seconds REAL NOT NULL,   -- time that was heard
        PRIMARY KEY (stream, minute)
    ) WITHOUT ROWID;
    CREATE TABLE notes (         -- how a stream stood, when that changed, and what it lost
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs,
        stream INTEGER NOT NULL REFERENCES streams,
        at REAL NOT NULL,
        state TEXT NOT NULL,
        lost_s REAL NOT NULL,
        message TEXT NOT NULL
    );
    CREATE INDEX notes_by_time ON notes (at);
    """,
)
"""Scripts that bring a database from each schema to the next; `PRAGMA user_version` counts those that it has had."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a history to write into, make it if it is not there, and bring it to the present schema.

    Readers do not hold up the writer, nor the writer them (SQLite's write-ahead log), and a process that is killed
    loses nothing that was committed.

    Parameters
    ----------
    path : Path
        File of the database.

    Raises
    ------
    StreamError
        If it cannot be opened, is no history, or is of a newer Streamer.
    """
    try:
        # A connection may be used by one thread at a time, which the sink sees to.
        connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
    except sqlite3.Error as error:
        raise _cannot_open(path, error) from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise _cannot_open(path, error) from error
    except StreamError:
        connection.close()
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a history to read from.

    Raises
    ------
    StreamError
        If it is not there, cannot be opened, is no history, or is not of the present schema.
    """
    if not path.is_file():
        raise StreamError(f"{path} is not there; expected a file that `streamer listen --store` has written")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)
        version = _version(connection, path)
    except sqlite3.Error as error:
        raise _cannot_open(path, error) from error
    if version < len(MIGRATIONS):
        connection.close()
        raise StreamError(
            f"{path} has the schema {version} of an older Streamer, and {len(MIGRATIONS)} is expected; let "
            "`streamer listen --store` open it once, which brings it there"
        )
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection, path)
    if not version:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # has an effect before the first table alone
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the number of migrations that a database has had; refuse it if it is no history, or of a newer one."""
    version, mark, tables = (
        _single(connection, query)
        for query in ("PRAGMA user_version", "PRAGMA application_id", "SELECT count(*) FROM sqlite_schema")
    )
    if tables and mark != APPLICATION_ID:
        raise StreamError(
            f"{path} is another program's database; expected a history of Streamer, or a new file"
        )
    if version > len(MIGRATIONS):
        raise StreamError(
            f"{path} has the schema {version} of a newer Streamer, and this one knows {len(MIGRATIONS)}; update "
            "Streamer, or name another file"
        )
    return version


def _single(connection: sqlite3.Connection, query: str) -> int:
    with closing(connection.execute(query)) as cursor:
        return int(cursor.fetchone()[0])


def _cannot_open(path: Path, error: sqlite3.Error) -> StreamError:
    return StreamError(
        f"{path} cannot be opened as a history: {error}; expected a database of Streamer, or a new file in a folder "
        "that may be written to"
    )
