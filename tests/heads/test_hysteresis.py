"""Hysteresis, hold times and warm-up, on score sequences written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.dsp.ragged import ONE_ROW, of_equal_length
from streamer.errors import ConfigError
from streamer.head_slots import DecisionConfig
from streamer.heads.head_decisions import HeadDecisions
from streamer.heads.hysteresis import Change, Hysteresis

HOP = 10
PLAIN = Hysteresis("x", 0.6, 0.4, min_on_samples=20, min_off_samples=30, update_samples=1_000)


def run(decider: Hysteresis, scores: list[float], origin: int = 0) -> list[Change]:
    head = HeadDecisions((decider,), False, 0, 0.0, (True,))
    starts = origin + HOP * np.arange(len(scores))[None]
    items = of_equal_length(np.array(scores, np.float32)[None, :, None])
    powers = np.full(starts.shape, np.inf)
    decided = head.step_rows(items, np.stack([starts, starts + HOP]), powers, head.init(origin), ONE_ROW)
    return [change for _, _, change in decided.changes]


def states(changes: list[Change]) -> list[tuple[str, int, int]]:
    return [(c.state, c.since, c.at) for c in changes]


def test_first_score_tells_how_things_stand() -> None:
    assert states(run(PLAIN, [0.1, 0.1, 0.1])) == [("off", 0, 10)]


def test_on_after_it_lasted_and_since_its_onset() -> None:
    assert states(run(PLAIN, [0.1, 0.7, 0.7])) == [("off", 0, 10), ("on", 10, 30)]


def test_music_from_the_start_is_on_without_an_off_before() -> None:
    assert states(run(PLAIN, [0.9, 0.9, 0.9])) == [("on", 0, 20)]


def test_a_score_between_the_thresholds_changes_nothing() -> None:
    between = [0.5] * 20
    assert states(run(PLAIN, [0.1, *between])) == [("off", 0, 10)]
    assert states(run(PLAIN, [0.9, 0.9, *between])) == [("on", 0, 20)]


def test_a_score_at_a_threshold_counts_as_one_above_it() -> None:
    at_off = [0.4] * 5
    assert states(run(PLAIN, [0.1, 0.6, *at_off])) == [("off", 0, 10), ("on", 10, 30)]
    assert states(run(PLAIN, [0.9, 0.9, 0.3, 0.3, 0.6, 0.3, 0.3, 0.6])) == [("on", 0, 20)]


def test_a_short_burst_is_not_believed() -> None:
    assert states(run(PLAIN, [0.1, 0.9, 0.1, 0.9, 0.1])) == [("off", 0, 10)]


def test_a_dip_between_the_thresholds_does_not_end_a_pending_change() -> None:
    assert states(run(PLAIN, [0.1, 0.9, 0.5])) == [("off", 0, 10), ("on", 10, 30)]


def test_off_after_it_lasted_and_since_its_end() -> None:
    changes = run(PLAIN, [0.9, 0.9, 0.1, 0.1, 0.1])
    assert states(changes) == [("on", 0, 20), ("off", 20, 50)]


def test_a_pause_is_bridged() -> None:
    assert states(run(PLAIN, [0.9, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1])) == [("on", 0, 20)]


def test_updates_come_at_their_interval_and_only_while_on() -> None:
    decider = Hysteresis("x", 0.6, 0.4, 10, 10, update_samples=30)
    changes = run(decider, [0.9] * 8 + [0.1] * 8)
    assert states(changes) == [("on", 0, 10), ("update", 0, 40), ("update", 0, 70), ("off", 80, 90)]


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({"on": 0.3, "off": 0.5}, r"thresholds are on = 0.3, off = 0.5; expected 0 <= off <= on <= 1"),
        ({"on": 1.5}, r"thresholds are on = 1.5, off not set; expected"),
        ({"min_on_ms": -1.0}, r"min_on_ms = -1.0; expected 0 or more"),
    ],
)
def test_refuses_what_cannot_be(kwargs: dict[str, float], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        DecisionConfig(**kwargs)
