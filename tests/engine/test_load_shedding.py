"""Test load shedding: the last streams are skipped, counted and announced, and the others lose nothing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from streamer.arrays import Array, State
from streamer.config import Config, StreamConfig
from streamer.config_sections import PublishConfig
from streamer.dsp.model_calls import StepResult
from streamer.engine.load_shedding import (
    CALM_MAX_S,
    CALM_S,
    LOSS_WINDOW_S,
    LOSSES_TO_SHED,
    SAME_LOSS_S,
    LoadShedding,
    streams_to_resume,
    streams_to_shed,
)
from streamer.engine.phases import Running
from streamer.engine.stream import Stream
from streamer.events.kinds import Decision, Status
from streamer.heads.head import Head
from tests.scripted import RATE, Clock, Collected, Scripted, loud, run, toy_gate


@pytest.fixture
def head(tmp_path: Path) -> Head:
    return toy_gate(tmp_path)


def stream(name: str, clock: Clock, priority: int = 0, seconds: float = 30) -> Stream:
    config = Config(stream=(StreamConfig(priority=priority),))
    return Stream(name, Scripted(loud(seconds), clock, step_s=0.002), config=config)


def running_phase(of: Stream) -> Running:
    return Running(of, of.models.pipeline(of.name, of.models.column(RATE, PublishConfig())), opened_at=0.0)


def costs(head: Head, clock: Clock, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the model take this share of the duration of each stream's sound."""
    run_model = head.model.run

    def slow(x: Array, state: State) -> StepResult:
        clock.now += share * len(x) * x.shape[1] * 0.01  # seconds in a frame
        return run_model(x, state)

    monkeypatch.setattr(head.model, "run", slow)


def losing(shedding: LoadShedding, clock: Clock, seconds: float, every_s: float, per_s: float) -> list[int]:
    """Return the excess found at each loss, when `per_s` seconds are lost in each second, counted every `every_s`."""
    found = []
    until = clock.now + seconds
    while clock.now < until:
        clock.now += every_s
        for _ in range(5):
            shedding.lost(per_s * every_s / 5)
        found.append(shedding.excess())
    return found


def test_one_freeze_sheds_nothing() -> None:
    clock = Clock()
    shedding = LoadShedding(clock)
    for _ in range(50):
        shedding.lost(4.0)
    for _ in range(100):
        clock.now += 0.1
        assert shedding.excess() == 0


@pytest.mark.parametrize(("apart_s", "sheds"), [(SAME_LOSS_S, False), (SAME_LOSS_S + 0.25, True)])
def test_losses_that_follow_at_once_are_one(apart_s: float, sheds: bool) -> None:
    clock = Clock()
    assert any(losing(LoadShedding(clock), clock, 10, apart_s, 4.0)) is sheds


@pytest.mark.parametrize(("more_s", "sheds"), [(0.0, True), (0.125, False)])
def test_losses_that_are_far_apart_shed_nothing(more_s: float, sheds: bool) -> None:
    clock, apart_s = Clock(), LOSS_WINDOW_S / (LOSSES_TO_SHED - 1) + more_s
    assert any(losing(LoadShedding(clock), clock, 600, apart_s, 4.0)) is sheds


@pytest.mark.parametrize(("every_s", "per_s", "count"), [(2.0, 2.5, 3), (2.0, 0.4, 1), (15.0, 0.1, 1)])
def test_a_loss_that_goes_on_sheds_as_many_as_lose(every_s: float, per_s: float, count: int) -> None:
    clock = Clock()
    shedding = LoadShedding(clock)
    found = losing(shedding, clock, (2 * LOSSES_TO_SHED - 0.5) * every_s, every_s, per_s)
    assert found == [0, 0, count, 0, 0, count]  # it is given time in between


def test_streams_come_back_one_then_two_then_four() -> None:
    clock = Clock()
    shedding = LoadShedding(clock)
    losing(shedding, clock, 5.0, 2.0, 9.0)
    found = []
    for _ in range(3):
        clock.now += CALM_S
        assert shedding.spare() == 0
        clock.now += 0.1
        found.append(shedding.spare())
    assert found == [1, 2, 4]


def test_who_came_back_too_early_waits_twice_as_long() -> None:
    clock = Clock()
    shedding = LoadShedding(clock)
    waited = []
    for _ in range(8):
        assert losing(shedding, clock, 5.0, 2.0, 0.9)[-1] == 1
        left = clock.now
        while not shedding.spare():
            clock.now += 1.0
        waited.append(clock.now - left)
    assert waited[0] == pytest.approx(CALM_S, abs=1.2)
    assert waited[-1] == pytest.approx(CALM_MAX_S, abs=1.2)
    assert all(later == pytest.approx(2 * sooner, abs=2.4) for sooner, later in pairwise(waited[:5]))


