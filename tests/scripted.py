"""Scripted sources, clock and sink, on which tests run the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.config import Config
from streamer.config_sections import PublishConfig
from streamer.engine.engine import Engine
from streamer.engine.stream import Stream
from streamer.errors import DeviceError, EndedError, StreamError
from streamer.events.kinds import Event
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.stream_models import StreamModels
from streamer.sinks.sink import Sink
from streamer.sources.source import Block, Source, SourceCounts
from tests.conftest import DEADLINE_S
from tests.toy_model import write_toy_model

RATE = 16_000


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Scripted(Source):
    """A live source whose sound comes with the clock; each look at it moves the clock by `step_s`."""

    timed_by = "arrival"

    def __init__(self, sound: Array, clock: Clock, step_s: float = 0.02) -> None:
        self.rate_hz, self.channels = RATE, 1
        self._sound, self._clock, self._step_s = sound, clock, step_s
        self._position = 0
        self._opened_at = 0.0
        self.freeze_at: dict[int, float] = {}
        self.overruns_at: dict[int, int] = {}
        self.fail_at = 2**60
        self.sent_at: Callable[[int], float | None] = lambda stop: None
        self.overruns = 0
        self.closed = 0
        self.reads = 0

    def open(self) -> None:
        self._opened_at = self._clock()

    def read(self, max_frames: int) -> Block | None:
        self.reads += 1
        if self._position >= self.fail_at:
            raise StreamError("scripted: the device was unplugged; plug it in and listen again")
        stop = min(self._position + max_frames, self._position + self._waiting())
        if stop <= self._position:
            return None
        start, self._position = self._position, stop
        return Block(start, self._sound[start:stop], self._opened_at + stop / RATE, self.sent_at(stop))

    def backlog_frames(self) -> int:
        """Move the clock, then return what waits: the engine calls this once in each look."""
        self._clock.now += self._step_s
        for table in (self.freeze_at, self.overruns_at):
            for at in [at for at in table if at <= self._position]:
                if table is self.freeze_at:
                    self._clock.now += table.pop(at)
                else:
                    self.overruns += int(table.pop(at))
        return self._waiting()

    def _waiting(self) -> int:
        due = round((self._clock() - self._opened_at) * RATE)
        return min(due, len(self._sound)) - self._position

    def skip(self, frames: int) -> int:
        self._position += frames
        return frames

    @property
    def ended(self) -> bool:
        return self._position >= len(self._sound)

    @property
    def counts(self) -> SourceCounts:
        return SourceCounts(overruns=self.overruns)

    def close(self) -> None:
        self.closed += 1


class Absent(Scripted):
    """A device that is not there."""

    def open(self) -> None:
        raise DeviceError("no input device 'x'; see `streamer devices`")


class Breaking(Scripted):
    """A live source that fails at some samples, and cannot be opened a number of times after each."""

    is_live = True

    def __init__(self, sound: Array, clock: Clock, break_at: dict[int, int]) -> None:
        super().__init__(sound, clock)
        self._heard = 0
        self._break_at = break_at
        self._refusals = 0
        self.opened_at: list[float] = []
        """Times of all tries to open it."""

    def open(self) -> None:
        self.opened_at.append(self._clock())
        if self._refusals:
            self._refusals -= 1
            raise StreamError("scripted: connection refused")
        super().open()
        self._heard, self._position = self._heard + self._position, 0

    def read(self, max_frames: int) -> Block | None:
        for at in [at for at in self._break_at if at <= self._heard + self._position]:
            self._refusals = self._break_at.pop(at)
            raise EndedError("scripted: the server closed the connection")
        return super().read(max_frames)


class Slow(Scripted):
    """A source that opens once `let` is set, or fails once it is told to give up."""

    opens_slowly = True

    def __init__(self, sound: Array, clock: Clock) -> None:
        super().__init__(sound, clock)
        self.let, self.given_up = threading.Event(), threading.Event()

    def open(self) -> None:
        assert self.let.wait(DEADLINE_S)
        if self.given_up.is_set():
            raise StreamError("was not waited for any longer")
        super().open()

    def give_up_opening(self) -> None:
        self.given_up.set()
        self.let.set()


class Collected(Sink):
    """A sink that keeps all events in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = 0

    def open(self) -> None:
        pass

    def send(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1

    def of(self, kind: str, stream: str = "s") -> list[Event]:
        return [e for e in self.events if e.kind == kind and e.stream == stream]


def toy_gate(folder: Path) -> Head:
    """Write a toy gate into a folder; it decides after 100 ms."""
    config = DecisionConfig(min_on_ms=100, min_off_ms=100)
    return Head("gate", "gate", OnnxModel(write_toy_model(folder / "toy")), config)


def loud(seconds: float) -> Array:
    """Return noise that opens the toy gate, shape (frames, 1)."""
    return np.random.default_rng(3).normal(0, 0.2, (round(seconds * RATE), 1)).astype(np.float32)


TENTHS = Config(publish=PublishConfig(scores_hz=10, level_hz=10))
"""Running values every tenth of a second, whatever the steps of the toys are."""


def run(head: Head, streams: list[Stream], clock: Clock, config: Config = TENTHS) -> Collected:
    """Run an engine on streams until they end, and return a sink with all their events."""
    sink = Collected()
    engine(head, streams, [sink], config, clock).run(threading.Event())
    return sink


def engine(
    head: Head,
    streams: Sequence[Stream],
    sinks: Sequence[Sink],
    config: Config = TENTHS,
    clock: Callable[[], float] = time.monotonic,
) -> Engine:
    """Make an engine of streams, all with one head."""
    for stream in streams:
        stream.models = StreamModels((head,))
    return Engine(streams, sinks, config, clock)
