"""A history is opened as what it is: anything else, and what a newer Streamer wrote, is refused and left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from streamer.errors import StreamError
from streamer.history import database
from streamer.history.database import MIGRATIONS, open_to_read, open_to_write


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_new_file_gets_the_present_schema_and_readers_hold_up_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(open_to_write(path)) as writer, closing(open_to_read(path)) as reader:
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        with writer:
            writer.execute("INSERT INTO streams (name) VALUES ('mic')")
        reader.execute("COMMIT")
        assert reader.execute("SELECT name FROM streams").fetchall() == [("mic",)]
    assert version_of(path) == len(MIGRATIONS)
    with closing(open_to_write(path)) as again:
        assert again.execute("SELECT name FROM streams").fetchall() == [("mic",)]


def test_an_older_schema_is_brought_to_the_present_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    with closing(open_to_write(path)) as writer, writer:
        writer.execute("INSERT INTO streams (name) VALUES ('mic')")
    newer = (*MIGRATIONS, "ALTER TABLE streams ADD COLUMN place TEXT NOT NULL DEFAULT 'hall';")
    monkeypatch.setattr(database, "MIGRATIONS", newer)
    with pytest.raises(
        StreamError, match=r"a\.db has the schema 1 of an older Streamer, and 2 is expected; let"
    ):
        open_to_read(path)
    with closing(open_to_write(path)) as writer:
        assert writer.execute("SELECT name, place FROM streams").fetchall() == [("mic", "hall")]
    assert version_of(path) == 2


def test_a_migration_that_fails_leaves_the_schema_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    open_to_write(path).close()
    broken = (*MIGRATIONS, "CREATE TABLE more (id INTEGER); INSERT INTO absent VALUES (1);")
    monkeypatch.setattr(database, "MIGRATIONS", broken)
    with pytest.raises(StreamError, match="cannot be opened as a history: no such table: absent"):
        open_to_write(path)
    assert version_of(path) == 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'more'").fetchone() == (0,)


@pytest.mark.parametrize("opened", [open_to_write, open_to_read])
def test_what_a_newer_streamer_wrote_is_refused(tmp_path: Path, opened) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.db"
    open_to_write(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(
        StreamError, match=r"a\.db has the schema 9 of a newer Streamer, and this one knows 1; update"
    ):
        opened(path)
    assert version_of(path) == 9


@pytest.mark.parametrize("opened", [open_to_write, open_to_read])
def test_other_files_are_refused_and_left_alone(tmp_path: Path, opened) -> None:  # type: ignore[no-untyped-def]
    other, text = tmp_path / "other.db", tmp_path / "text.db"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")
    text.write_text("This is no database. " * 100)
    before = other.read_bytes(), text.read_bytes()
    with pytest.raises(
        StreamError, match=r"other\.db is another program's database; expected a history of Streamer"
    ):
        opened(other)
    with pytest.raises(StreamError, match=r"text\.db cannot be opened as a history: file is not a database"):
        opened(text)
    assert (other.read_bytes(), text.read_bytes()) == before


def test_absent_folders_and_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(
        StreamError, match=r"a\.db cannot be opened as a history: unable to open database file"
    ):
        open_to_write(tmp_path / "absent" / "a.db")
    with pytest.raises(
        StreamError, match=r"a\.db is not there; expected a file that `streamer listen --store`"
    ):
        open_to_read(tmp_path / "a.db")
