"""Turn scores into decisions: thresholds with hysteresis, and hold times, for all labels of many streams at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array
from streamer.events.kinds import DecisionState
from streamer.kernels.kernel import helper, kernel

STATES: tuple[DecisionState, ...] = ("off", "on", "update")
"""States of a label in a change, by the number that stands for them in `decide`."""
OFF, ON, UPDATE = range(3)

UNKNOWN = -1
"""In place of `OFF` and `ON`, while the state of a label was never reported."""
NONE = -1
"""In place of a sample, where no change is pending."""

# Columns of the marks of a label: its state (`OFF`, `ON` or `UNKNOWN`), the sample at which it began, the sample at
# which a change began that has not lasted long enough yet, and the sample of the last report.
STATE, SINCE, PENDING, REPORTED = range(4)


@dataclass(frozen=True)
class Change:
    """A decision to be reported: the state that `label` has had since sample `since`, as decided at sample `at`."""

    label: str
    state: DecisionState
    since: int
    at: int
    score: float


@dataclass(frozen=True)
class Hysteresis:
    """Hysteresis over the scores of one label.

    While the label is off, a score of `on` or more begins a pending change; while it is on, a score below `off` does.
    The change is reported once it has lasted for the hold time. It is given up if a score passes the other threshold
    before. Times are in samples of the stream.

    Parameters
    ----------
    label : str
        Label that the scores belong to, as in the changes.
    on, off : float
        Upper and lower threshold, 0 <= off <= on <= 1.
    min_on_samples, min_off_samples : int
        Hold times: samples that a change to on, or to off, must last.
    update_samples : int
        Number of samples between two ``update`` reports.
    """

    label: str
    on: float
    off: float
    min_on_samples: int
    min_off_samples: int
    update_samples: int


@kernel(
    "const float32[:,:,:], const int64[:], const int64[:,:,:], const float64[:,:], const int64[:], const int64[:], "
    "int64[:,:,:], float64[:,:], const float64[:,:], const int64[:,:], int, float, int, int64[:,:], int64[:,:], "
    "float64[:], int64[:]"
)
def decide(
    scores: Array,
    counts: Array,
    spans: Array,
    powers: Array,
    rows: Array,
    origins: Array,
    marks: Array,
    latest: Array,
    thresholds: Array,
    holds: Array,
    warm_up: int,
    floor_power: float,
    exclusive: int,
    live: Array,
    found: Array,
    found_scores: Array,
    count: Array,
) -> None:
    """Take the scores of some streams, update the marks of their labels, and note the changes.

    Parameters
    ----------
    scores : float32 array, shape (len(rows), steps, labels)
    counts : int64 array, shape (len(rows),)
        Number of steps of each stream.
    spans : int64 array, shape (2, len(rows), steps)
        First sample that is new in the scores of a step, and one past the last.
    powers : float64 array, shape (len(rows), steps)
        Power of the sound at each step; below `floor_power` all scores count as 0.
    rows : int64 array
        Rows of the state: of `origins`, `marks` and `latest`.
    origins : int64 array, shape (streams,)
        Sample from which the warm-up counts.
    marks : int64 array, shape (streams, labels, 4)
        Marks of the labels. Updated.
    latest : float64 array, shape (streams, labels)
        Scores of the last step. Updated.
    thresholds : float64 array, shape (labels, 2)
        Upper and lower threshold of each label.
    holds : int64 array, shape (labels, 3)
        Samples that a change to on, and one to off, must last; and samples between two updates.
    warm_up : int
        Number of samples before the first decision.
    floor_power : float
    exclusive : int
        1 if at most one label can be on, else 0.
    live : int64 array, shape (len(rows), steps)
        Filled with 1 where a step comes after the warm-up, 0 elsewhere; what lies behind the steps of a stream stays.
    found : int64 array, shape (changes, 6)
        Filled with the number of the row, the step, the label, the new state, since when, and when it was decided.
    found_scores : float64 array, shape (changes,)
        Filled with the score of each change.
    count : int64 array, shape (1,)
        Filled with the number of changes.
    """
    labels, made = marks.shape[1], 0
    for n in range(len(rows)):
        row = rows[n]
        for s in range(counts[n]):
            start, stop = spans[0, n, s], spans[1, n, s]
            live[n, s] = 1 if stop - origins[row] > warm_up else 0
            if live[n, s] == 0:
                continue
            likeliest = _keep(scores[n, s], powers[n, s] < floor_power, latest[row])
            first = likeliest if exclusive == 1 else 0
            for k in range(labels):
                # The likeliest comes first: of exclusive labels it may end another one.
                label = first if k == 0 else (k - 1 if k <= first else k)
                own = marks[row, label]
                counted = exclusive == 0 or label == likeliest or own[STATE] == ON
                # Below every threshold, an `off` of 0 too: of exclusive labels only the likeliest can begin.
                score = latest[row, label] if counted else -1.0
                state = _step(score, start, stop, own, thresholds[label], holds[label])
                if state < 0:
                    continue
                since = own[PENDING] if own[PENDING] >= 0 and state != UPDATE else own[SINCE]
                if state == ON and exclusive == 1:
                    for other in range(labels):
                        if marks[row, other, STATE] == ON:
                            _report(OFF, since, stop, marks[row, other])
                            change = n, s, other, OFF, since, stop
                            made = _note(found, found_scores, made, change, latest[row, other])
                if state == UPDATE:
                    own[REPORTED] = stop
                else:
                    _report(state, since, stop, own)
                made = _note(found, found_scores, made, (n, s, label, state, since, stop), score)
    count[0] = made


@helper
def _keep(scores: Array, is_quiet: bool, latest: Array) -> int:
    """Keep the scores of a step as the latest, as 0 if it is too quiet; return the number of the likeliest label."""
    likeliest = 0
    for label in range(latest.shape[0]):
        latest[label] = 0.0 if is_quiet else scores[label]
        if latest[label] > latest[likeliest]:
            likeliest = label
    return likeliest


@helper
def _step(score: float, start: int, stop: int, own: Array, thresholds: Array, holds: Array) -> int:
    """Note whether a change is pending; return the state that is to be reported now, -1 if none is."""
    is_on = own[STATE] == ON
    above, below = score >= thresholds[0], score < thresholds[1]
    away, back = (below, above) if is_on else (above, below)
    if own[PENDING] < 0 and away:
        own[PENDING] = start
    elif own[PENDING] >= 0 and back:
        own[PENDING] = NONE
    if own[PENDING] >= 0:
        if stop - own[PENDING] >= (holds[1] if is_on else holds[0]):
            return OFF if is_on else ON
    elif own[STATE] == UNKNOWN:
        return OFF
    if is_on and stop - own[REPORTED] >= holds[2]:
        return UPDATE
    return -1


@helper
def _report(state: int, since: int, at: int, own: Array) -> None:
    own[STATE], own[SINCE], own[PENDING], own[REPORTED] = state, since, NONE, at


@helper
def _note(
    found: Array, found_scores: Array, n: int, values: tuple[int, int, int, int, int, int], score: float
) -> int:
    """Note change number `n`, and return how many there are now."""
    for k in range(6):
        found[n, k] = values[k]
    found_scores[n] = score
    return n + 1


def new_marks(streams: int, labels: int) -> Array:
    """Return the marks of labels that are off since sample 0, shape (streams, labels, 4)."""
    marks = np.zeros((streams, labels, 4), np.int64)
    marks[:, :, PENDING] = NONE
    return marks
