"""Gated heads: when they step, and that blocks of any lengths give the same messages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamer.config_sections import PublishConfig
from streamer.dsp.log_mel import LogMelConfig
from streamer.engine.stream import Stream
from streamer.engine.warm_up import warm_up
from streamer.events.serialization import encode
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.heads.results import HeadResult
from streamer.heads.stage_tree import StageTree
from streamer.heads.tree_clock import NEVER
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.stream_models import StreamModels
from streamer.sources.file import FileSource
from tests.heads.gated_heads import (
    LOUD_S,
    OTHER,
    PRE_ROLL_S,
    RATE,
    make_heads,
    of,
    process,
    sound,
)
from tests.heads.one_stream import known_until, next_known, processed, step
from tests.toy_model import write_toy_model


@pytest.fixture
def heads(tmp_path: Path) -> list[Head]:
    return make_heads(tmp_path)


@pytest.mark.parametrize("gate_front_end", [LogMelConfig(), OTHER], ids=["same path", "path of its own"])
@pytest.mark.parametrize("with_sounds", [True, False], ids=["shared ear", "gated ear"])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_any_cutting_gives_the_same_bytes(
    tmp_path: Path, rate_hz: int, with_sounds: bool, gate_front_end: LogMelConfig
) -> None:
    heads = make_heads(tmp_path, gate_front_end, with_sounds)
    x = sound(rate_hz, LOUD_S, 7.3)
    rng = np.random.default_rng(7)
    cuttings = [
        [],
        list(range(rate_hz // 100, len(x), rate_hz // 100)),
        sorted(rng.integers(0, len(x), 300).tolist()),
        [5, 5, 5, 6, 13, rate_hz],
    ]
    encoded = []
    for cuts in cuttings:
        pipeline = Pipeline("s", Column(rate_hz, heads, PublishConfig(spectrum=True)))
        events = [*process(pipeline, x, cuts), *pipeline.finish()]
        encoded.append([encode(event) for event in events])
    assert all(other == encoded[0] for other in encoded[1:])
    assert len(of(events, "genre", "listening")) == len(of(events, "gate", "on")) >= 3
    assert of(events, "genre", "on")


@pytest.mark.parametrize("gate_front_end", [LogMelConfig(), OTHER], ids=["same path", "path of its own"])
@pytest.mark.parametrize("with_sounds", [True, False], ids=["shared ear", "gated ear"])
def test_every_result_is_predicted(tmp_path: Path, with_sounds: bool, gate_front_end: LogMelConfig) -> None:
    tree = StageTree(make_heads(tmp_path, gate_front_end, with_sounds), RATE, with_frames=False)
    state, x = tree.init(), sound(RATE, LOUD_S, 4.5)
    given: list[HeadResult] = []

    def newly_known(stop: int) -> list[HeadResult]:
        before = known_until(state)
        results = step(tree, x[processed(state) : stop], state)
        given.extend(one for one in results if isinstance(one, HeadResult))
        return [one for one in given if before < one.stop <= known_until(state)]

    def known_next() -> int:
        # Given out, but not all before it is known.
        stops = [one.stop for one in given if one.stop > known_until(state)]
        return next_known(tree, state, min(stops, default=NEVER))

    while (known := known_next()) <= len(x):
        assert not newly_known(known - 1)
        newly_known(known)  # nothing, for a head that still warms up
    assert sum(one.head.name == "genre" for one in given) > 20


@pytest.mark.parametrize("pre_roll_s", [0.0, 0.75, 60.0])
def test_its_steps_fall_together_with_those_of_its_gate_if_they_are_as_long(
    tmp_path: Path, pre_roll_s: float
) -> None:
    gate, genre = (OnnxModel(write_toy_model(tmp_path / name)) for name in ("gate", "genre"))
    heads = [
        Head("gate", "gate", gate, DecisionConfig(min_on_ms=100, min_off_ms=100)),
        Head("genre", "genre", genre, DecisionConfig(), opened_by="gate", pre_roll_s=pre_roll_s),
    ]
    tree = StageTree(heads, RATE, with_frames=False)
    results = step(tree, sound(RATE, LOUD_S, 5.0), tree.init())
    stops = {
        name: {one.stop for one in results if isinstance(one, HeadResult) and one.head.name == name}
        for name in ("gate", "genre")
    }
    assert len(stops["genre"]) > 40
    assert stops["genre"] < stops["gate"]


def test_it_costs_nothing_while_the_gate_is_closed(
    heads: list[Head], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    model = heads[2].model
    monkeypatch.setattr(
        model, "run", lambda x, state: steps.append(x.shape[1]) or type(model).run(model, x, state)
    )
    pipeline = Pipeline("s", Column(RATE, heads, PublishConfig()))
    x = sound(RATE, [(3.0, 4.0)], 6.0)
    process(pipeline, x[: 3 * RATE], range(160, 3 * RATE, 160))
    assert steps == []
    process(pipeline, x[3 * RATE :], range(160, 3 * RATE, 160), first=3 * RATE)
    assert steps[0] == round(PRE_ROLL_S / 0.08)  # the pre-roll at once, then as it comes
    assert set(steps[1:]) == {1}
    assert len(steps) < 1.5 / 0.08


def test_it_runs_once_before_anything_is_on_air(heads: list[Head], monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    model = heads[2].model
    monkeypatch.setattr(
        model, "run", lambda x, state: steps.append(x.shape[1]) or type(model).run(model, x, state)
    )
    warm_up([Stream("s", FileSource(Path("a.wav")), StreamModels(tuple(heads)))], PublishConfig())
    assert sum(steps) > 0
