"""When a live stream is read, and how long the engine rests, at the very limits."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.config import TURN_S
from streamer.config_sections import PublishConfig
from streamer.engine.phases import Running
from streamer.engine.scheduler import TURN_OF_MANY_S, TURN_PER_STREAM_S, Scheduler
from streamer.engine.stream import Stream
from streamer.sources.source import Block
from tests.scripted import RATE, Clock, Scripted, loud


def live(clock: Clock) -> Running:
    """Return the phase of a live stream that was read just now, of which nothing is due and nothing waits."""
    stream = Stream("s", Scripted(loud(1), clock))
    pipeline = stream.models.pipeline("s", stream.models.column(RATE, PublishConfig()))
    block = Block(0, np.zeros((1, 1), np.float32), clock.now)
    return Running(stream, pipeline, opened_at=clock.now, last_block=block, read_at=clock.now)


@pytest.mark.parametrize(("passed_s", "waits"), [(0.0, True), (TURN_S - 0.001, True), (TURN_S, False)])
def test_a_stream_waits_for_less_than_a_turn(passed_s: float, waits: bool) -> None:
    clock = Clock()
    running = live(clock)
    running.read_at = 0.0
    clock.now = passed_s
    assert Scheduler([running.stream], clock).waits_for_more(running) is waits


def test_a_stream_does_not_wait_once_the_sound_is_there_with_which_a_message_is_due() -> None:
    clock = Clock()
    running = live(clock)
    scheduler = Scheduler([running.stream], clock)
    due = round(min(TURN_S * RATE, running.pipeline.wanted_samples))
    for running.backlog_frames in (due - 1, due):
        assert scheduler.waits_for_more(running) is (running.backlog_frames < due)


@pytest.mark.parametrize(("streams", "rest_s"), [(3, 3 * TURN_PER_STREAM_S), (100, TURN_OF_MANY_S)])
def test_turns_of_more_streams_are_further_apart_up_to_a_bound(streams: int, rest_s: float) -> None:
    clock = Clock()
    running = live(clock)
    running.source.wait_s = lambda turn_s: 0.0  # type: ignore[method-assign]
    scheduler = Scheduler([running.stream], clock)
    assert scheduler.rest_s([running] * streams, clock.now, False) == pytest.approx(rest_s)
