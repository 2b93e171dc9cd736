"""Decisions on several labels: warm-up, first reports, and exclusive labels."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.dsp.ragged import ONE_ROW, joined, of_equal_length
from streamer.heads.head_decisions import HeadDecisions, HeadState
from streamer.heads.hysteresis import SINCE, Change, Hysteresis

HOP = 10


def decisions(
    *labels: str, exclusive: bool = False, warm_up_samples: int = 0, tells_state: bool = False
) -> HeadDecisions:
    deciders = tuple(Hysteresis(label, 0.6, 0.3, 20, 20, update_samples=1_000) for label in labels)
    return HeadDecisions(deciders, exclusive, warm_up_samples, 0.0, (tells_state,) * len(labels))


def step(
    head: HeadDecisions, scores: tuple[float, ...], start: int, state: HeadState, power: float = np.inf
) -> list[Change] | None:
    """Return the changes that the scores of one hop lead to; None during the warm-up."""
    items = of_equal_length(np.array([[scores]], np.float32))
    spans = np.array([[[start]], [[start + HOP]]])
    live, changes = head.step_rows(items, spans, np.array([[power]]), state, ONE_ROW)
    return [change for _, _, change in changes] if live[0, 0] else None


def run(head: HeadDecisions, *scores: tuple[float, ...], origin: int = 0) -> list[tuple[str, str, int, int]]:
    """Return label, state, since and at of each change."""
    state, changes = head.init(origin), []
    for k, row in enumerate(scores):
        changes += step(head, row, origin + k * HOP, state) or []
    changes += head.end(origin + len(scores) * HOP, state)
    return [(c.label, c.state, c.since, c.at) for c in changes]


def test_nothing_is_decided_during_the_warm_up() -> None:
    head = decisions("music", warm_up_samples=30, tells_state=True)
    state = head.init(700)
    changes = [step(head, (0.9,), s, state) for s in range(700, 750, HOP)]
    assert changes[:3] == [None, None, None]
    assert changes[3] == []
    assert [(c.state, c.since, c.at) for c in changes[4] or []] == [("on", 730, 750)]


def test_labels_that_tell_their_state_are_reported_at_the_start_and_others_only_when_they_begin() -> None:
    quiet, speech = (0.1, 0.1), (0.1, 0.9)
    told = decisions("music", "speech", tells_state=True)
    assert run(told, quiet, quiet) == [("music", "off", 0, 10), ("speech", "off", 0, 10)]
    assert run(told, speech, speech) == [
        ("music", "off", 0, 10),
        ("speech", "on", 0, 20),
        ("speech", "off", 20, 20),
    ]
    assert run(decisions("dog", "cat"), quiet, quiet) == []


def test_a_score_at_the_threshold_begins_a_label() -> None:
    deciders = (Hysteresis("dog", 0.5, 0.25, 20, 20, update_samples=1_000),)
    head = HeadDecisions(deciders, False, 0, 0.0, (False,))
    assert run(head, (0.0,), (0.5,), (0.5,)) == [("dog", "on", 10, 30), ("dog", "off", 30, 30)]


@pytest.mark.parametrize(
    ("floor_power", "power", "counts"), [(0.25, 0.25, True), (0.25, 0.2, False), (0.0, 0.0, True)]
)
def test_a_power_at_the_floor_counts(floor_power: float, power: float, counts: bool) -> None:
    head = HeadDecisions(decisions("dog").deciders, False, 0, floor_power, (False,))
    state = head.init(0)
    changes = [step(head, (0.9,), start, state, power) for start in (0, 10)]
    assert [bool(change) for change in changes] == [False, counts]


def test_an_exclusive_label_that_another_ends_is_not_reported_as_going_on() -> None:
    deciders = tuple(Hysteresis(label, 0.6, 0.3, 20, 20, update_samples=30) for label in ("rock", "jazz"))
    head = HeadDecisions(deciders, True, 0, 0.0, (False, False))
    rock, jazz = (0.9, 0.1), (0.4, 0.7)
    assert run(head, rock, rock, rock, jazz, jazz) == [
        ("rock", "on", 0, 20),
        ("rock", "off", 30, 50),
        ("jazz", "on", 30, 50),
        ("jazz", "off", 50, 50),
    ]


def test_labels_go_on_side_by_side() -> None:
    loud, soft = (0.9, 0.1), (0.1, 0.1)
    changes = run(decisions("dog", "rain"), (0.1, 0.9), (0.1, 0.9), loud, loud, soft, soft)
    assert changes == [
        ("rain", "on", 0, 20),
        ("dog", "on", 20, 40),
        ("rain", "off", 20, 40),
        ("dog", "off", 40, 60),
    ]


def test_the_end_closes_all_that_goes_on_with_their_last_scores() -> None:
    head = decisions("dog", "rain", "wind")
    state = head.init(0)
    for start in (0, 10):
        step(head, (0.9, 0.7, 0.1), start, state)
    changes = head.end(20, state)
    assert [(c.label, c.state, c.since, c.at) for c in changes] == [
        ("dog", "off", 20, 20),
        ("rain", "off", 20, 20),
    ]
    np.testing.assert_allclose([c.score for c in changes], [0.9, 0.7], rtol=1e-6)
    assert head.end(30, state) == []


ROCK, JAZZ, BOTH = (0.7, 0.2), (0.2, 0.7), (0.65, 0.7)


def test_a_label_that_excludes_another_takes_its_place_at_once() -> None:
    head = decisions("rock", "jazz", exclusive=True)
    assert run(head, ROCK, ROCK, BOTH, BOTH, BOTH) == [
        ("rock", "on", 0, 20),
        ("rock", "off", 20, 40),
        ("jazz", "on", 20, 40),
        ("jazz", "off", 50, 50),
    ]


def test_at_most_one_of_labels_that_exclude_each_other_goes_on() -> None:
    head = decisions("a", "b", "c", exclusive=True)
    rng = np.random.default_rng(0)
    rows = rng.dirichlet((0.3, 0.3, 0.3), 60).repeat(4, axis=0)
    going_on: set[str] = set()
    changes = 0
    for label, state, _, _ in run(head, *map(tuple, rows)):
        if state == "off":
            going_on.remove(label)
        elif state == "on":
            going_on.add(label)
            changes += 1
        assert len(going_on) <= 1
    assert changes > 10


def test_a_label_stays_while_no_other_lasts() -> None:
    head = decisions("rock", "jazz", exclusive=True)
    changes = run(head, ROCK, ROCK, BOTH, ROCK, BOTH, ROCK, (0.4, 0.5), (0.4, 0.5), (0.4, 0.5))
    assert changes == [("rock", "on", 0, 20), ("rock", "off", 90, 90)]


def test_a_label_goes_off_by_itself_when_nothing_takes_its_place() -> None:
    head = decisions("rock", "jazz", exclusive=True)
    assert run(head, ROCK, ROCK, (0.2, 0.4), (0.2, 0.4)) == [("rock", "on", 0, 20), ("rock", "off", 20, 40)]


def test_what_is_not_the_likeliest_does_not_set_in_even_where_nothing_is_below_off() -> None:
    deciders = tuple(Hysteresis(label, 0.6, 0.0, 20, 20, update_samples=1_000) for label in ("rock", "jazz"))
    head = HeadDecisions(deciders, True, 0, 0.0, (False, False))
    assert run(head, ROCK, JAZZ, ROCK, JAZZ) == []


def test_streams_in_rows_are_decided_as_alone() -> None:
    head = decisions("a", "b", "c", exclusive=True, warm_up_samples=25, tells_state=True)
    rng = np.random.default_rng(1)
    alone = [rng.dirichlet((0.3, 0.3, 0.3), 40).repeat(3, axis=0).astype(np.float32) for _ in range(4)]
    wanted = [run(head, *map(tuple, scores), origin=100 * n) for n, scores in enumerate(alone)]
    state = head.init(0, streams=6)
    rows = np.array([5, 0, 3, 2])
    state.origins[rows] = state.marks[rows, :, SINCE] = 0
    for n, row in enumerate(rows):
        state.origins[row] = state.marks[row, :, SINCE] = 100 * n
    before, found, at = state.marks[[1, 4]].copy(), [[] for _ in alone], [0] * 4
    while any(len(scores) > k for scores, k in zip(alone, at, strict=True)):
        sizes = rng.integers(0, 4, 4).tolist()
        blocks = joined([alone[n][at[n] : at[n] + size] for n, size in enumerate(sizes)])
        starts = (100 * np.arange(4) + np.array(at) * HOP)[:, None] + HOP * np.arange(blocks.most)
        decided = head.step_rows(
            blocks, np.stack([starts, starts + HOP]), np.full(starts.shape, np.inf), state, rows
        )
        for n, _, change in decided.changes:
            found[n].append((change.label, change.state, change.since, change.at))
        at = [min(len(scores), k + size) for scores, k, size in zip(alone, at, sizes, strict=True)]
    for n, row in enumerate(rows):
        ends = head.end(100 * n + 120 * HOP, state, int(row))
        found[n] += [(change.label, change.state, change.since, change.at) for change in ends]
    assert found == wanted
    assert sum(map(len, found)) > 40
    np.testing.assert_array_equal(state.marks[[1, 4]], before)
