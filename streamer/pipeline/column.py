"""A column of streams: the numbers of all streams with the same models and sample rate, a row for each.

What has to be done for every sample, frame and score is done for all rows of a column at once. What has to be said is
made by the `Pipeline` of each stream, which owns a row.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streamer.arrays import Array, State
from streamer.config_sections import PublishConfig
from streamer.dsp.downmix import MEAN, Downmix, chosen_channels, muted_samples
from streamer.dsp.level import LevelMeter
from streamer.dsp.model_calls import Calls
from streamer.dsp.ragged import Ragged, joined
from streamer.dsp.timeline import Timeline
from streamer.events.make_events import LevelResult, ScoresDue, StreamResult
from streamer.heads.head import Head
from streamer.heads.loudness import PowerAt
from streamer.heads.stage_tree import StageTree
from streamer.heads.tree_clock import NEVER

USUAL_HZ = 10
"""Running values a second, about, where the configuration says nothing."""


class RowStep(NamedTuple):
    """The results of a step of a column for one stream.

    Attributes
    ----------
    results : list of StreamResult
        Results of heads, frames, levels and times at which scores are due, in no particular order.
    muted_samples : int
        Number of samples since the start of the epoch that were no valid sound.
    chosen : int
        Index of the channel that stands for all, or `MEAN`.
    fault : Exception or None
        Error of a model, after which the row has no meaning any more.
    """

    results: list[StreamResult]
    muted_samples: int
    chosen: int
    fault: Exception | None


class Column:
    """Processes the sound of several streams up to their results.

    Parameters
    ----------
    rate_hz : int
        Sample rate of the streams' blocks.
    heads : sequence of Head
        Heads to run, those that run always and gated ones.
    publish : PublishConfig
        Settings which say what periodic events there are (scores, levels, spectra), and how often.
    """

    def __init__(self, rate_hz: int, heads: Sequence[Head], publish: PublishConfig) -> None:
        self.rate_hz, self.heads, self.publish = rate_hz, heads, publish
        self.tree = StageTree(heads, rate_hz, publish.spectrum)
        self.state = self.tree.init()
        self._meter = LevelMeter(self._intervals(publish.level_hz))
        self._meter_state = self._meter.init()
        self._scores = self._intervals(publish.scores_hz)
        self._due = np.array(
            [(own.hop, own.latency, own.scale) for own in (self._meter.timeline, self._scores)]
        )
        self._mixes: dict[int, tuple[Downmix, State]] = {}
        self._free = [0]

    def join(self) -> int:
        """Return the number of a row for a stream at the start of an epoch; it belongs to the stream until `leave`."""
        if not self._free:
            self._grow(2 * self.state.streams)
        row = heapq.heappop(self._free)  # the lowest: rows that lie close together step without being copied
        self.begin(row)
        return row

    def leave(self, row: int) -> None:
        """Free a row."""
        heapq.heappush(self._free, row)

    def begin(self, row: int) -> None:
        """Bring a row to the start of an epoch."""
        self.tree.begin(row, self.state)
        for stage, state in [(self._meter, self._meter_state), *self._mixes.values()]:
            for array, value in zip(state, stage.init(), strict=True):
                array[row] = value[0]

    def power_at(self, row: int) -> PowerAt:
        """Return the function that tells the power of a stream's sound before a sample of the epoch."""
        return self.tree.power_at(row, self.state)

    def step(self, rows: Array, blocks: Sequence[Array]) -> Calls[list[RowStep]]:
        """Process the next sound of some streams.

        Parameters
        ----------
        rows : int64 array, shape (streams,)
            Rows of the streams, in increasing order.
        blocks : sequence of float32 array, shape (samples, channels)
            Next samples of each stream at the captured rate; full scale is -1 to 1.

        Returns
        -------
        generator
            Generator that yields model calls and returns a list with a `RowStep` for each stream.
        """
        mono, muted, chosen = self._mixed(rows, blocks)
        periodic = self._periodic(mono, rows)
        found = yield from self.tree.step(mono, self.state, rows)
        return [
            RowStep([*due, *results], *of_channels, found.faults.get(n))
            for n, (due, results, of_channels) in enumerate(
                zip(periodic, found.results, zip(muted, chosen, strict=True), strict=True)
            )
        ]

    def wanted_samples(self, rows: Array, waiting: Sequence[int]) -> list[int]:
        """Return for some streams how many more samples complete the next message at the earliest.

        Parameters
        ----------
        rows : int64 array, shape (streams,)
        waiting : sequence of int
            Earliest `stop` of the results that each stream has and has not reported, `NEVER` if there are none.
        """
        stops = np.array(waiting)
        wanted: list[int] = self.tree.wanted_samples(stops, self._due, self.state, rows).tolist()
        return wanted

    def _grow(self, streams: int) -> None:
        before = self.state.streams
        self.tree.grow(streams, self.state)
        self._meter_state = _with_rows(self._meter_state, self._meter.init(streams - before))
        self._mixes = {
            channels: (stage, _with_rows(state, stage.init(streams - before)))
            for channels, (stage, state) in self._mixes.items()
        }
        self._free = list(range(before, streams))

    def _mixed(self, rows: Array, blocks: Sequence[Array]) -> tuple[Ragged, list[int], list[int]]:
        """Return samples mixed into one channel, how many of each stream were muted, and the channels chosen."""
        channels = [block.shape[1] for block in blocks]
        if len(set(channels)) == 1:
            return self._mix(channels[0], rows, blocks)
        mono: list[Array] = [np.zeros(0, np.float32)] * len(blocks)
        muted, chosen = [0] * len(blocks), [MEAN] * len(blocks)
        for count in sorted(set(channels)):
            places = [n for n, own in enumerate(channels) if own == count]
            mixed, bad, single = self._mix(count, rows[places], [blocks[n] for n in places])
            for k, n in enumerate(places):
                mono[n], muted[n], chosen[n] = mixed.of(k)[0], bad[k], single[k]
        return joined(mono), muted, chosen

    def _mix(
        self, channels: int, rows: Array, blocks: Sequence[Array]
    ) -> tuple[Ragged, list[int], list[int]]:
        """Do `_mixed` for streams that all have the same number of channels."""
        if channels not in self._mixes:
            stage = Downmix(self.rate_hz, channels)
            self._mixes[channels] = stage, stage.init(self.state.streams)
        stage, state = self._mixes[channels]
        mono = stage.step_rows(joined(blocks), state, rows)
        return mono, muted_samples(state)[rows].tolist(), chosen_channels(state)[rows].tolist()

    def _periodic(self, mono: Ragged, rows: Array) -> list[list[StreamResult]]:
        """Return the levels that samples complete, and the scores that are due at their ends of intervals."""
        levels = self._meter.step_rows(mono, self._meter_state, rows)
        level, scores = self._meter.timeline, self._scores
        results: list[list[StreamResult]] = []
        for n, (of_level, of_scores) in enumerate(
            self.tree.passed(self._due, mono.counts, self.state, rows).tolist()
        ):
            own: list[StreamResult] = [
                LevelResult(level.stop(k - 1), level.stop(k), levels.values[n, place])
                for place, k in enumerate(range(*of_level))
            ]
            own += [ScoresDue(scores.stop(k - 1), scores.stop(k)) for k in range(*of_scores)]
            results.append(own)
        return results

    def _intervals(self, wanted_hz: float | None) -> Timeline:
        """Return the timeline of running values of which so many a second are wanted; None leaves it to the models."""
        if wanted_hz is not None:
            return Timeline.every(round(self.rate_hz / wanted_hz))
        usual = Timeline.every(round(self.rate_hz / USUAL_HZ))
        # Every second or third step, say, of a model whose steps are short.
        steps = [
            own.thinned(max(1, round(usual.hop / own.hop_samples))) for own in self.tree.deciding_timelines
        ]
        near = [own for own in steps if own.hop_samples < 1.5 * usual.hop]
        return min(near, key=lambda own: abs(own.hop_samples - usual.hop), default=usual)


def earliest_stop(results: Sequence[StreamResult]) -> int:
    """Return the earliest `stop` of some results, `NEVER` if there are none."""
    return min((result.stop for result in results), default=NEVER)


def _with_rows(state: State, more: State) -> State:
    return tuple(np.concatenate([array, other]) for array, other in zip(state, more, strict=True))