@pytest.mark.parametrize(
    ("well_s", "factor"), [(CALM_S + LOSS_WINDOW_S - 10, 2), (CALM_S + LOSS_WINDOW_S + 10, 1)]
)
def test_who_was_shed_again_soon_waits_longer_and_comes_back_alone(well_s: float, factor: int) -> None:
    clock = Clock()
    shedding = LoadShedding(clock)
    losing(shedding, clock, 5.0, 2.0, 9.0)
    for count in (1, 2):
        clock.now += CALM_S + 1
        assert shedding.spare() == count
    clock.now += well_s
    assert losing(shedding, clock, 5.0, 2.0, 0.9)[-1] == 1
    clock.now += factor * CALM_S
    assert shedding.spare() == 0
    clock.now += 1
    assert shedding.spare() == 1


def test_the_lowest_go_first_and_the_highest_come_back_first_and_never_do_all_go() -> None:
    clock = Clock()
    priorities = zip("abcd", (0, 5, 0, 1), strict=True)
    running = [running_phase(stream(name, clock, priority)) for name, priority in priorities]

    def names(chosen: list[Running]) -> list[str]:
        return [each.stream.name for each in chosen]

    assert names(streams_to_shed(running, 2)) == ["c", "a"]
    assert names(streams_to_shed(running, 9)) == ["c", "a", "d"]
    assert names(streams_to_resume(running, 2)) == ["b", "d"]
    assert streams_to_shed(running[:1], 1) == []


def messages(sink: Collected, name: str) -> list[Status]:
    return [e for e in sink.of("status", name) if isinstance(e, Status)]


def test_where_there_are_too_many_the_others_go_on_whole(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine can carry two of these streams, and not four."""
    clock = Clock()
    costs(head, clock, 0.4, monkeypatch)
    streams = [stream(name, clock, priority) for name, priority in zip("abcd", (1, 0, 2, 0), strict=True)]
    sink = run(head, streams, clock)
    for name, position in (("b", 1), ("d", 3)):
        shed = next(e for e in messages(sink, name) if e.shed)
        assert shed.message == "not heard: the machine does not carry all streams, and others have priority"
        assert shed.stop < 10 * RATE
        dropped = [e.dropped_samples for e in messages(sink, name)]
        assert dropped == sorted(dropped)
        assert streams[position].dropped_samples > 18 * RATE
        ends = [e for e in sink.of("gate", name) if isinstance(e, Decision) and e.state in ("on", "off")]
        assert {e.epoch for e in ends if e.state == "on"} == {e.epoch for e in ends if e.state == "off"}
    for name in "ac":
        assert not any(e.shed for e in messages(sink, name))
        late = [e.start for e in sink.of("level", name) if e.start > 10 * RATE]
        assert late
        assert all(later - sooner == RATE / 10 for sooner, later in pairwise(late))
    heard = [(e.start, e.stop) for e in sink.of("level", "b")]
    assert all(sooner[1] <= later[0] for sooner, later in pairwise(heard))


def test_overruns_of_a_stream_that_is_shed_are_announced(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    costs(head, clock, 0.9, monkeypatch)
    streams = [stream("kept", clock, 1), stream("shed", clock, 0)]
    source = streams[1].source
    assert isinstance(source, Scripted)
    source.overruns_at = {20 * RATE: 3}
    sink = run(head, streams, clock)
    told = next(e for e in messages(sink, "shed") if "the device reported 3 overruns" in e.message)
    assert told.shed
    assert told.stop < 22 * RATE


def test_a_stream_is_heard_again_once_there_is_room(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    costs(head, clock, 0.9, monkeypatch)
    streams = [stream("short", clock, 1, seconds=12), stream("long", clock, 0, seconds=50)]
    sink = run(head, streams, clock)
    said = [e.message for e in messages(sink, "long") if "heard" in e.message and "lost" not in e.message]
    assert said == [
        "not heard: the machine does not carry all streams, and others have priority",
        "heard again",
    ]
    assert not messages(sink, "long")[-1].shed
    levels = sink.of("level", "long")
    assert levels[-1].stop > 49 * RATE
    assert streams[1].dropped_samples + RATE / 10 * len(levels) == pytest.approx(50 * RATE, abs=RATE)
