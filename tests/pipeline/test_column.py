"""Test that streams in the rows of a column have the events that each has alone, whatever happens in other rows."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array, State
from streamer.config_sections import PublishConfig
from streamer.dsp.model_calls import StepResult, run_alone
from streamer.events.kinds import Event
from streamer.events.serialization import encode
from streamer.heads.head import Head
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from streamer.sources.source import Block
from tests.heads.gated_heads import make_heads, sound

RATE = 16_000
BLOCK = 1_777


@pytest.fixture
def heads(tmp_path: Path) -> list[Head]:
    return make_heads(tmp_path)


def column_of(heads: Sequence[Head]) -> Column:
    return Column(RATE, heads, PublishConfig(spectrum=True))


def blocks_of(x: Array) -> list[Block]:
    return [Block(at, x[at : at + BLOCK, None], None) for at in range(0, len(x), BLOCK)]


def alone(heads: Sequence[Head], x: Array) -> list[bytes]:
    pipeline = Pipeline("s", column_of(heads))
    return encoded([event for block in blocks_of(x) for event in pipeline.step(block)] + pipeline.finish())


def encoded(events: Sequence[Event]) -> list[bytes]:
    return [b"".join(encode(event)) for event in events]


def music(n: int) -> Array:
    return sound(RATE, [(0.2 * n, 0.2 * n + 1.5)], 2.5)


def test_streams_that_come_and_go_leave_the_others_as_they_are(heads: list[Head]) -> None:
    """In turn k, stream k comes; after all its sound it ends, and its row goes to another one."""
    column, sounds = column_of(heads), [music(n % 5) for n in range(9)]
    waiting = [blocks_of(x) for x in sounds]
    pipelines: dict[int, Pipeline] = {}
    said: dict[int, list[Event]] = {}
    turn = 0
    while turn < len(sounds) or pipelines:
        if turn < len(sounds):
            pipelines[turn], said[turn] = Pipeline("s", column), []
        steps = {n: (pipeline, waiting[n].pop(0)) for n, pipeline in pipelines.items()}
        for n, events in zip(steps, run_alone(Pipeline.step_together([*steps.values()])), strict=True):
            assert not isinstance(events, Exception)
            said[n] += events
        for n in [n for n in pipelines if not waiting[n]]:
            said[n] += pipelines.pop(n).finish()
        del steps
        turn += 1
    for n, x in enumerate(sounds):
        assert encoded(said[n]) == alone(heads, x)


def test_rows_are_used_again(heads: list[Head]) -> None:
    column = column_of(heads)
    first = [Pipeline("s", column) for _ in range(3)]
    assert column.state.streams == 4
    del first[1]
    gc.collect()
    kept = [*first, Pipeline("s", column), Pipeline("s", column)]
    assert column.state.streams == 4
    assert len(kept) == 4
    Pipeline("s", column)
    assert column.state.streams == 8


def test_a_row_that_was_used_begins_anew(heads: list[Head]) -> None:
    column = column_of(heads)
    before = Pipeline("s", column)
    for block in blocks_of(music(0))[:10]:
        before.step(block)
    del before
    gc.collect()
    again = Pipeline("s", column)
    events = [event for block in blocks_of(music(2)) for event in again.step(block)] + again.finish()
    assert column.state.streams == 1
    assert encoded(events) == alone(heads, music(2))


def test_invalid_sound_in_one_row_changes_no_other(heads: list[Head]) -> None:
    column = column_of(heads)
    good, bad = Pipeline("s", column), Pipeline("s", column)
    poison = np.full((BLOCK, 1), np.nan, np.float32)
    events = []
    for block in blocks_of(music(1)):
        step = [(bad, Block(block.start, poison[: len(block.samples)], None)), (good, block)]
        _, found = run_alone(Pipeline.step_together(step))
        assert not isinstance(found, Exception)
        events += found
    assert encoded(events + good.finish()) == alone(heads, music(1))
    assert bad.muted_samples == len(music(1))
    assert good.muted_samples == 0


def test_a_model_that_fails_for_one_row_ends_that_stream_alone(
    heads: list[Head], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedding model refuses frames of sound that is far louder than full scale."""
    ear = next(head.ear for head in heads if head.ear)
    run = OnnxModel.run

    def refusing(self: OnnxModel, x: Array, state: State) -> StepResult:
        if self is ear and (x > 8).any():
            raise ValueError("such frames are refused")
        return run(self, x, state)

    column, errors, events = column_of(heads), list[Exception](), list[Event]()
    good, bad = Pipeline("s", column), Pipeline("s", column)
    monkeypatch.setattr(OnnxModel, "run", refusing)
    noise = np.random.default_rng(0).normal(0, 1e4, (BLOCK, 1)).astype(np.float32)
    for k, block in enumerate(blocks_of(music(1))):
        steps = [(good, block)]
        if not errors:
            steps.insert(0, (bad, block if k < 8 else Block(block.start, noise, None)))
        *others, found = run_alone(Pipeline.step_together(steps))
        assert not isinstance(found, Exception)
        events += found
        errors += [other for other in others if isinstance(other, Exception)]
    monkeypatch.setattr(OnnxModel, "run", run)
    assert encoded(events + good.finish()) == alone(heads, music(1))
    assert [str(error) for error in errors] == ["such frames are refused"]
    assert bad.position == 8 * BLOCK


def test_streams_with_other_channels_share_a_column(heads: list[Head]) -> None:
    column, x = column_of(heads), music(1)
    pipelines = [Pipeline("s", column) for _ in range(3)]
    said: list[list[Event]] = [[], [], []]
    for block in blocks_of(x):
        stereo = Block(block.start, np.repeat(block.samples, 2, axis=1), None)
        steps = [*zip(pipelines, (stereo, block, stereo), strict=True)]
        for own, events in zip(said, run_alone(Pipeline.step_together(steps)), strict=True):
            assert not isinstance(events, Exception)
            own += events
    found = [encoded(own + pipeline.finish()) for own, pipeline in zip(said, pipelines, strict=True)]
    assert found[1] == alone(heads, x)
    assert found[0] == found[2] == found[1]
