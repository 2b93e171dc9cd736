"""Where the streams of a tree of stages are on the sample clock: what is processed, what is known, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array
from streamer.dsp.resample import Resample
from streamer.dsp.timeline import Timeline
from streamer.kernels.kernel import helper, kernel

NEVER = 2**48
"""Sample that is never reached, after decades; times of resamplers can be computed from it without overflow."""


@dataclass
class ClockState:
    """State of a `TreeClock`, with a row for each stream.

    Attributes
    ----------
    given : int64 array, shape (streams, nodes)
        Number of items that each stage has given out.
    processed_samples : int64 array, shape (streams,)
        Number of captured samples that were processed.
    known_until : int64 array, shape (streams,)
        Sample of the epoch, at the captured rate, up to which all results have been computed: later results have a
        greater `stop`.
    """

    given: Array
    processed_samples: Array
    known_until: Array


class TreeClock:
    """Counts samples and items of streams, and says when the next result of each is due.

    Parameters
    ----------
    timelines : sequence of Timeline
        Positions of the items of each stage, which is called a node here.
    deciding : sequence of int
        Numbers of the nodes whose items are results.
    resampling : sequence of (int, Resample)
        Nodes that resample the captured sound, with their stages.
    """

    def __init__(
        self,
        timelines: Sequence[Timeline],
        deciding: Sequence[int],
        resampling: Sequence[tuple[int, Resample]],
    ) -> None:
        self._nodes = len(timelines)
        spans = [
            (node, each.hop, each.latency, each.scale) for node in deciding for each in [timelines[node]]
        ]
        self._spans = np.array(spans, np.int64).reshape(-1, 4)
        reached = [
            (node, each.hop, each.scale, *stage.ratio, stage.ahead)
            for node, stage in resampling
            for each in [timelines[node]]
        ]
        self._reached = np.array(reached, np.int64).reshape(-1, 6)

    def init(self, streams: int) -> ClockState:
        """Return the state of streams at the start of an epoch."""
        counts = np.zeros(streams, np.int64)
        return ClockState(np.zeros((streams, self._nodes), np.int64), counts, counts.copy())

    def advance(self, samples: Array, state: ClockState, rows: Array) -> None:
        """Count the samples that some streams processed, shape (streams,), and find what of each is known."""
        _advance(samples, rows, state.given, state.processed_samples, state.known_until, self._reached)

    def passed(self, intervals: Array, samples: Array, state: ClockState, rows: Array) -> Array:
        """Return which intervals some streams complete by their next samples.

        Parameters
        ----------
        intervals : int64 array, shape (kinds, 3)
            Hop, latency and scale of the `Timeline` of each kind of intervals.
        samples : int64 array, shape (streams,)
            Number of the next samples, which are not processed yet.
        state : ClockState
        rows : int64 array, shape (streams,)

        Returns
        -------
        int64 array, shape (streams, kinds, 2)
            Number of the first interval, and one past the last.
        """
        found = np.empty((len(rows), len(intervals), 2), np.int64)
        _find_passed(intervals, samples, rows, state.processed_samples, found)
        return found

    def wanted_samples(self, stops: Array, intervals: Array, state: ClockState, rows: Array) -> Array:
        """Return how many more samples complete the next result of some streams, at least 1.

        Parameters
        ----------
        stops : int64 array, shape (streams,)
            Earliest `stop` of what is due besides the results of nodes; `NEVER` if there is nothing.
        intervals : int64 array, shape (kinds, 3)
            Hop, latency and scale of the `Timeline` of intervals at whose ends something is due, too.
        state : ClockState
        rows : int64 array, shape (streams,)

        Returns
        -------
        int64 array, shape (streams,)
        """
        wanted = np.empty(len(rows), np.int64)
        _find_wanted(
            stops, intervals, rows, state.given, state.processed_samples, self._spans, self._reached, wanted
        )
        return wanted


@kernel("const int64[:], const int64[:], const int64[:,:], int64[:], int64[:], const int64[:,:]")
def _advance(
    samples: Array, rows: Array, given: Array, processed: Array, known: Array, reached: Array
) -> None:
    for n in range(len(rows)):
        row = rows[n]
        processed[row] += samples[n]
        until = processed[row]
        for k in range(len(reached)):
            until = min(until, given[row, reached[k, 0]] * reached[k, 1] // reached[k, 2])
        known[row] = until


@kernel("const int64[:,:], const int64[:], const int64[:], const int64[:], int64[:,:,:]")
def _find_passed(intervals: Array, samples: Array, rows: Array, processed: Array, found: Array) -> None:
    for n in range(len(rows)):
        done = processed[rows[n]]
        for k in range(len(intervals)):
            found[n, k, 0] = _items_by(done, intervals[k])
            found[n, k, 1] = _items_by(done + samples[n], intervals[k])


@kernel(
    "const int64[:], const int64[:,:], const int64[:], const int64[:,:], const int64[:], const int64[:,:], "
    "const int64[:,:], int64[:]"
)
def _find_wanted(
    stops: Array,
    intervals: Array,
    rows: Array,
    given: Array,
    processed: Array,
    spans: Array,
    reached: Array,
    wanted: Array,
) -> None:
    for n in range(len(rows)):
        row, stop = rows[n], stops[n]
        for k in range(len(intervals)):
            items = _items_by(processed[row], intervals[k])
            stop = min(stop, -(-(items * intervals[k, 0] + intervals[k, 1]) // intervals[k, 2]))
        for k in range(len(spans)):
            items = given[row, spans[k, 0]]
            stop = min(stop, -(-(items * spans[k, 1] + spans[k, 2]) // spans[k, 3]))
        taken = stop
        for k in range(len(reached)):
            # The last output that lies before `stop`, and the last input that it needs.
            hop, per_hop, ahead = reached[k, 3], reached[k, 4], reached[k, 5]
            last = (stop * per_hop - 1) // hop
            taken = max(taken, last * hop // per_hop + ahead)
        wanted[n] = max(1, taken - processed[row])


@helper
def _items_by(samples: int, interval: Array) -> int:
    """Return the number of items of a timeline (hop, latency, scale) that so many samples complete."""
    items: int = max(0, (samples * interval[2] - interval[1]) // interval[0] + 1)
    return items
