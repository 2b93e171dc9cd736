"""From the blocks of one stream to its events: downmix, models, levels, decisions, gaps.

Nothing here knows of devices, clocks or sockets: the same sound gives the same events, however it is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from streamer.config import PublishConfig
from streamer.decisions import Change, Decider, DeciderState
from streamer.events import Decision, Event, Level, Scores, Spectrum
from streamer.frontend import FrontEndConfig
from streamer.heads import Head, Hearing, Outcome
from streamer.kernels import downmix
from streamer.level import LevelMeter, dbfs
from streamer.sources.source import Block
from streamer.stage import Array

_LEVEL, _SCORES = "level", "scores"


class _Place(TypedDict):
    """The fields that every event of a stream has."""

    stream: str
    epoch: int
    start: int
    stop: int
    rate: int


@dataclass(frozen=True)
class _Tick:
    """A running value that is due at a sample."""

    start: int
    stop: int
    source: str
    values: Array | None


class Pipeline:
    """What is heard in one stream.

    Every event is placed on the captured samples. Events come out in the order of their `stop` (a spectrum is
    due with the level, shortly after the end of its last frame). They carry neither time nor sequence number,
    which are the engine's to know.

    Parameters
    ----------
    stream : str
        Name of the stream.
    rate_hz : int
        Of its blocks.
    heads : sequence of Head
        The models that listen.
    publish : PublishConfig
        Which running values are given, and how often.
    """

    def __init__(self, stream: str, rate_hz: int, heads: Sequence[Head], publish: PublishConfig) -> None:
        self._stream = stream
        self._rate_hz = rate_hz
        self._publish = publish
        self._hearing = Hearing(heads, rate_hz, publish.spectrum)
        self._meter = LevelMeter(round(rate_hz / publish.level_hz))
        self._scores_samples = round(rate_hz / publish.scores_hz)
        self._deciders: dict[tuple[str, str], tuple[Decider, Head, int]] = {
            (head.kind, label): (head.decider(rate_hz), head, n)
            for head in heads
            for n, label in enumerate(head.model.manifest.labels)
        }
        self.epoch = 0
        self.muted_samples = 0
        self._start_epoch(0)

    @property
    def position(self) -> int:
        """Sample that the next block is expected to begin with."""
        return self._origin + self._heard

    def step(self, block: Block) -> list[Event]:
        """Take a block, give the events that it completes.

        A block that does not begin where the last one ended comes after a gap: what goes on is closed at the
        last sample heard, everything starts anew and `epoch` grows.

        Parameters
        ----------
        block : Block

        Returns
        -------
        list of Event
        """
        events: list[Event] = []
        if block.start != self.position:
            events += self.finish()
            self.epoch += bool(self._heard)
            self._start_epoch(block.start)
        mono = np.empty(len(block.samples), np.float32)
        self.muted_samples += int(downmix(block.samples, mono))
        self._waiting += self._ticks(mono)
        self._waiting += self._hearing.step(mono, self._hearing_state)
        self._heard += len(mono)
        return events + self._due(self._hearing.horizon(self._heard, self._hearing_state))

    def finish(self) -> list[Event]:
        """Give the events that the end of the sound completes; what goes on ends with it."""
        self._waiting += self._hearing.finish(self._heard, self._hearing_state)
        return self._due(self._heard) + self._spectrum() + self._close(self.position)

    def _start_epoch(self, origin: int) -> None:
        self._origin = origin
        self._heard = 0
        self._hearing_state = self._hearing.init()
        self._meter_state = self._meter.init()
        self._levels_given = 0
        self._waiting: list[Outcome | _Tick] = []
        self._frames: list[Outcome] = []
        self._latest: dict[str, tuple[Head, Array]] = {}
        self._decider_states: dict[tuple[str, str], DeciderState] = {
            key: decider.init(origin) for key, (decider, _, _) in self._deciders.items()
        }

    def _ticks(self, mono: Array) -> list[_Tick]:
        levels, self._meter_state = self._meter.step(mono[None], self._meter_state)
        every = self._meter.interval_samples
        ticks = [
            _Tick(k * every, (k + 1) * every, _LEVEL, v) for k, v in enumerate(levels[0], self._levels_given)
        ]
        self._levels_given += len(ticks)
        every = self._scores_samples
        first, last = self._heard // every, (self._heard + len(mono)) // every
        return ticks + [_Tick(k * every, (k + 1) * every, _SCORES, None) for k in range(first, last)]

    def _due(self, horizon: int) -> list[Event]:
        """Turn what is known up to `horizon` into events, in the order of the sound."""
        due = sorted((item for item in self._waiting if item.stop <= horizon), key=_order)
        self._waiting = [item for item in self._waiting if item.stop > horizon]
        return [event for item in due for event in self._events_of(item)]

    def _events_of(self, item: Outcome | _Tick) -> list[Event]:
        if isinstance(item, Outcome):
            if isinstance(item.source, FrontEndConfig):
                self._frames.append(item)
                return []
            self._latest[item.source.kind] = (item.source, item.values)
            return self._decide(item.source, item)
        if item.source == _SCORES:
            return self._scores(item)
        return self._level(item) + self._spectrum()

    def _decide(self, head: Head, outcome: Outcome) -> list[Event]:
        events: list[Event] = []
        start, stop = outcome.start + self._origin, outcome.stop + self._origin
        for label, score in zip(head.model.manifest.labels, outcome.values, strict=True):
            key = head.kind, label
            decider = self._deciders[key][0]
            change, state = decider.step(float(score), start, stop, self._decider_states[key])
            self._decider_states[key] = state
            if change:
                events.append(self._decision(head, label, change))
        return events

    def _close(self, stop: int) -> list[Event]:
        """End what goes on at `stop`."""
        events: list[Event] = []
        for key, (decider, head, n) in self._deciders.items():
            if head.kind in self._latest:
                score = float(self._latest[head.kind][1][n])
                change = decider.end(score, stop, self._decider_states[key])
                events += [self._decision(head, key[1], change)] if change else []
        return events

    def _decision(self, head: Head, label: str, change: Change) -> Event:
        return Decision(
            kind=head.kind,
            **self._place(change.since, change.at),
            state=change.state,
            label=label,
            score=_rounded(change.score),
            model=head.model.manifest.name,
        )

    def _scores(self, tick: _Tick) -> list[Event]:
        heads = {}
        for kind, (head, values) in self._latest.items():
            best = np.argsort(-values, kind="stable")[: self._publish.top]
            heads[kind] = {head.model.manifest.labels[n]: _rounded(values[n]) for n in best}
        return [Scores(kind="scores", heads=heads, **self._place_of(tick, tick))] if heads else []

    def _level(self, tick: _Tick) -> list[Event]:
        assert tick.values is not None  # level ticks carry theirs
        power, peak = tick.values
        rms_dbfs, peak_dbfs = dbfs(power), dbfs(peak * peak)
        place = self._place_of(tick, tick)
        return [Level(kind="level", rms_dbfs=rms_dbfs, peak_dbfs=peak_dbfs, **place)]

    def _spectrum(self) -> list[Event]:
        events: list[Event] = []
        for config in dict.fromkeys(frame.source for frame in self._frames):
            frames = [frame for frame in self._frames if frame.source == config]
            assert isinstance(config, FrontEndConfig)
            events.append(
                Spectrum(
                    kind="spectrum",
                    front_end=config.fingerprint,
                    frames=np.stack([frame.values for frame in frames]),
                    **self._place_of(frames[0], frames[-1]),
                )
            )
        self._frames = []
        return events

    def _place_of(self, first: Outcome | _Tick, last: Outcome | _Tick) -> _Place:
        return self._place(self._origin + first.start, self._origin + last.stop)

    def _place(self, start: int, stop: int) -> _Place:
        """Common fields of an event about samples `start` to `stop`."""
        return _Place(stream=self._stream, epoch=self.epoch, start=start, stop=stop, rate=self._rate_hz)


def _order(item: Outcome | _Tick) -> tuple[int, int]:
    """By the sound, and scores before the running values that quote them."""
    return item.stop, isinstance(item, _Tick)


def _rounded(score: float) -> float:
    return round(float(score), 6)
