"""Turn the blocks of one stream into its events: downmix, models, levels, decisions, stems and gaps.

Nothing here uses devices, clocks or sockets: the same sound gives the same events, however it is cut into blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypedDict

import numpy as np

from streamer.arrays import Array
from streamer.config import STEMS, PublishConfig
from streamer.dsp.downmix import downmix
from streamer.dsp.level import LevelMeter, dbfs
from streamer.dsp.model_calls import Calls
from streamer.events import Decision, Event, Level, Scores, Spectrum, Stem
from streamer.heads.gating import Switch
from streamer.heads.head import DecidingModel, Head
from streamer.heads.hysteresis import Change
from streamer.heads.results import HeadResult, MelFrame, TreeResult
from streamer.heads.stage_tree import StageTree, StageTreeState
from streamer.separation.gated_separation import SeparatedStream, Separation
from streamer.separation.live import SeparationResult, VoiceResult
from streamer.separation.separator import mute_invalid
from streamer.sources.source import Block


class _EventFields(TypedDict):
    """The fields that every event of a stream has."""

    stream: str
    epoch: int
    start: int
    stop: int
    rate: int


@dataclass(frozen=True)
class _LevelResult:
    """The level of an interval.

    Attributes
    ----------
    values : array, shape (2,)
        Power and peak.
    """

    start: int
    stop: int
    values: Array


@dataclass(frozen=True)
class _ScoresDue:
    """An interval at whose end the latest scores are due."""

    start: int
    stop: int


_Result: TypeAlias = TreeResult | VoiceResult | _LevelResult | _ScoresDue
"""A result that waits until everything before its `stop` is known."""


class Pipeline:
    """Processes one stream.

    Every event is placed on the captured samples. Events come out in the order of their `stop`, but for stems, which
    wait for nothing else; a spectrum comes out with the level, shortly after the end of its last frame. Events carry
    neither time nor sequence number, which the engine adds.

    Parameters
    ----------
    stream : str
        Name of the stream.
    rate_hz : int
        Sample rate of its blocks.
    heads : sequence of Head
    publish : PublishConfig
        Says which periodic values are given, and how often.
    separation : Separation or None
        None gives no stems.

    Attributes
    ----------
    epoch : int
        Number of fresh starts so far.
    muted_samples : int
        Number of samples that were NaN, infinite or absurdly large, and were processed as silence.
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
        self._tree = StageTree(heads, rate_hz, publish.spectrum)
        self._meter = LevelMeter(round(rate_hz / publish.level_hz))
        self._scores_samples = round(rate_hz / publish.scores_hz)
        self.epoch = 0
        self.muted_samples = 0
        self._start_epoch(0)

    @property
    def position(self) -> int:
        """Sample with which the next block is expected to begin."""
        return self._origin + self._tree_state.processed_samples

    @property
    def wanted_samples(self) -> int:
        """Number of samples from `position` on with which the next message may be due; stems are not considered."""
        state = self._tree_state
        stops = [result.stop for result in self._waiting]
        stops.append((self._levels_given + 1) * self._meter.interval_samples)
        stops.append((state.processed_samples // self._scores_samples + 1) * self._scores_samples)
        if (next_stop := self._tree.next_stop(state)) is not None:
            stops.append(next_stop)
        return max(1, self._tree.known_after(min(stops)) - state.processed_samples)

    def step(self, block: Block) -> Calls[list[Event]]:
        """Take a block, give the events that it completes.

        A block that does not begin where the last one ended comes after a gap: everything that goes on is ended at the
        last sample before it, every state starts anew, and `epoch` grows.

        Parameters
        ----------
        block : Block

        Returns
        -------
        generator
            Yields model calls; returns a list of Event.
        """
        events = self.pass_over(block.start)
        mono = np.empty(len(block.samples), np.float32)
        muted = int(downmix(block.samples, mono))
        self.muted_samples += muted
        self._waiting += self._periodic(mono)
        results = yield from self._tree.step(mono, self._tree_state)
        self._waiting += results
        if self._separation:
            sound = mute_invalid(block.samples)[0] if muted else block.samples
            events += self._stems((yield from self._separate(sound, self._separation)))
        return events + self._due(self._tree_state.known_until)

    def pass_over(self, stop: int) -> list[Event]:
        """Skip the samples from `position` to `stop`, if there are any; everything that goes on ends before them."""
        if stop == self.position:
            return []
        events: list[Event] = []
        if self._tree_state.processed_samples:
            events = self.finish()
            self.epoch += 1
            self._start_epoch(stop)
        self._origin = stop
        return events

    def finish(self) -> list[Event]:
        """Give the events that the end of the sound completes, and end everything that goes on."""
        self._waiting += self._tree.finish(self._tree_state)
        events = self._stems(self._separated.finish() if self._separated else [])
        events += self._due(self._tree_state.processed_samples) + self._spectrum()
        return events + [
            event
            for result in self._tree.close(self._tree_state)
            for event in self._decisions(result.head, result.changes)
        ]

    def _start_epoch(self, origin: int) -> None:
        self._origin = origin
        self._tree_state: StageTreeState = self._tree.init()
        self._meter_state = self._meter.init()
        self._levels_given = 0
        self._separated: SeparatedStream | None = None
        self._waiting: list[_Result] = []
        self._frames: list[MelFrame] = []
        self._latest: dict[str, Array] = {}

    def _periodic(self, mono: Array) -> list[_Result]:
        """Return the levels that samples complete, and the scores that are due at their ends of intervals."""
        values, self._meter_state = self._meter.step(mono[None], self._meter_state)
        every = self._meter.interval_samples
        levels = [
            _LevelResult(k * every, (k + 1) * every, v) for k, v in enumerate(values[0], self._levels_given)
        ]
        self._levels_given += len(levels)
        every = self._scores_samples
        processed = self._tree_state.processed_samples
        first, last = processed // every, (processed + len(mono)) // every
        return [*levels, *(_ScoresDue(k * every, (k + 1) * every) for k in range(first, last))]

    def _due(self, known_until: int) -> list[Event]:
        """Turn the results up to `known_until` into events, in the order of the sound."""
        due = sorted((result for result in self._waiting if result.stop <= known_until), key=_order)
        self._waiting = [result for result in self._waiting if result.stop > known_until]
        return [event for result in due for event in self._events(result)]

    def _separate(self, samples: Array, separation: Separation) -> Calls[list[SeparationResult]]:
        if self._separated is None:
            self._separated = SeparatedStream(separation, self._rate_hz, samples.shape[1])
        gate = separation.opened_by
        switches: Sequence[Switch] = [] if gate is None else self._tree_state.switches.get(gate, [])
        return (yield from self._separated.step(samples, switches))

    def _stems(self, results: Sequence[SeparationResult]) -> list[Event]:
        """Return the stems at once; changes of the voice wait until everything before them is known."""
        events: list[Event] = []
        for result in results:
            if isinstance(result, VoiceResult):
                self._waiting.append(result)
                continue
            fields = self._fields(self._origin + result.start, self._origin + result.stop)
            for label, samples in zip(STEMS, (result.voice, result.music), strict=True):
                events.append(Stem(kind="stem", label=label, samples=samples, **fields))
        return events

    def _events(self, result: _Result) -> Sequence[Event]:
        match result:
            case MelFrame():
                self._frames.append(result)
                return []
            case HeadResult():
                if result.scores is None:
                    self._latest.pop(result.head.name, None)
                else:
                    self._latest[result.head.name] = result.scores
                return self._decisions(result.head, result.changes)
            case VoiceResult():
                assert self._separation is not None  # it gave the result
                return self._decisions(self._separation, result.changes)
            case _ScoresDue():
                return self._scores(result)
            case _LevelResult():
                return self._level(result) + self._spectrum()

    def _decisions(self, deciding: DecidingModel, changes: Sequence[Change]) -> list[Decision]:
        return [
            Decision(
                kind=deciding.kind,
                **self._fields(self._origin + change.since, self._origin + change.at),
                state=change.state,
                label=change.label,
                score=round(float(change.score), 6),
                model=deciding.model.manifest.name,
            )
            for change in changes
        ]

    def _scores(self, due: _ScoresDue) -> list[Event]:
        heads = {}
        for head in self._heads:
            if head.name in self._latest:
                values = self._latest[head.name]
                best = (-values).argsort(kind="stable")[: self._publish.top]
                labels = head.model.manifest.labels
                scores = zip(best.tolist(), values[best].tolist(), strict=True)
                heads[head.name] = {labels[n]: round(score, 6) for n, score in scores}
        return [Scores(kind="scores", heads=heads, **self._fields_of(due, due))] if heads else []

    def _level(self, level: _LevelResult) -> list[Event]:
        power, peak = level.values
        rms_dbfs, peak_dbfs = dbfs(power), dbfs(peak * peak)
        fields = self._fields_of(level, level)
        return [Level(kind="level", rms_dbfs=rms_dbfs, peak_dbfs=peak_dbfs, **fields)]

    def _spectrum(self) -> list[Event]:
        events: list[Event] = []
        for config in dict.fromkeys(frame.config for frame in self._frames):
            frames = [frame for frame in self._frames if frame.config == config]
            events.append(
                Spectrum(
                    kind="spectrum",
                    front_end=config.fingerprint,
                    frames=np.stack([frame.values for frame in frames]),
                    **self._fields_of(frames[0], frames[-1]),
                )
            )
        self._frames = []
        return events

    def _fields_of(
        self, first: MelFrame | _LevelResult | _ScoresDue, last: MelFrame | _LevelResult | _ScoresDue
    ) -> _EventFields:
        return self._fields(self._origin + first.start, self._origin + last.stop)

    def _fields(self, start: int, stop: int) -> _EventFields:
        """Return the common fields of an event about samples `start` to `stop` of the stream."""
        return _EventFields(stream=self._stream, epoch=self.epoch, start=start, stop=stop, rate=self._rate_hz)


def _order(result: _Result) -> tuple[int, int, int]:
    """Sort by `stop`; then heads in their order and frames, the voice, and the periodic values, which quote them."""
    match result:
        case _LevelResult() | _ScoresDue():
            return result.stop, 2, 0
        case VoiceResult():
            return result.stop, 1, 0
        case _:
            return result.stop, 0, result.rank
