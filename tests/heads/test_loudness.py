"""Test how loud the last second was, and that nothing is decided below the floor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.config_sections import PublishConfig
from streamer.dsp.ragged import ONE_ROW, joined, of_equal_length
from streamer.errors import ConfigError
from streamer.events.kinds import Decision, Event, Scores
from streamer.events.serialization import encode
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.heads.loudness import KEPT_PIECES, Loudness, LoudnessState
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from streamer.sources.source import Block
from tests.toy_model import write_toy_model

RATE = 16_000


def noise(seconds: float, dbfs: float) -> Array:
    samples = np.random.default_rng(0).normal(0, 10 ** (dbfs / 20), round(seconds * RATE))
    return samples.astype(np.float32)


def heard(loudness: Loudness, x: Array, known_until: int, state: LoudnessState) -> None:
    loudness.step_rows(of_equal_length(x[None]), np.array([known_until]), state, ONE_ROW)


def power_at(loudness: Loudness, stop: int, state: LoudnessState) -> float:
    return float(loudness.power_at(state, 0)(np.array([stop]))[0])


def test_the_loudest_tenth_of_the_last_second_counts() -> None:
    x = np.concatenate([noise(1, -60), noise(0.1, -20), noise(2, -60)])
    loudness = Loudness(RATE)
    state = loudness.init()
    heard(loudness, x, 0, state)
    levels = [10 * np.log10(power_at(loudness, round(s * RATE), state)) for s in (0.9, 1.1, 1.99, 2.3)]
    assert np.allclose(levels, [-60, -20, -20, -60], atol=0.5)
    assert power_at(loudness, RATE // 100 - 1, state) == np.inf
    assert power_at(loudness, RATE // 100, state) < np.inf


def test_the_power_may_be_asked_for_some_pieces_before_what_is_known() -> None:
    loudness, piece = Loudness(RATE), RATE // 100
    state, known_until = loudness.init(), 100 * piece
    heard(loudness, noise(1.0, -20), 0, state)
    heard(loudness, noise(0.1, -20), known_until, state)
    oldest = known_until - KEPT_PIECES * piece
    assert power_at(loudness, oldest, state) < np.inf
    assert power_at(loudness, oldest - 1, state) == np.inf


def test_it_does_not_depend_on_how_the_sound_is_cut_or_on_other_rows() -> None:
    x = noise(3, -30) * np.linspace(0, 1, 3 * RATE, dtype=np.float32)
    loudness, whole = Loudness(RATE), Loudness(RATE).init()
    heard(loudness, x, 0, whole)
    state, first = loudness.init(3), 0
    rows, known = np.array([2, 0]), np.zeros(3, np.int64)
    for length in np.random.default_rng(1).integers(1, 4_000, 100):
        known[2] = first
        block = x[first : first + length]
        loudness.step_rows(joined([block, np.full(777, np.nan, np.float32)]), known, state, rows)
        first = min(len(x), first + int(length))
        stops = np.arange(known[2], first, 37)
        expected = loudness.power_at(whole, 0)(stops)
        assert np.array_equal(loudness.power_at(state, 2)(stops), expected)


def events_of(folder: Path, x: Array, cuts: list[int], **config: float) -> list[Event]:
    decisions = replace(DecisionConfig(min_on_ms=100, min_off_ms=100), **config)
    head = Head("gate", "gate", OnnxModel(folder), decisions)
    pipeline = Pipeline("s", Column(RATE, [head], PublishConfig()))
    events: list[Event] = []
    for a, b in zip([0, *cuts], [*cuts, len(x)], strict=True):
        events += pipeline.step(Block(a, x[a:b, None], None))
    return events + pipeline.finish()


def test_below_the_floor_nothing_begins_and_what_is_on_ends(tmp_path: Path) -> None:
    """The toy gate finds both parts loud; the second one lies below the floor."""
    folder = write_toy_model(tmp_path / "toy")
    x = np.concatenate([noise(2, -10), noise(3, -20)])
    told = {
        floor: [
            (event.state, round(event.start / RATE, 1), event.score)
            for event in events_of(folder, x, [], floor_dbfs=floor)
            if isinstance(event, Decision) and event.state != "update"
        ]
        for floor in (-120.0, -15.0, -5.0)
    }
    assert [state for state, _, _ in told[-120.0]] == ["on", "off"]
    assert told[-120.0][1][1] == 5.0  # where the sound ends
    (_, _, _), (state, at, score) = told[-15.0]
    assert (state, score) == ("off", 0.0)
    assert 3.0 <= at <= 3.2  # a second after the last loud tenth
    assert [state for state, _, _ in told[-5.0]] == ["off"]


def test_scores_stay_what_the_model_gave(tmp_path: Path) -> None:
    folder = write_toy_model(tmp_path / "toy")
    scores = [
        [
            event
            for event in events_of(folder, noise(2, -20), [], floor_dbfs=floor)
            if isinstance(event, Scores)
        ]
        for floor in (-120.0, -5.0)
    ]
    assert scores[0] == scores[1] != []


def test_the_floor_does_not_depend_on_how_the_sound_is_cut(tmp_path: Path) -> None:
    folder = write_toy_model(tmp_path / "toy")
    x = np.concatenate([noise(1.3, -10), noise(2, -30), noise(1, -10)])
    whole = [encode(event) for event in events_of(folder, x, [], floor_dbfs=-15.0)]
    for every in (37, 1_234, 16_000):
        cut = events_of(folder, x, list(range(every, len(x), every)), floor_dbfs=-15.0)
        assert [encode(event) for event in cut] == whole


@pytest.mark.parametrize("floor_dbfs", [-121.0, 1.0])
def test_a_floor_that_is_no_level_is_refused(floor_dbfs: float) -> None:
    with pytest.raises(ConfigError, match=rf"floor_dbfs = {floor_dbfs}; expected -120 to 0"):
        DecisionConfig(floor_dbfs=floor_dbfs)
