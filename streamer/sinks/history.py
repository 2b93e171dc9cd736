"""Keep what was heard in a database, written by a thread of its own."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

import streamer
from streamer.config import Config
from streamer.events.kinds import Decision, Event, Level, Scores, Status
from streamer.history.recorder import Recorder
from streamer.history.settings import SECTION, HistoryConfig
from streamer.sinks.event_queue import EventQueue, LiveEventQueue
from streamer.sinks.sink import Sink

COMMIT_S = 1.0
"""Time between two transactions; a process that is killed loses no more than that."""
WAITING = 20_000
"""Events that wait for the disk at most, some minutes of a few streams."""
KEPT = (Decision, Scores, Level, Status)
logger = logging.getLogger(__name__)


class History(Sink):
    """Keeps decisions, scores and levels by the minute, losses and runs in a database (`streamer.history`).

    The engine never waits for the disk if the sound is live: events wait in a queue that is bounded, and the least
    important are lost first. What cannot be written, since the disk is full or another program holds the database, is
    tried again every second.

    Parameters
    ----------
    config : HistoryConfig
        Settings, whose `file` is not empty.
    realtime : bool
        Whether sound takes the time that it lasts, so that it cannot wait for the disk.
    """

    def __init__(self, config: HistoryConfig, realtime: bool) -> None:
        self._config = config
        self._queue = LiveEventQueue(WAITING) if realtime else EventQueue(WAITING)
        self._pause_s = COMMIT_S if realtime else 0.0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False
        self._incomplete = False

    def open(self) -> None:
        """Open the database; raise StreamError if it cannot be opened, is no history, or is of a newer Streamer."""
        config = self._config
        self._recorder = Recorder(Path(config.file), streamer.__version__, config.keep_days, config.keep_mb)
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    def send(self, event: Event) -> None:
        if isinstance(event, KEPT):
            self._queue.send(event)

    def wants(self, kind: str) -> bool:
        return kind != "spectrum"

    @property
    def incomplete(self) -> bool:
        return self._incomplete or self._queue.lost_events > 0

    def close(self) -> None:
        """Write what waits, and close the database."""
        self._closing.set()
        self._queue.close()
        if self._thread:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            while self._queue.wait():
                self._closing.wait(self._pause_s)  # so that one transaction serves a second's events
                while (event := self._queue.take_now()) is not None:
                    self._recorder.add(event)
                self._commit()
            self._report()
        finally:
            self._recorder.close()

    def _commit(self) -> None:
        try:
            self._recorder.commit()
        except sqlite3.Error as error:
            if not self._failing:
                logger.warning(
                    "%s cannot be written: %s; it is tried again every second", self._config.file, error
                )
            self._failing = True
            return
        if self._failing:
            self._failing = False
            logger.warning("%s is written again", self._config.file)

    def _report(self) -> None:
        """Say at the end what is missing in the history."""
        recorder, file = self._recorder, self._config.file
        self._incomplete = self._failing or recorder.dropped_statements > 0
        if self._incomplete:
            logger.warning("%s is not whole: some of what was heard could not be written", file)
        if recorder.untimed_events:
            logger.warning(
                "%d messages are not in %s, since nothing says when the sound was; say when the recording began "
                "(--start-time)",
                *(recorder.untimed_events, file),
            )


def history_for(config: Config, realtime: bool) -> History | None:
    """Return the sink that keeps a history; None if the configuration names no file."""
    settings = config.section(SECTION, HistoryConfig)
    return History(settings, realtime) if settings.file else None
