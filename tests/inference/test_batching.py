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
from streamer.dsp.model_calls import Calls, ModelCall, StepResult, answer_calls, run_alone, together
from streamer.events.kinds import Decision, Event, Scores
from streamer.events.serialization import encode
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.inference.batching import BatchRunner
from streamer.inference.model_cache import ModelCache
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.build_heads import build_heads
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.step_all import step_all
from streamer.separation.gated_separation import Separation
from streamer.sources.source import Block
from tests.heads.gated_heads import make_heads, sound
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
        return x + count[:, None], (count + 1,)


def asking(graphs: Sequence[Adding], x: float, items: int = 1) -> Calls[float]:
    """Return work that sends a number through models, one after the other."""
    y = np.full((1, items), x)
    for graph in graphs:
        ((y, faults),) = yield [ModelCall(graph, y, (np.ones(1),), np.arange(1))]
        if faults:
            raise faults[0]
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
    assert sorted(graph.rows) == [1, 1, ROWS, ROWS]


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


def test_calls_of_one_work_may_be_of_several_models() -> None:
    first, second = Adding(), Adding()

    def both() -> Calls[list[float]]:
        calls = [
            ModelCall(graph, np.full((1, 1), 5.0), (np.ones(1),), np.arange(1)) for graph in (second, first)
        ]
        answers = yield calls
        return [float(answer.y[0, 0]) for answer in answers]

    assert BatchRunner([first, second]).run([both(), asking([first, second], 1.0)]) == [[6.0, 6.0], 3.0]
    assert (first.rows, second.rows) == ([2], [2])


@pytest.mark.parametrize("rows", [[0, 1, 2], [3, 4], [5], [0, 2], [7, 9, 10]])
def test_only_the_rows_of_a_call_step(rows: list[int]) -> None:
    model, state = Adding(), (np.arange(12.0),)
    x = np.array(rows, float)[:, None] * 100
    (answer,) = answer_calls([ModelCall(model, x, state, np.array(rows))])
    assert answer.y[:, 0].tolist() == [101 * row for row in rows]
    assert state[0].tolist() == [n + (n in rows) for n in range(12)]


def test_large_calls_are_cut_and_small_ones_joined() -> None:
    model, states = Adding(), [(np.zeros(20),), (np.zeros(3),)]
    calls = [
        ModelCall(model, np.zeros((len(rows), 1)), state, np.array(rows))
        for rows, state in (([*range(1, 20)], states[0]), ([0, 2], states[1]))
    ]
    for step in range(3):
        answers = answer_calls(calls)
        assert [answer.y[:, 0].tolist() for answer in answers] == [[step] * 19, [step] * 2]
    assert model.rows == [8, 8, 5] * 3
    assert states[0][0].tolist() == [0, *[3] * 19]
    assert states[1][0].tolist() == [3, 0, 3]


def test_of_a_call_for_many_only_the_faulty_fail() -> None:
    model, state = Adding(), (np.zeros(6),)
    x = np.array([[1.0], [13.0], [2.0], [13.0]])
    (answer,) = answer_calls([ModelCall(model, x, state, np.array([0, 1, 4, 5]))])
    assert sorted(answer.faults) == [1, 3]
    assert answer.y[[0, 2], 0].tolist() == [1.0, 2.0]
    assert state[0].tolist() == [1, 0, 0, 0, 1, 0]


def test_works_side_by_side_call_together() -> None:
    model = Adding()
    works = [asking([model] * n, x) for n, x in ((1, 1.0), (2, 12.0), (0, 3.0), (2, 5.0))]
    found = run_alone(together(works))
    assert [found[0], found[2], found[3]] == [2.0, 3.0, 7.0]
    assert isinstance(found[1], ValueError)


def test_a_model_that_is_no_longer_called_is_forgotten() -> None:
    runner, model = BatchRunner([]), Adding()
    runner.set_order([model])
    assert runner.run([asking([model], x) for x in (1.0, 5.0)]) == [2.0, 6.0]
    runner.set_order([])
    seen = weakref.ref(model)
    del model
    gc.collect()
    assert seen() is None


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
        found = step_all([(pipelines[n], waiting[n].pop(0)) for n in due], runner)
        for n, events in zip(due, found, strict=True):
            assert not isinstance(events, Exception)
            said[n] += events
    return [events + pipeline.finish() for events, pipeline in zip(said, pipelines, strict=True)]


def heard_alone(pipeline: Pipeline, blocks: Sequence[Block]) -> list[Event]:
    return [event for block in blocks for event in pipeline.step(block)] + pipeline.finish()


@pytest.mark.parametrize("seed", range(3))
def test_toys_say_the_same_bytes_together_as_alone(tmp_path: Path, seed: int) -> None:
    heads = make_heads(tmp_path)
    model = OnnxModel(write_toy_separation(tmp_path / "separation", 0.25))
    separation = Separation("voice", "voice", model, DecisionConfig(), opened_by="gate")

    def column() -> Column:
        return Column(RATE, heads, PublishConfig(spectrum=True))

    rng = np.random.default_rng(seed)
    sounds = [sound(RATE, [(0.3 * n, 0.3 * n + 1.5)], 4.0) for n in range(6)]
    blocks = [chunks(rng, x, int(rng.integers(0, RATE))) for x in sounds]
    columns = [column(), column()]  # streams share rows and calls, or calls alone
    together = [Pipeline("s", columns[n % 3 == 2], separation) for n in range(len(blocks))]
    found = heard_together(together, blocks, seed)
    for own, events in zip(blocks, found, strict=True):
        alone = heard_alone(Pipeline("s", column(), separation), own)
        assert [encode(e) for e in events] == [encode(e) for e in alone]
        assert {"gate", "genre", "sound", "stem", "spectrum"} <= {e.kind for e in events}


def test_the_released_models_decide_together_as_alone() -> None:
    heads: list[Head] = [replace(head, pre_roll_s=1.0) for head in build_heads(Config(), ModelCache())]
    demo, _ = soundfile.read(DEMO_PATH, dtype="float32")
    rng = np.random.default_rng(4)
    blocks = [chunks(rng, demo[n * 3 * RATE : (n * 3 + 9) * RATE], 0) for n in range(5)]

    column = Column(RATE, heads, PublishConfig())
    found = heard_together([Pipeline("s", column) for _ in blocks], blocks, seed=5)
    for own, events in zip(blocks, found, strict=True):
        wanted = heard_alone(Pipeline("s", Column(RATE, heads, PublishConfig())), own)
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
