"""Test that streams whose model calls are batched have the results that each has alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array, State
from streamer.config import Config
from streamer.config_sections import PublishConfig
from streamer.demo_recording import DEMO_PATH
from streamer.dsp.model_calls import Calls, ModelCall, StepResult, run_alone
from streamer.events.kinds import Decision, Event, Scores
from streamer.events.serialization import encode
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.inference.batching import BatchRunner
from streamer.inference.model_cache import ModelCache
from streamer.inference.onnx import OnnxModel
from streamer.inference.state_slots import StateSlots
from streamer.pipeline.build_heads import build_heads
from streamer.pipeline.pipeline import Pipeline
from streamer.separation.gated_separation import Separation
from streamer.sources.source import Block
from tests.heads.gated_heads import make_heads, sound
from tests.toy_model import write_toy_model
from tests.toy_separation import write_toy_separation

RATE, ROWS = 16_000, 8


@dataclass(eq=False)
class Adding:
    """A model that adds its state to the input and counts up its state; it raises an error for the input 13."""

    rows: list[int] = field(default_factory=list)
    max_batch: int = ROWS

    def allocate_state(self, streams: int, like: State) -> State:
        return tuple(np.empty((streams, *array.shape[1:])) for array in like)

    def run(self, x: Array, state: State) -> StepResult:
        self.rows.append(len(x))
        if (x == 13).any():
            raise ValueError("13 is refused")
        (count,) = state
        return x + count, (count + 1,)


def asking(graphs: Sequence[Adding], x: float, items: int = 1) -> Calls[float]:
    """Return work that sends a number through models, one after the other."""
    y = np.full((1, items), x)
    for graph in graphs:
        y, _ = yield ModelCall(graph, y, (np.ones((1, 1)),), np.full(1, None))
    return float(y[0, 0])


def test_what_is_asked_of_one_graph_is_answered_in_one_call() -> None:
    graph = Adding()
    assert BatchRunner([graph]).run([asking([graph], x) for x in (1.0, 5.0, 3.0)]) == [2.0, 6.0, 4.0]
    assert graph.rows == [3]


def test_a_call_takes_so_many_and_only_what_is_alike() -> None:
    graph = Adding()
    works = [asking([graph], float(n), items=1 + n % 2) for n in range(20, 22 + 2 * ROWS)]
    assert BatchRunner([graph]).run(works) == [n + 1 for n in range(20, 22 + 2 * ROWS)]
    assert sum(graph.rows) == len(works)
    assert sorted(graph.rows)[-1] == ROWS
    assert len(graph.rows) == 4  # a bank's rows are of both forms


def test_a_later_graph_waits_until_all_who_want_it_are_there() -> None:
    first, second = Adding(), Adding()
    ways = [[first, second], [second], [first, first, second]]
    found = BatchRunner([first, second]).run([asking(way, 1.0) for way in ways])
    assert found == [3.0, 2.0, 4.0]
    assert first.rows == [2, 1]
    assert second.rows == [3]


def test_a_graph_that_several_streams_ask_has_its_first_place() -> None:
    first, second = Adding(), Adding()
    ways = [[first, second], [second], [first, first, second]]
    assert BatchRunner([first, second, first]).run([asking(way, 1.0) for way in ways]) == [3.0, 2.0, 4.0]
    assert (first.rows, second.rows) == ([2, 1], [3])


def test_who_asks_for_nothing_is_done_at_once() -> None:
    assert BatchRunner([]).run([asking([], 4.0), asking([], 5.0)]) == [4.0, 5.0]
    assert BatchRunner([]).run([]) == []


def test_a_fault_is_of_the_stream_that_has_it() -> None:
    graph = Adding()
    good, bad, late = BatchRunner([graph]).run([asking([graph, graph], x) for x in (1.0, 13.0, 12.0)])
    assert good == 3.0
    assert isinstance(bad, ValueError)
    assert isinstance(late, ValueError)
    assert graph.rows == [3, 1, 1, 1, 2, 1, 1]  # all, then each by itself


def test_a_state_stays_in_its_slot_whoever_steps_with_it() -> None:
    graph, runner = Adding(), BatchRunner([])
    states: dict[str, State] = {name: (np.zeros((1, 1)),) for name in "abc"}
    slots = {name: np.full(1, None) for name in "abc"}

    def counting(name: str) -> Calls[float]:
        y, states[name] = yield ModelCall(graph, np.zeros((1, 1)), states[name], slots[name])
        return float(y[0, 0])

    for due, found in (("abc", [0, 0, 0]), ("ac", [1, 1]), ("b", [1]), ("abc", [2, 2, 2]), ("c", [3])):
        assert runner.run([counting(name) for name in due]) == found
    assert graph.rows == [3, 2, 1, 3, 1]
    assert [slots[name][0].row for name in "abc"] == [0, 1, 2]
    assert all(
        np.shares_memory(states[name][0], slots[name][0].bank.load([n])[0]) for n, name in enumerate("abc")
    )
    assert run_alone(counting("b")) == 3  # by itself too it steps where its state lies
    states["a"], slots["a"] = (np.zeros((1, 1)),), np.full(1, None)  # it begins anew
    assert runner.run([counting(name) for name in "abc"]) == [0, 4, 4]


def test_streams_that_stay_and_streams_that_come_share_a_batch_after_a_change() -> None:
    model, other = Adding(), Adding()
    runner = BatchRunner([model])
    states: dict[str, State] = {name: (np.zeros((1, 1)),) for name in "abcd"}
    slots = {name: np.full(1, None) for name in "abcd"}

    def counting(name: str) -> Calls[float]:
        y, states[name] = yield ModelCall(model, np.zeros((1, 1)), states[name], slots[name])
        return float(y[0, 0])

    assert runner.run([counting(name) for name in "ab"]) == [0, 0]
    runner.set_order([other, model])
    assert runner.run([counting(name) for name in "abcd"]) == [1, 1, 0, 0]
    assert model.rows == [2, 4]
    assert len({slots[name][0].bank for name in "abcd"}) == 1


def test_a_model_that_is_no_longer_called_is_forgotten() -> None:
    runner, model = BatchRunner([]), Adding()
    runner.set_order([model])
    assert runner.run([asking([model], x) for x in (1.0, 5.0)]) == [2.0, 6.0]
    runner.set_order([])
    seen = weakref.ref(model)
    del model
    gc.collect()
    assert seen() is None


def test_a_stream_that_steps_by_itself_takes_no_slot() -> None:
    graph, runner, slots = Adding(), BatchRunner([]), np.full(1, None)
    state: State = (np.zeros((1, 1)),)

    def counting() -> Calls[float]:
        nonlocal state
        y, state = yield ModelCall(graph, np.zeros((1, 1)), state, slots)
        return float(y[0, 0])

    assert [runner.run([counting()]) for _ in range(3)] == [[0.0], [1.0], [2.0]]
    assert slots[0] is None


def test_rows_are_copied_only_where_they_are_not_adjacent() -> None:
    slots = StateSlots(Adding())
    taken = [slots.take((np.full((1, 2), n),)) for n in range(ROWS)]
    bank, whole = taken[0][0].bank, [view for _, (view,) in taken]
    for rows, shared in (([0, 1, 2], True), ([3, 4], True), ([5], True), ([0, 2], False)):
        (found,) = bank.load(rows)
        assert found[:, 0].tolist() == rows
        assert any(np.shares_memory(found, view) for view in whole) == shared
        bank.store(rows, (found + 10,))
        assert [whole[row][0, 0] for row in rows] == [row + 10 for row in rows]
        bank.store(rows, (np.repeat(np.array(rows, float)[:, None], 2, axis=1),))


def test_a_slot_is_free_as_soon_as_it_is_forgotten() -> None:
    slots = StateSlots(Adding())
    taken = [slots.take((np.full((1, 2), n),)) for n in range(ROWS + 1)]
    assert [slot.row for slot, _ in taken] == [*range(ROWS), 0]
    assert taken[ROWS][0].bank is not taken[0][0].bank
    assert taken[5][1][0].tolist() == [[5, 5]]
    bank = taken[0][0].bank
    del taken[7], taken[4]
    assert slots.take((np.zeros((1, 2)),))[0].row == 4  # and free again at once: nobody keeps it
    kept = [slots.take((np.zeros((1, 2)),)) for _ in range(2)]
    assert [(slot.bank is bank, slot.row) for slot, _ in kept] == [(True, 4), (True, 7)]


def test_a_model_that_is_reset_gives_its_slot_back(tmp_path: Path) -> None:
    model = OnnxModel(write_toy_model(tmp_path / "toy"))
    runner, states = BatchRunner([]), [model.init() for _ in range(3)]
    x = np.zeros((1, model.manifest.hop_frames, model.manifest.input_size), np.float32)

    def step_all() -> list[int]:
        for n, result in enumerate(runner.run([model.step_calls(x, state) for state in states])):
            assert not isinstance(result, Exception)
            states[n] = result[1]
        return [state[2][0].row for state in states]

    assert step_all() == [0, 1, 2]
    states[1] = model.init()
    assert step_all() == [0, 1, 2]
    states[0] = model.init()
    del states[1]
    assert step_all() == [0, 2]


def chunks(rng: np.random.Generator, x: Array, first: int) -> list[Block]:
    """Cut a sound into blocks of 0 to 300 ms from sample `first` on, with a gap of a second in the middle."""
    blocks, at = [], 0
    while at < len(x):
        stop = min(len(x), at + int(rng.integers(0, 4_800)))
        gap = RATE if at > len(x) // 2 else 0
        blocks.append(Block(first + at + gap, x[at:stop, None], None))
        at = stop
    return blocks


def heard_together(
    pipelines: Sequence[Pipeline], blocks: Sequence[list[Block]], seed: int
) -> list[list[Event]]:
    """Process a random choice of the streams in each turn, until the sound of each has ended."""
    rng = np.random.default_rng(seed)
    runner, waiting = BatchRunner([]), [list(own) for own in blocks]
    said: list[list[Event]] = [[] for _ in pipelines]
    while any(waiting):
        due = [n for n, own in enumerate(waiting) if own and rng.random() < 0.7]
        found = runner.run([pipelines[n].step(waiting[n].pop(0)) for n in due])
        for n, events in zip(due, found, strict=True):
            assert not isinstance(events, Exception)
            said[n] += events
    return [events + pipeline.finish() for events, pipeline in zip(said, pipelines, strict=True)]


def heard_alone(pipeline: Pipeline, blocks: Sequence[Block]) -> list[Event]:
    return [event for block in blocks for event in run_alone(pipeline.step(block))] + pipeline.finish()


@pytest.mark.parametrize("seed", range(3))
def test_toys_say_the_same_bytes_together_as_alone(tmp_path: Path, seed: int) -> None:
    heads = make_heads(tmp_path)
    model = OnnxModel(write_toy_separation(tmp_path / "separation", 0.25))
    separation = Separation("voice", "voice", model, DecisionConfig(), opened_by="gate")

    def made() -> Pipeline:
        return Pipeline("s", RATE, heads, PublishConfig(spectrum=True), separation)

    rng = np.random.default_rng(seed)
    sounds = [sound(RATE, [(0.3 * n, 0.3 * n + 1.5)], 4.0) for n in range(6)]
    blocks = [chunks(rng, x, int(rng.integers(0, RATE))) for x in sounds]
    found = heard_together([made() for _ in blocks], blocks, seed)
    for own, events in zip(blocks, found, strict=True):
        assert [encode(e) for e in events] == [encode(e) for e in heard_alone(made(), own)]
        assert {"gate", "genre", "sound", "stem", "spectrum"} <= {e.kind for e in events}


def test_the_released_models_decide_together_as_alone() -> None:
    heads: list[Head] = [replace(head, pre_roll_s=1.0) for head in build_heads(Config(), ModelCache())]
    demo, _ = soundfile.read(DEMO_PATH, dtype="float32")
    rng = np.random.default_rng(4)
    blocks = [chunks(rng, demo[n * 3 * RATE : (n * 3 + 9) * RATE], 0) for n in range(5)]

    def made() -> Pipeline:
        return Pipeline("s", RATE, heads, PublishConfig())

    found = heard_together([made() for _ in blocks], blocks, seed=5)
    for own, events in zip(blocks, found, strict=True):
        wanted = heard_alone(made(), own)
        assert _decided(events) == _decided(wanted)
        scores = [_scores(said) for said in (events, wanted)]
        assert scores[0].keys() == scores[1].keys()
        np.testing.assert_allclose([*scores[0].values()], [*scores[1].values()], atol=2e-5)
    assert any(_decided(events) for events in found)


def _decided(events: Sequence[Event]) -> list[tuple[object, ...]]:
    return [(e.kind, e.state, e.label, e.start, e.stop) for e in events if isinstance(e, Decision)]


def _scores(events: Sequence[Event]) -> dict[tuple[int, str], float]:
    """Return the highest score of each head at each sample, which does not depend on the order of close labels."""
    return {
        (e.stop, name): max(labels.values())
        for e in events
        if isinstance(e, Scores)
        for name, labels in e.heads.items()
    }
