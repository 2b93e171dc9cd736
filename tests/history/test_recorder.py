"""What is written into a history can be read from it: stretches, minutes, losses, runs, and what broke off."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.history import recorder as recorder_module
from streamer.history.database import open_to_read
from streamer.history.reader import (
    HeardMinute,
    StreamNote,
    Stretch,
    Wanted,
    read_heard,
    read_notes,
    read_stretches,
)
from streamer.history.recorder import Recorder
from tests.conftest import DEADLINE_S, ROOT
from tests.history.made_events import NOON_S, RATE_HZ, decision, level, scores, status

ALL = Wanted(0.0, NOON_S + 1e6)


class Clock:
    now_s = NOON_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "house.db"


@pytest.fixture
def recorder(path: Path, clock: Clock) -> Iterator[Recorder]:
    made = Recorder(path, "1.2.3", clock=clock)
    yield made
    made.close()


def stretches(path: Path, wanted: Wanted = ALL) -> list[Stretch]:
    with closing(open_to_read(path)) as history:
        return list(read_stretches(history, wanted))


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(open_to_read(path)) as history:
        return history.execute(query).fetchall()


def test_a_stretch_lasts_from_on_to_off_and_has_its_highest_score(recorder: Recorder, path: Path) -> None:
    for event in (
        decision("off", 0, 0.5),  # the first message, with nothing before
        decision("on", 1.0, 1.5, 0.6),
        decision("update", 1.0, 2.5, 0.95),
        decision("update", 1.0, 3.5, 0.7),
        decision("off", 4.0, 4.5, 0.1),
        decision("listening", 4.0, 4.5, label=""),
    ):
        recorder.add(event)
    recorder.commit()
    assert stretches(path) == [Stretch("mic", "sound", "dog", NOON_S + 1.0, NOON_S + 4.0, 0.95)]


def test_what_goes_on_ends_when_the_run_was_last_seen(recorder: Recorder, path: Path, clock: Clock) -> None:
    recorder.add(decision("on", 1.0, 1.5))
    clock.now_s = NOON_S + 7.0
    recorder.commit()
    assert [found.seconds for found in stretches(path)] == [6.0]
    clock.now_s = NOON_S + 8.0
    recorder.commit()
    assert [found.seconds for found in stretches(path)] == [7.0]  # so a process that is killed loses a second
    # Another run's `off` is not about this one.
    other = Recorder(path, "1.2.3", clock=clock)
    other.add(decision("off", 9.0, 9.5))
    other.commit()
    other.close()
    assert [found.seconds for found in stretches(path)] == [7.0]


def test_what_is_asked_for_is_found(recorder: Recorder, path: Path) -> None:
    for label, kind, begin in (("dog", "sound", 0.0), ("music", "gate", 10.0), ("dog", "sound", 20.0)):
        recorder.add(decision("on", begin, begin + 1, label=label, kind=kind))
        recorder.add(decision("off", begin + 5, begin + 6, label=label, kind=kind))
    recorder.commit()

    def begins(wanted: Wanted) -> list[float]:
        return [found.began_s - NOON_S for found in stretches(path, wanted)]

    assert begins(ALL) == [0.0, 10.0, 20.0]
    assert begins(replace(ALL, label="dog")) == [0.0, 20.0]
    assert begins(replace(ALL, kind="gate")) == [10.0]
    assert begins(replace(ALL, stream="attic")) == []
    assert begins(Wanted(NOON_S + 12, NOON_S + 20)) == [10.0]  # it reaches into that time
    assert begins(Wanted(NOON_S + 15.1, NOON_S + 20.1)) == [20.0]


def test_scores_and_levels_are_gathered_by_the_minute_over_commits(recorder: Recorder, path: Path) -> None:
    for n, event in enumerate(
        (
            scores(1.0, dog=0.2, cat=0.1),
            scores(2.0, dog=0.6),
            level(0.0, 1.0, -20.0, -6.0),
            level(1.0, 4.0, -120.0, -120.0),
            scores(59.0, dog=0.4),
            scores(60.0, dog=0.9),
            level(60.0, 61.0, -40.0, -20.0),
        )
    ):
        recorder.add(event)
        if n % 2:
            recorder.commit()
    recorder.commit()
    minute = int(NOON_S // 60)
    found = rows(
        path, "SELECT minute, head, label, mean, highest, count FROM scores ORDER BY minute, label DESC"
    )
    assert [row[:3] for row in found] == [
        (minute, "sounds", "dog"),
        (minute, "sounds", "cat"),
        (minute + 1, "sounds", "dog"),
    ]
    assert [row[3] for row in found] == pytest.approx([0.4, 0.1, 0.9])
    assert [row[4:] for row in found] == [(0.6, 3), (0.1, 1), (0.9, 1)]
    levels = rows(path, "SELECT minute, power, peak, seconds FROM levels ORDER BY minute")
    assert levels[0] == pytest.approx((minute, 0.25 * 10**-2, 10 ** (-6 / 20), 4.0))
    assert levels[1] == pytest.approx((minute + 1, 10**-4, 0.1, 1.0))
    with closing(open_to_read(path)) as history:
        heard = read_heard(history, ALL)
        assert heard == [HeardMinute("mic", minute, 4.0), HeardMinute("mic", minute + 1, 1.0)]
        assert read_heard(history, Wanted(NOON_S + 60, NOON_S + 120)) == heard[1:]


def test_changes_of_a_stream_and_losses_are_noted_once(recorder: Recorder, path: Path) -> None:
    for event in (
        status(0.0),
        status(1.0),
        status(2.0, dropped_samples=RATE_HZ // 2),
        status(3.0, dropped_samples=RATE_HZ // 2),
        status(4.0, "recovering", RATE_HZ // 2, "unplugged"),
        status(5.0, "recovering", RATE_HZ // 2, "unplugged"),
        status(6.0, "running", RATE_HZ // 4),  # opened anew: it counts from 0 again
    ):
        recorder.add(event)
    recorder.commit()
    with closing(open_to_read(path)) as history:
        assert read_notes(history, ALL) == [
            StreamNote("mic", NOON_S, "running", 0.0, ""),
            StreamNote("mic", NOON_S + 2, "running", 0.5, ""),
            StreamNote("mic", NOON_S + 4, "recovering", 0.0, "unplugged"),
            StreamNote("mic", NOON_S + 6, "running", 0.25, ""),
        ]


def test_events_without_a_time_are_counted(recorder: Recorder, path: Path) -> None:
    recorder.add(replace(decision("on", 1.0, 1.5), time=None))
    recorder.commit()
    assert recorder.untimed_events == 1
    assert stretches(path) == []


def test_what_cannot_be_written_waits_and_is_written_once(
    recorder: Recorder, path: Path, clock: Clock
) -> None:
    recorder._connection.execute("PRAGMA busy_timeout = 0")
    recorder.add(decision("on", 1.0, 1.5))
    recorder.add(scores(1.5, dog=0.5))
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                recorder.commit()
        other.rollback()
    clock.now_s = NOON_S + 2.0
    recorder.commit()
    recorder.commit()
    assert len(stretches(path)) == 1
    assert rows(path, "SELECT count FROM scores") == [(1,)]


def test_what_waits_is_bounded_and_the_oldest_is_dropped(
    recorder: Recorder, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MOST_PENDING", 4)
    for n in range(4):
        recorder.add(decision("on", n, n + 0.5, label=f"label {n}"))  # two statements each
    recorder.commit()
    assert recorder.dropped_statements == 4
    assert [found.label for found in stretches(path)] == ["label 2", "label 3"]


KILLED = """
import os, signal, sys
from pathlib import Path
from streamer.history.recorder import Recorder
from tests.history.made_events import decision

recorder = Recorder(Path(sys.argv[1]), "1")
recorder.add(decision("on", 1.0, 1.5))
recorder.commit()
recorder.add(decision("on", 2.0, 2.5, label="cat"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_process_that_is_killed_loses_what_it_had_not_written_alone(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], cwd=ROOT, check=False, timeout=DEADLINE_S
    )
    assert done.returncode == -signal.SIGKILL
    assert [found.label for found in stretches(path)] == ["dog"]
    again = Recorder(path, "1")
    again.commit()
    again.close()
    assert [found.label for found in stretches(path)] == ["dog"]


def test_a_run_notes_its_version_and_process(recorder: Recorder, path: Path) -> None:
    ((began, version, pid),) = rows(path, "SELECT began, version, pid FROM runs")
    assert (began, version) == (NOON_S, "1.2.3")
    assert pid
