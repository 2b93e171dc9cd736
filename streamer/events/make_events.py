"""Make the events of a stream from its results: decisions, scores, levels, spectra and stems.

`streamer.engine.make_status` makes the event of the stream itself, its status.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, TypedDict

import numpy as np

from streamer.arrays import Array
from streamer.config_sections import STEMS
from streamer.dsp.level import dbfs
from streamer.events.demand import Demand
from streamer.events.kinds import Decision, Event, Level, Scores, Spectrum, Stem
from streamer.heads.head import DecidingModel, Head
from streamer.heads.hysteresis import Change
from streamer.heads.results import HeadResult, MelFrame, TreeResult
from streamer.separation.live import StemPiece, VoiceResult


class LevelResult(NamedTuple):
    """The level of an interval.

    Attributes
    ----------
    start, stop : int
        Samples since the epoch began.
    values : array, shape (2,)
        Mean square and peak magnitude; full scale is 1.
    """

    start: int
    stop: int
    values: Array


class ScoresDue(NamedTuple):
    """Interval, in samples since the epoch began, at whose end an event with the latest scores is due."""

    start: int
    stop: int


StreamResult: TypeAlias = TreeResult | VoiceResult | LevelResult | ScoresDue
"""A result that waits until everything before its `stop` is known."""


class _EventFields(TypedDict):
    """The fields that every event of a stream has."""

    stream: str
    epoch: int
    start: int
    stop: int
    rate: int


class EpochEvents:
    """Makes the events of one epoch of a stream from its results, in the order of the sound.

    Parameters
    ----------
    stream : str
        Name of the stream.
    rate_hz : int
        Sample rate of the captured sound.
    epoch, origin : int
        Number of the epoch, and the sample of the stream at which the epoch begins.
    heads : sequence of Head
        Heads whose scores are reported.
    top : int
        Number of labels per head in ``scores``.
    demand : Demand
        Says of which kinds no events are made, and counts these.

    Attributes
    ----------
    origin : int
        As the parameter; it may be changed before the first result.
    """

    def __init__(
        self,
        stream: str,
        rate_hz: int,
        epoch: int,
        origin: int,
        heads: Sequence[Head],
        top: int,
        demand: Demand,
    ) -> None:
        self._stream = stream
        self._rate_hz = rate_hz
        self._epoch = epoch
        self.origin = origin
        self._heads = heads
        self._top = top
        self._demand = demand
        self._frames: list[MelFrame] = []
        self._latest: dict[str, Array] = {}

    def of_result(self, result: TreeResult | LevelResult | ScoresDue) -> Sequence[Event]:
        """Return the events of a result. Those of frames and scores come later, when a level or scores are due."""
        match result:
            case MelFrame():
                self._frames.append(result)
                return []
            case HeadResult():
                if result.scores is None:
                    self._latest.pop(result.head.name, None)
                else:
                    self._latest[result.head.name] = result.scores
                return self.decisions(result.head, result.changes)
            case ScoresDue():
                return self._scores(result)
            case LevelResult():
                return self._level(result) + self.spectra()

    def decisions(self, deciding: DecidingModel, changes: Sequence[Change]) -> list[Event]:
        """Return a `Decision` for each change."""
        return [
            Decision(
                kind=deciding.kind_of(change.label),
                **self._fields(change.since, change.at),
                state=change.state,
                label=change.label,
                score=round(float(change.score), 6),
                model=deciding.manifest.name,
            )
            for change in changes
        ]

    def stems(self, piece: StemPiece) -> list[Event]:
        """Return a `Stem` for each of the two stems of a piece."""
        fields = self._fields(piece.start, piece.stop)
        return [
            Stem(kind="stem", label=label, samples=samples, **fields)
            for label, samples in zip(STEMS, (piece.voice, piece.music), strict=True)
        ]

    def spectra(self) -> list[Event]:
        """Return the frames that were kept, in a `Spectrum` for each front end."""
        events: list[Event] = []
        kept, self._frames = self._frames, []
        for config in dict.fromkeys(frame.config for frame in kept):
            if self._demand.leaves_out("spectrum"):
                continue
            frames = [frame for frame in kept if frame.config == config]
            events.append(
                Spectrum(
                    kind="spectrum",
                    front_end=config.fingerprint,
                    frames=np.stack([frame.values for frame in frames]),
                    **self._fields(frames[0].start, frames[-1].stop),
                )
            )
        return events

    def _scores(self, due: ScoresDue) -> list[Event]:
        if not self._latest or self._demand.leaves_out("scores"):
            return []
        heads = {}
        for head in self._heads:
            if head.name in self._latest:
                values = self._latest[head.name]
                best = (-values).argsort(kind="stable")[: self._top]
                labels = head.manifest.labels
                scores = zip(best.tolist(), values[best].tolist(), strict=True)
                heads[head.name] = {labels[n]: round(score, 6) for n, score in scores}
        return [Scores(kind="scores", heads=heads, **self._fields(due.start, due.stop))]

    def _level(self, level: LevelResult) -> list[Event]:
        if self._demand.leaves_out("level"):
            return []
        power, peak = level.values.tolist()
        rms_dbfs, peak_dbfs = dbfs(power), dbfs(peak * peak)
        fields = self._fields(level.start, level.stop)
        return [Level(kind="level", rms_dbfs=rms_dbfs, peak_dbfs=peak_dbfs, **fields)]

    def _fields(self, start: int, stop: int) -> _EventFields:
        """Return the common fields of an event about samples `start` to `stop` of the epoch."""
        return _EventFields(
            stream=self._stream,
            epoch=self._epoch,
            start=self.origin + start,
            stop=self.origin + stop,
            rate=self._rate_hz,
        )


def report_order(result: StreamResult) -> tuple[int, int, int]:
    """Return the sort key of a result: its `stop`; then heads in their order, frames, voice, and periodic values."""
    match result:
        case LevelResult() | ScoresDue():
            return result.stop, 2, 0
        case VoiceResult():
            return result.stop, 1, 0
        case _:
            return result.stop, 0, result.rank
