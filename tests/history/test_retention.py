"""What is too old or too much is removed, the oldest first, and the file becomes smaller."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from streamer.history.database import open_to_read
from streamer.history.reader import Wanted, read_stretches
from streamer.history.recorder import Recorder
from streamer.history.retention import DAY_S
from tests.history.made_events import NOON_S, decision, level, scores

DAYS = 10


def fill(path: Path, each_day: int, **limits: float) -> None:
    """Write stretches on ten days, the last of which is noon's, and then what an hour later is kept."""
    now_s = NOON_S + 3_600.0
    recorder = Recorder(path, "1", clock=lambda: now_s, **limits)
    recorder._pruned_at = now_s  # not before all is there
    for day in range(DAYS):
        back_s = (day - DAYS + 1) * DAY_S
        for n in range(each_day):
            recorder.add(decision("on", back_s + n, back_s + n + 0.5, label=f"day {day}"))
            recorder.add(decision("off", back_s + n + 0.7, back_s + n + 0.9, label=f"day {day}"))
        recorder.add(scores(back_s, dog=0.5))
        recorder.add(level(back_s - 1, back_s, -20.0))
    recorder.commit()
    recorder._pruned_at = -60.0
    recorder.commit()
    recorder.close()


def days(path: Path) -> list[str]:
    with closing(open_to_read(path)) as history:
        return sorted({found.label for found in read_stretches(history, Wanted(0.0, NOON_S + DAY_S))})


def minutes(path: Path, table: str) -> int:
    with closing(open_to_read(path)) as history:
        return int(history.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_without_limits_everything_is_kept(tmp_path: Path) -> None:
    fill(tmp_path / "a.db", 3)
    assert days(tmp_path / "a.db") == [f"day {n}" for n in range(DAYS)]


def test_what_is_too_old_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    fill(path, 3, keep_days=2.5)
    assert days(path) == ["day 7", "day 8", "day 9"]
    assert minutes(path, "scores") == minutes(path, "levels") == 3


@pytest.mark.parametrize("keep_mb", [0.5, 0.2])
def test_of_too_much_the_oldest_days_go(tmp_path: Path, keep_mb: float) -> None:
    whole, path = tmp_path / "whole.db", tmp_path / "a.db"
    fill(whole, 1_000)
    fill(path, 1_000, keep_mb=keep_mb)
    kept = days(path)
    assert kept == [f"day {n}" for n in range(DAYS - len(kept), DAYS)]
    assert 1 <= len(kept) < DAYS
    assert path.stat().st_size < 1.2 * max(1e6 * keep_mb, whole.stat().st_size / DAYS)


def test_the_present_day_stays_whatever_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    fill(path, 1_000, keep_mb=0.01)
    assert days(path) == ["day 9"]
