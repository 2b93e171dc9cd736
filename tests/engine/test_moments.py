"""What is due at a moment is done at that very moment, and what is heard twice is left out to the sample."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.config_sections import PublishConfig
from streamer.engine.announcer import Announcer
from streamer.engine.lifecycle import STEADY_S, Lifecycle
from streamer.engine.phases import Outage, Recovering, Running
from streamer.engine.stream import Stream
from streamer.errors import StreamError
from streamer.sources.source import Block
from tests.scripted import RATE, Breaking, Clock, Collected, Scripted, loud


@pytest.fixture
def clock() -> Clock:
    return Clock()


def running(clock: Clock) -> Running:
    stream = Stream("s", Scripted(loud(1), clock))
    pipeline = stream.models.pipeline("s", stream.models.column(RATE, PublishConfig()))
    stream.phase = Running(stream, pipeline, opened_at=clock.now)
    return stream.phase


@pytest.mark.parametrize(("early_s", "count"), [(0.25, 0), (0.0, 1)])
def test_a_heartbeat_comes_when_it_is_due(clock: Clock, early_s: float, count: int) -> None:
    stream, sink = running(clock).stream, Collected()
    stream.status_due_at = clock.now + early_s
    Announcer([sink], 10.0, clock).heartbeats([stream])
    assert len(sink.of("status")) == count


@pytest.mark.parametrize(("early_s", "count"), [(0.25, 0), (0.0, 1)])
def test_losses_are_told_when_they_are_due(clock: Clock, early_s: float, count: int) -> None:
    phase, sink = running(clock), Collected()
    phase.losses_due_at = clock.now + early_s
    Announcer([sink], 10.0, clock).loss(phase, 160)
    assert len(sink.of("status")) == count


@pytest.mark.parametrize(("early_s", "opens"), [(0.25, False), (0.0, True)])
def test_a_source_is_opened_again_when_that_is_due(clock: Clock, early_s: float, opens: bool) -> None:
    stream = running(clock).stream
    away = Recovering(Outage(StreamError("away"), 0.0, clock.now), tries=1, due_at=clock.now + early_s)
    stream.phase = away
    Lifecycle(Announcer([], 10.0, clock), PublishConfig(), clock).proceed(stream)
    assert (away.opening is not None) is opens


@pytest.mark.parametrize("new", [0, 1])
def test_a_block_that_was_heard_before_an_outage_is_left_out_to_the_sample(clock: Clock, new: int) -> None:
    phase = running(clock)
    phase.pipeline.pass_over(RATE)
    phase.outage = Outage(StreamError("away"), heard_s=1.0, heard_until=clock.now)
    block = Block(0, np.zeros((160, 1), np.float32), clock.now + new / RATE)
    placed = phase.placed(block, clock.now)
    assert (placed and (placed.start, len(placed.samples))) == ((RATE, 1) if new else None)


@pytest.mark.parametrize(("short_s", "tries"), [(0.25, 6), (0.0, 1)])
def test_a_source_that_ran_long_enough_is_tried_again_as_at_first(
    clock: Clock, short_s: float, tries: int
) -> None:
    stream = Stream("s", Breaking(loud(1), clock, {}))
    pipeline = stream.models.pipeline("s", stream.models.column(RATE, PublishConfig()))
    phase = Running(stream, pipeline, opened_at=clock.now - STEADY_S + short_s, tries=5)
    Lifecycle(Announcer([], 10.0, clock), PublishConfig(), clock).break_off(phase, StreamError("away"))
    assert isinstance(stream.phase, Recovering)
    assert stream.phase.tries == tries
