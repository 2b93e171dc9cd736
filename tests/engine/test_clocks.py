"""Test which clock gives the times of events, and what is said of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from streamer.config import Config, StreamConfig
from streamer.engine.clock_words import AHEAD_S, BEHIND_S, STEP_S, clock_words
from streamer.engine.stream import Stream
from streamer.errors import ConfigError
from streamer.events.kinds import Level, Status
from streamer.heads.head import Head
from streamer.sources.file import FileSource
from streamer.sources.timing.paced import Paced
from tests.scripted import RATE, Clock, Collected, Scripted, engine, toy_gate


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Head:
    return toy_gate(tmp_path_factory.mktemp("gate"))


def heard(head: Head, sent_at: Callable[[int], float | None], clock: str = "sender") -> Collected:
    """Hear 4 s whose capture times are 1,000 s and more on the engine's clock."""
    now, sink = Clock(), Collected()
    source = Scripted(np.zeros((4 * RATE, 1), np.float32), now)
    source.sent_at = sent_at
    config = Config(stream=(StreamConfig("http://radio", clock=clock),))
    engine(head, [Stream("s", source, config=config)], [sink], clock=now).run(threading.Event())
    return sink


def levels(sink: Collected) -> list[Level]:
    return [event for event in sink.of("level") if isinstance(event, Level)]


def statuses(sink: Collected) -> list[Status]:
    return [event for event in sink.of("status") if isinstance(event, Status)]


def arrival_zero() -> float:
    """Return the time, in seconds since 1970, at which the first frame of `heard` comes."""
    return time.time() - time.monotonic() + 1_000.0


@pytest.mark.parametrize("wrong_s", [-5.0, 0.5, -10_800.0, 3_600.0, -1_700_000_000.0])
def test_times_are_the_senders_and_latency_is_of_the_arrival(head: Head, wrong_s: float) -> None:
    zero = arrival_zero() + wrong_s
    sink = heard(head, lambda stop: zero + stop / RATE)
    for event in levels(sink):
        assert event.time is not None
        assert event.time.timestamp() == pytest.approx(zero + event.stop / RATE, abs=2e-6)
        assert event.latency_ms is not None
        assert 0 <= event.latency_ms < 200
    assert {status.clock for status in statuses(sink)[1:]} == {"sender"}
    told = [status.message for status in statuses(sink) if "clock" in status.message]
    assert len(told) == (abs(wrong_s) > 60)


def test_a_clock_that_is_hours_wrong_is_told_once(head: Head) -> None:
    zero = arrival_zero() - 3 * 3_600 - 120
    sink = heard(head, lambda stop: zero + stop / RATE)
    [said] = [status.message for status in statuses(sink) if status.message]
    assert said == (
        "times are the sender's, whose clock is 3 h 2 min behind the arrival of its sound here; if that is not the "
        "delay of the stream, a clock is wrong: set it, or choose the arrival (--clock arrival)"
    )


def test_the_arrival_is_chosen(head: Head) -> None:
    zero = arrival_zero()
    sink = heard(head, lambda stop: 0.0, clock="arrival")
    first = levels(sink)[0]
    assert first.time is not None
    assert first.time.timestamp() == pytest.approx(zero + first.stop / RATE, abs=0.01)
    assert {status.clock for status in statuses(sink)[1:]} == {"arrival"}
    assert {status.message for status in statuses(sink)} == {""}


def test_a_sender_that_tells_its_clock_later(head: Head) -> None:
    zero = arrival_zero() - 1.0
    sink = heard(head, lambda stop: zero + stop / RATE if stop > 2 * RATE else None)
    assert [status.message for status in statuses(sink) if status.message] == [
        "times are the sender's from now on"
    ]
    clocks = [status.clock for status in statuses(sink)]
    assert clocks == sorted(clocks, key=["", "arrival", "sender"].index)
    assert set(clocks) == {"", "arrival", "sender"}
    assert [event.stop for event in levels(sink)] == sorted(event.stop for event in levels(sink))


def test_a_played_file_and_a_fast_one(head: Head, tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    file = FileSource(tmp_path / "a.wav")
    sink = Collected()
    engine(head, [Stream("s", Paced(file))], [sink]).run(threading.Event())
    assert statuses(sink)[-1].clock == "playback"
    sink = Collected()
    engine(head, [Stream("s", FileSource(tmp_path / "a.wav"))], [sink]).run(threading.Event())
    assert {status.clock for status in statuses(sink)} == {""}
    sink = Collected()
    at_noon = Stream("s", FileSource(tmp_path / "a.wav"), start_time="2026-01-31T12:00:00Z")
    engine(head, [at_noon], [sink]).run(threading.Event())
    assert {status.clock for status in statuses(sink)} == {"option"}


def test_what_is_said() -> None:
    assert clock_words("arrival", 0.0, "", 0.0) == ""
    assert clock_words("sender", 45.0, "", 0.0) == ""
    assert clock_words("sender", 45.0, "arrival", 0.0) == "times are the sender's from now on"
    assert clock_words("arrival", 0.0, "sender", 45.0) == "times are of the arrival from now on"
    assert "is 2 min 30 s behind the arrival" in clock_words("sender", 150.0, "sender", 45.0)
    assert "is 3 s ahead of the arrival" in clock_words("sender", -3.0, "", 0.0)
    assert "is 20484 d 1 h behind the arrival" in clock_words("sender", 20_484 * 86_400.0 + 3_700, "", 0.0)
    assert clock_words("sender", 150.0, "sender", 140.0) == ""
    assert clock_words("sender", 1.0, "sender", 7_200.0) == (
        "the sender's clock agrees with the arrival of its sound here again"
    )


@pytest.mark.parametrize("behind_s", [-AHEAD_S, BEHIND_S])
def test_a_clock_that_is_as_far_off_as_it_may_be_is_right(behind_s: float) -> None:
    assert clock_words("sender", behind_s, "arrival", 0.0) == "times are the sender's from now on"
    beyond_s = behind_s + np.sign(behind_s)
    assert "a clock is wrong" in clock_words("sender", beyond_s, "arrival", 0.0)


def test_a_step_of_the_clock_is_said_from_its_smallest_size_on() -> None:
    assert clock_words("sender", 200.0 + STEP_S - 1.0, "sender", 200.0) == ""
    assert "a clock is wrong" in clock_words("sender", 200.0 + STEP_S, "sender", 200.0)


def test_another_clock_is_refused() -> None:
    with pytest.raises(ConfigError, match="stream clock is 'ntp'; expected sender or arrival"):
        StreamConfig(clock="ntp")
