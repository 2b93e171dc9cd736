"""Test the times of day of messages: of live sound, and of files that tell when they began."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import soundfile

from streamer.config import Config, StreamConfig
from streamer.engine.stream import Stream
from streamer.events.kinds import Status
from streamer.heads.head import Head
from streamer.sources.file import FileSource
from streamer.start_time import Beginning
from tests.scripted import RATE, Clock, Scripted, loud, run, toy_gate


@pytest.fixture
def head(tmp_path: Path) -> Head:
    return toy_gate(tmp_path)


def test_utc_is_anchored_to_the_wall_clock(head: Head) -> None:

    source = Scripted(loud(1), clock := Clock())
    clock.now = time.monotonic()
    before = datetime.now(UTC)
    sink = run(head, [Stream("s", source)], clock)
    started = next(e for e in sink.of("status")).time
    assert started is not None
    assert abs((started - before).total_seconds()) < 60


def test_a_file_with_a_start_time_has_times(head: Head, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", loud(2), RATE)
    stream = Stream(
        "s",
        FileSource(tmp_path / "a.wav"),
        beginning=Beginning(datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), "option"),
    )
    levels = run(head, [stream], Clock()).of("level")
    assert [event.time for event in levels if event.stop in (RATE, 2 * RATE)] == [
        datetime(2026, 2, 1, tzinfo=UTC),
        datetime(2026, 2, 1, 0, 0, 1, tzinfo=UTC),
    ]
    assert {event.latency_ms for event in levels} == {None}


def test_a_status_says_when_a_file_began_and_what_told(head: Head, tmp_path: Path) -> None:
    path = tmp_path / "20260131T235959Z.wav"
    soundfile.write(path, loud(1), RATE)
    config = Config(stream=(StreamConfig(f"file:{path}"),))
    stream = Stream("s", FileSource(path), config=config, start_time="auto")
    messages = [
        event.message for event in run(head, [stream], Clock()).of("status") if isinstance(event, Status)
    ]
    assert messages == ["it began at 2026-01-31T23:59:59Z, as its name says", ""]


def test_a_file_that_must_tell_when_it_began_and_does_not_fails(head: Head, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, loud(1), RATE)
    config = Config(stream=(StreamConfig(f"file:{path}"),))
    stream = Stream("s", FileSource(path), config=config, start_time="tag")
    [status] = run(head, [stream], Clock()).events
    assert isinstance(status, Status)
    assert status.state == "failed"
    assert "start_time is 'tag' and the file 'a.wav' (its tags have no date and time)" in status.message
