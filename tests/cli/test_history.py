"""`streamer listen --store` keeps what is heard, and `streamer report` and `streamer search` tell of it."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streamer.cli.helpers.moment import MOMENT, _moment
from streamer.cli.main import main
from streamer.demo_recording import DEMO_PATH
from streamer.history.recorder import Recorder
from streamer.history.report import duration
from tests.history.made_events import NOON_S, decision, level, status
from tests.programs import free_address, streamer

NOW = datetime(2026, 5, 4, 15, 30, 0).astimezone()


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A history of two minutes of a stream: music for half a minute, two dogs, and a loss."""
    path = tmp_path / "house.db"
    recorder = Recorder(path, "1", clock=lambda: NOON_S + 120)
    for label, kind, began_s, ended_s in (
        ("music", "gate", 0.0, 30.0),
        ("dog", "sound", 40.0, 42.0),
        ("dog", "sound", 50.0, 51.0),
    ):
        recorder.add(decision("on", began_s, began_s + 0.5, 0.8, label, kind))
        recorder.add(decision("off", ended_s, ended_s + 0.5, 0.1, label, kind))
    for second in range(120):
        recorder.add(level(second, second + 1, -20.0))
    recorder.add(status(60.0, dropped_samples=24_000))
    recorder.commit()
    recorder.close()
    return path


def test_a_report_says_how_long_each_label_was_on(house: Path) -> None:
    lines = run("report", house, "--from", "2026-05-04").stdout.splitlines()
    assert lines == [
        "mic: 0:02:00 heard, 1.5 s lost in one piece",
        "  gate     music                 0:00:30   25.0%  once        longest 0:00:30",
        "  sound    dog                   0:00:03    2.5%  2 times     longest 0:00:02",
    ]
    part = run(
        "report", house, "--from", "2026-05-04T12:00:20Z", "--to", "2026-05-04T12:00:45Z", "--label", "music"
    )
    assert "  gate     music                 0:00:10" in part.stdout
    assert "dog" not in part.stdout


def test_a_report_can_be_read_by_other_programs(house: Path) -> None:
    done = run("report", house, "--from", "2026-05-04", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["label"] for row in rows] == ["music", "dog", "dog"]
    assert rows[1] == {
        "stream": "mic",
        "kind": "sound",
        "label": "dog",
        "began": "2026-05-04T12:00:40.000+00:00",
        "ended": "2026-05-04T12:00:42.000+00:00",
        "seconds": "2.000",
        "highest": "0.8000",
    }


def test_a_report_tells_of_each_hour(house: Path) -> None:
    words = ("report", house, "--from", "2026-05-04", "--hours")
    lines = run(*words).stdout.splitlines()
    began = datetime.fromtimestamp(NOON_S // 3_600 * 3_600).astimezone()
    assert lines == [
        f"{began:%Y-%m-%d %H:%M}  mic          gate     music               0:00:30   25.0%",
        f"{began:%Y-%m-%d %H:%M}  mic          sound    dog                 0:00:03    2.5%",
    ]
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv", "--label", "dog").stdout)))
    assert [(row["label"], row["seconds"], row["heard_s"], row["share"]) for row in rows] == [
        ("dog", "3.000", "120.000", "0.0250")
    ]


def test_a_search_lists_the_latest(house: Path) -> None:
    lines = run("search", "dog", house).stdout.splitlines()
    began = datetime.fromtimestamp(NOON_S + 40).astimezone()
    assert lines[0].startswith(f"{began:%Y-%m-%d %H:%M:%S}     0:00:02  mic          sound    dog")
    assert lines[0].endswith("highest 0.80")
    assert len(lines) == 2
    assert len(run("search", "dog", house, "--last", "1").stdout.splitlines()) == 1
    assert (
        run("search", "cat", house).stdout
        == f"cat was not heard; labels are listed by: streamer report {house}\n"
    )


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00:00"), (65.0, "0:01:05"), (108_000.0, "30:00:00")])
def test_durations_count_hours_beyond_a_day(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_nothing_of_that_time_is_said(house: Path) -> None:
    done = run("report", house, "--from", "2020-01-01", "--to", "2020-01-02")
    assert done.stdout == f"{house} has nothing of that time; --from and --to choose another\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "noon"), "'noon' is no time; expected 2026-01-31, 2026-01-31T23:59, 23:59 of today, 2h"),
        (
            ("--from", "2026-05-04", "--to", "2026-05-03"),
            "--from is not before --to; expected a beginning and a later end",
        ),
    ],
)
def test_times_that_make_no_sense_are_refused(house: Path, words: tuple[str, ...], said: str) -> None:
    done = run("report", house, *words)
    assert said in done.output
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("today", NOW.replace(hour=0, minute=0)),
        ("yesterday", NOW.replace(hour=0, minute=0) - timedelta(days=1)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("08:15", NOW.replace(hour=8, minute=15)),
        ("2026-05-01", datetime(2026, 5, 1).astimezone()),
        ("2026-05-01T10:00:00+02:00", datetime.fromisoformat("2026-05-01T10:00:00+02:00")),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert _moment(text, NOW) == expected


def test_a_moment_that_was_read_stays(house: Path) -> None:
    assert MOMENT.convert(5.0, None, None) == 5.0


def test_an_absent_history_is_told(tmp_path: Path) -> None:
    done = run("report", tmp_path / "absent.db")
    assert "absent.db is not there; expected a file that `streamer listen --store` has written" in done.output
    assert done.exit_code == 1


def test_what_is_heard_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "house.db"
    words = ("--device", f"file:{DEMO_PATH}", "--fast", "--start-time", "2026-05-04T12:00:00Z")
    done = streamer("listen", *words, "--bind", free_address(), "--store", str(path))
    assert done.returncode == 0, done.stderr
    assert [found.name for found in tmp_path.iterdir()] == ["house.db"]  # the log of the database is empty
    lines = run(
        "report", path, "--from", "2026-05-04", "--to", "2026-05-05", "--kind", "gate"
    ).stdout.splitlines()
    assert lines[0].startswith("demo: 0:00:")
    assert "gate     music" in lines[1]


def test_an_empty_name_is_refused() -> None:
    done = run("listen", "--store", "")
    assert "--store is empty; expected a file for the database, such as house.db" in done.output
