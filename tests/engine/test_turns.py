"""Test the engine's turns with scripted sources and clock: when it reads, how much, and when it rests."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile

from streamer.arrays import Array, State
from streamer.config import STEMS_TURN_S, TURN_S, Config
from streamer.config_sections import EngineConfig, StemsConfig
from streamer.dsp.model_calls import StepResult
from streamer.engine.scheduler import LIVE_CHUNK_S, REST_WHILE_OPENING_S
from streamer.engine.stream import Stream
from streamer.events.kinds import Event
from streamer.heads.head import Head
from streamer.pipeline.stream_models import StreamModels
from streamer.sources.file import FileSource
from streamer.sources.source import Block
from tests.scripted import RATE, Clock, Collected, Scripted, Slow, engine, loud, run, toy_gate


@pytest.fixture
def head(tmp_path: Path) -> Head:
    return toy_gate(tmp_path)


class Resting(Scripted):
    """Records the `turn_s` of each call of `wait_s`."""

    turns_s: list[float]

    def wait_s(self, turn_s: float) -> float:
        self.turns_s.append(turn_s)
        return super().wait_s(turn_s)


def test_turns_are_as_short_as_the_streams_want_that_are_heard(head: Head) -> None:
    clock = Clock()
    plain, apart = Resting(loud(2), clock), Resting(loud(1), clock)
    plain.turns_s, apart.turns_s = [], []
    first = Stream("plain", plain)
    second = Stream("apart", apart, StreamModels((head,)), config=Config(stems=StemsConfig(publish=True)))

    before: list[float] = []

    class Changing(Collected):
        def send(self, event: Event) -> None:
            if event.kind == "level" and not before:
                before.extend(plain.turns_s)
                made.change([first, second], "changed")
            super().send(event)

    made = engine(head, [first], [Changing()], Config(), clock)
    made.run(threading.Event())
    assert STEMS_TURN_S < max(before) <= TURN_S
    assert 0 < max(apart.turns_s) <= STEMS_TURN_S


def test_live_sound_gathers_until_something_is_due(head: Head) -> None:
    """No message is later than one look at the source takes, and nothing is read between two messages."""
    clock = Clock()
    source = Scripted(loud(4), clock, step_s=0.001)
    source.wait_s = lambda turn_s: 0.0  # type: ignore[method-assign]  # the clock moves by looks
    stream = Stream("s", source)
    sink = run(head, [stream], clock, Config(engine=EngineConfig(turn_ms=50)))
    late_ms = [event.latency_ms for kind in ("level", "scores") for event in sink.of(kind)]
    assert len(late_ms) > 60
    assert max(late for late in late_ms if late is not None) <= 2.0
    assert source.reads < 4 * (10 + 10 + 1_000 / 40 + 20) + 2


class Player(Collected):
    """A sink that wants 20 ms at every other look, and nothing in between."""

    looks = 0

    @property
    def wanted_s(self) -> float:
        self.looks += 1
        return 0.02 * (self.looks % 2)


class Counted(FileSource):
    """A file that records how many frames each read asks for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[int] = []

    def read(self, max_frames: int) -> Block | None:
        self.asked.append(max_frames)
        return super().read(max_frames)


def test_of_a_source_that_can_wait_no_more_is_read_than_is_wanted(head: Head, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", loud(2), RATE)
    source, player = Counted(tmp_path / "a.wav"), Player()
    stream = Stream("s", source)
    engine(head, [stream], [player]).run(threading.Event())
    assert source.asked[0] == LIVE_CHUNK_S * RATE  # whether it can wait is not known yet
    assert set(source.asked[1:]) == {RATE // 50}
    assert len(source.asked) < player.looks
    assert stream.error is None
    assert stream.position_s == 2.0


def test_streams_that_are_due_are_heard_in_one_call_of_the_model(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", loud(2), RATE)
    rows, run_model = [], head.model.run

    def recorded(x: Array, state: State) -> StepResult:
        rows.append(len(x))
        return run_model(x, state)

    monkeypatch.setattr(head.model, "run", recorded)
    run(head, [Stream(name, FileSource(tmp_path / "a.wav")) for name in "abc"], Clock())
    assert max(rows) == 3


def test_live_sound_is_heard_whatever_is_wanted(head: Head) -> None:
    clock, player = Clock(), Player()
    stream = Stream("s", Scripted(loud(3), clock))
    engine(head, [stream], [player], clock=clock).run(threading.Event())
    assert (stream.position_s, player.looks) == (3.0, 0)


def test_while_it_waits_for_openings_alone_it_rests(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, rests = Clock(), list[float]()
    slow = Slow(loud(1), clock)

    def rest(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == 3:
            slow.let.set()
        time.sleep(seconds)

    monkeypatch.setattr("streamer.engine.engine.time", SimpleNamespace(sleep=rest))
    run(head, [Stream("slow", slow)], clock)
    assert rests[:3] == [REST_WHILE_OPENING_S] * 3
