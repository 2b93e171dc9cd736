"""The sink of the history writes by itself what it is sent, and says what it could not write."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.config import Config
from streamer.config_file import read_config
from streamer.errors import ConfigError, StreamError
from streamer.events.kinds import Stem
from streamer.history.database import open_to_read
from streamer.history.reader import Wanted, read_stretches
from streamer.history.settings import HistoryConfig
from streamer.sinks import history as history_module
from streamer.sinks.history import History, history_for
from streamer.sinks.open_sinks import process_sinks, sink_sections
from tests.conftest import DEADLINE_S
from tests.history.made_events import NOON_S, decision, scores, status


def labels(path: Path) -> list[str]:
    with closing(open_to_read(path)) as history:
        return [found.label for found in read_stretches(history, Wanted(0.0, NOON_S + 1e9))]


def configured(path: Path) -> Config:
    return replace(Config(), sections={"history": HistoryConfig(str(path))})


def impatient(path: Path) -> History:
    """Return an open sink that does not wait for another program that holds the database."""
    sink = History(HistoryConfig(str(path)), realtime=True)
    sink.open()
    sink._recorder._connection.execute("PRAGMA busy_timeout = 0")
    return sink


@contextmanager
def held_by_another(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


@pytest.mark.parametrize("realtime", [True, False])
def test_what_waits_is_written_at_the_end(tmp_path: Path, realtime: bool) -> None:
    path = tmp_path / "house.db"
    sink = history_for(configured(path), realtime)
    assert sink is not None
    sink.open()
    for event in (status(0.0), decision("on", 1.0, 1.5), scores(1.5, dog=0.9), decision("off", 2.0, 2.5)):
        sink.send(event)
    sink.close()
    sink.close()
    assert labels(path) == ["dog"]
    assert not sink.incomplete


def test_what_is_written_can_be_read_while_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "COMMIT_S", 0.01)
    path = tmp_path / "house.db"
    sink = History(HistoryConfig(str(path)), realtime=True)
    sink.open()
    sink.send(decision("on", 1.0, 1.5))
    deadline = time.monotonic() + DEADLINE_S
    while not labels(path):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    sink.close()


def test_a_database_that_another_program_holds_costs_nothing_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(history_module, "COMMIT_S", 0.01)
    path = tmp_path / "house.db"
    sink = impatient(path)
    with held_by_another(path):
        sink.send(decision("on", 1.0, 1.5))
        deadline = time.monotonic() + DEADLINE_S
        while "cannot be written: database is locked; it is tried again" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    sink.send(decision("off", 2.0, 2.5))
    sink.close()
    assert "house.db is written again" in caplog.text
    assert labels(path) == ["dog"]
    assert not sink.incomplete


def test_what_cannot_be_written_until_the_end_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "house.db"
    sink = impatient(path)
    with held_by_another(path):
        sink.send(decision("on", 1.0, 1.5))
        sink.close()
    assert sink.incomplete
    assert "house.db is not whole: some of what was heard could not be written" in caplog.text


def test_sound_without_a_time_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    sink = History(HistoryConfig(str(tmp_path / "house.db")), realtime=False)
    sink.open()
    sink.send(replace(decision("on", 1.0, 1.5), time=None))
    sink.send(status(1.5))
    sink.close()
    assert "1 messages are not in" in caplog.text
    assert "say when the recording began (--start-time)" in caplog.text


def test_stems_and_spectra_do_not_wait_for_the_disk(tmp_path: Path) -> None:
    assert Stem not in history_module.KEPT
    sink = History(HistoryConfig(str(tmp_path / "house.db")), realtime=True)
    sink._queue.send = lambda event: pytest.fail(f"{event} was kept")  # type: ignore[method-assign]
    sink.send(object())  # type: ignore[arg-type]


def test_it_is_a_section_of_the_configuration(tmp_path: Path) -> None:
    assert history_for(Config(), realtime=True) is None
    file = tmp_path / "streamer.toml"
    file.write_text(f'[history]\nfile = "{tmp_path / "house.db"}"\nkeep_days = 30\n')
    found = read_config(file, sink_sections())
    assert found.section("history", HistoryConfig) == HistoryConfig(str(tmp_path / "house.db"), keep_days=30)
    assert [sink for sink in process_sinks(found, realtime=True) if isinstance(sink, History)]
    file.write_text("[history]\nkeep_days = -1\n")
    with pytest.raises(ConfigError, match=r"keep_days is -1; expected more than 0, or 0 to keep everything"):
        read_config(file, sink_sections())


def test_a_file_that_is_none_is_refused_before_anything_is_heard(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(StreamError, match="cannot be opened as a history: file is not a database"):
        History(HistoryConfig(str(tmp_path / "text")), realtime=True).open()
