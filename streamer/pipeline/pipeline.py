"""From the blocks of one stream to its events: downmix, models, levels, decisions, stems, gaps.

Nothing here knows of devices, clocks or sockets: the same sound gives the same events, however it is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from streamer.arrays import Array
from streamer.config import PublishConfig
from streamer.dsp.downmix import downmix
from streamer.dsp.level import LevelMeter, dbfs
from streamer.dsp.model_calls import Calls
from streamer.events import Decision, Event, Level, Scores, Spectrum, Stem
from streamer.heads.head import Head
from streamer.heads.hysteresis import Change
from streamer.heads.results import HeadResult, MelFrame, TreeResult
from streamer.heads.stage_tree import StageTree, StageTreeState
from streamer.separation.gated_separation import SeparatedStream, Separation
from streamer.separation.live import StemPiece, VoiceResult
from streamer.separation.separator import cleaned
from streamer.sources.source import Block

_LEVEL, _SCORES = "level", "scores"


class _EventPlace(TypedDict):
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
    due with the level, shortly after the end of its last frame), but for stems: these wait for nothing else. They carry
    neither time nor sequence number, which are the engine's to know.

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
    separation : Separation or None
        None leaves the sound together.
    """

    def __init__(
        self,
        stream: str,
        rate_hz: int,
        heads: Sequence[Head],
        publish: PublishConfig,
        separation: Separation | None = None,
    ) -> None:
        self._stream = stream
        self._rate_hz = rate_hz
        self._publish = publish
        self._heads = heads
        self._separation = separation
        self._hearing = StageTree(heads, rate_hz, publish.spectrum)
        self._meter = LevelMeter(round(rate_hz / publish.level_hz))
        self._scores_samples = round(rate_hz / publish.scores_hz)
        self.epoch = 0
        self.muted_samples = 0
        self._start_epoch(0)

    @property
    def position(self) -> int:
        """Sample that the next block is expected to begin with."""
        return self._origin + self._hearing_state.heard

    @property
    def wanted_samples(self) -> int:
        """Samples from `position` on with which the next message may be due, but for stems."""
        state = self._hearing_state
        stops = [item.stop for item in self._waiting]
        stops.append((self._levels_given + 1) * self._meter.interval_samples)
        stops.append((state.heard // self._scores_samples + 1) * self._scores_samples)
        if (said := self._hearing.next_stop(state)) is not None:
            stops.append(said)
        return max(1, self._hearing.known_after(min(stops)) - state.heard)

    def step(self, block: Block) -> Calls[list[Event]]:
        """Take a block, give the events that it completes.

        A block that does not begin where the last one ended comes after a gap: what goes on is closed at the
        last sample heard, everything starts anew and `epoch` grows.

        Parameters
        ----------
        block : Block

        Returns
        -------
        generator
            Of what it asks for; gives a list of Event.
        """
        events = self.pass_over(block.start)
        mono = np.empty(len(block.samples), np.float32)
        muted = int(downmix(block.samples, mono))
        self.muted_samples += muted
        self._waiting += self._ticks(mono)
        outcomes = yield from self._hearing.step(mono, self._hearing_state)
        self._waiting += outcomes
        if self._separation:
            sound = cleaned(block.samples)[0] if muted else block.samples
            events += self._stems((yield from self._separate(sound, self._separation, outcomes)))
        return events + self._due(self._hearing_state.horizon)

    def pass_over(self, stop: int) -> list[Event]:
        """Hear nothing before sample `stop`: where that is further on, what goes on is closed at the last one heard."""
        if stop == self.position:
            return []
        events: list[Event] = []
        if self._hearing_state.heard:
            events = self.finish()
            self.epoch += 1
            self._start_epoch(stop)
        self._origin = stop
        return events

    def finish(self) -> list[Event]:
        """Give the events that the end of the sound completes; what goes on ends with it."""
        self._waiting += self._hearing.finish(self._hearing_state)
        events = self._stems(self._apart.finish() if self._apart else [])
        events += self._due(self._hearing_state.heard) + self._spectrum()
        return events + [
            e for said in self._hearing.close(self._hearing_state) for e in self._decisions(said)
        ]

    def _start_epoch(self, origin: int) -> None:
        self._origin = origin
        self._hearing_state: StageTreeState = self._hearing.init()
        self._meter_state = self._meter.init()
        self._levels_given = 0
        self._apart: SeparatedStream | None = None
        self._waiting: list[TreeResult | VoiceResult | _Tick] = []
        self._frames: list[MelFrame] = []
        self._latest: dict[str, Array] = {}

    def _ticks(self, mono: Array) -> list[_Tick]:
        levels, self._meter_state = self._meter.step(mono[None], self._meter_state)
        every = self._meter.interval_samples
        ticks = [
            _Tick(k * every, (k + 1) * every, _LEVEL, v) for k, v in enumerate(levels[0], self._levels_given)
        ]
        self._levels_given += len(ticks)
        every = self._scores_samples
        heard = self._hearing_state.heard
        first, last = heard // every, (heard + len(mono)) // every
        return ticks + [_Tick(k * every, (k + 1) * every, _SCORES, None) for k in range(first, last)]

    def _due(self, horizon: int) -> list[Event]:
        """Turn what is known up to `horizon` into events, in the order of the sound."""
        due = sorted((item for item in self._waiting if item.stop <= horizon), key=_order)
        self._waiting = [item for item in self._waiting if item.stop > horizon]
        return [event for item in due for event in self._events_of(item)]

    def _separate(
        self, samples: Array, separation: Separation, outcomes: Sequence[TreeResult]
    ) -> Calls[list[StemPiece | VoiceResult]]:
        if self._apart is None:
            self._apart = SeparatedStream(separation, self._rate_hz, samples.shape[1])
        return (yield from self._apart.step(samples, outcomes))

    def _stems(self, given: Sequence[StemPiece | VoiceResult]) -> list[Event]:
        """Stems at once; what is said of the voice waits its turn."""
        events: list[Event] = []
        for one in given:
            if isinstance(one, VoiceResult):
                self._waiting.append(one)
                continue
            place = self._place(self._origin + one.start, self._origin + one.stop)
            for label, samples in (("voice", one.voice), ("music", one.music)):
                events.append(Stem(kind="stem", label=label, samples=samples, **place))
        return events

    def _events_of(self, item: TreeResult | VoiceResult | _Tick) -> Sequence[Event]:
        match item:
            case MelFrame():
                self._frames.append(item)
                return []
            case HeadResult():
                if item.scores is None:
                    self._latest.pop(item.head.name, None)
                else:
                    self._latest[item.head.name] = item.scores
                return self._decisions(item)
            case VoiceResult():
                assert self._separation is not None  # it says so
                name = self._separation.model.manifest.name
                return [self._decision("voice", name, change) for change in item.changes]
            case _:
                return self._scores(item) if item.source == _SCORES else self._level(item) + self._spectrum()

    def _decisions(self, said: HeadResult) -> list[Decision]:
        model = said.head.model.manifest.name
        return [self._decision(said.head.kind, model, change) for change in said.changes]

    def _decision(self, kind: str, model: str, change: Change) -> Decision:
        return Decision(
            kind=kind,
            **self._place(self._origin + change.since, self._origin + change.at),
            state=change.state,
            label=change.label,
            score=_rounded(change.score),
            model=model,
        )

    def _scores(self, tick: _Tick) -> list[Event]:
        heads = {}
        for head in self._heads:
            if head.name in self._latest:
                values = self._latest[head.name]
                best = (-values).argsort(kind="stable")[: self._publish.top]
                labels = head.model.manifest.labels
                scores = zip(best.tolist(), values[best].tolist(), strict=True)
                heads[head.name] = {labels[n]: round(score, 6) for n, score in scores}
        return [Scores(kind="scores", heads=heads, **self._place_of(tick, tick))] if heads else []

    def _level(self, tick: _Tick) -> list[Event]:
        assert tick.values is not None  # level ticks carry theirs
        power, peak = tick.values
        rms_dbfs, peak_dbfs = dbfs(power), dbfs(peak * peak)
        place = self._place_of(tick, tick)
        return [Level(kind="level", rms_dbfs=rms_dbfs, peak_dbfs=peak_dbfs, **place)]

    def _spectrum(self) -> list[Event]:
        events: list[Event] = []
        for config in dict.fromkeys(frame.config for frame in self._frames):
            frames = [frame for frame in self._frames if frame.config == config]
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

    def _place_of(self, first: MelFrame | _Tick, last: MelFrame | _Tick) -> _EventPlace:
        return self._place(self._origin + first.start, self._origin + last.stop)

    def _place(self, start: int, stop: int) -> _EventPlace:
        """Common fields of an event about samples `start` to `stop`."""
        return _EventPlace(stream=self._stream, epoch=self.epoch, start=start, stop=stop, rate=self._rate_hz)


def _order(item: TreeResult | VoiceResult | _Tick) -> tuple[int, int, int]:
    """By the sound; then heads in their order and frames, the voice, and the running values that quote them."""
    match item:
        case _Tick():
            return item.stop, 2, 0
        case VoiceResult():
            return item.stop, 1, 0
        case _:
            return item.stop, 0, item.rank


def _rounded(score: float) -> float:
    return round(float(score), 6)
