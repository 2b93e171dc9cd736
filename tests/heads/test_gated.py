"""Gated heads: they begin with the exact item, after a pre-roll, and end with their gate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streamer.config_sections import PublishConfig
from streamer.dsp.log_mel import LogMel
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain, Stage, offline
from streamer.dsp.timeline import Timeline
from streamer.events.kinds import Scores
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from tests.heads.gated_heads import (
    PRE_ROLL_S,
    RATE,
    WARM_UP_FRAMES,
    make_heads,
    of,
    process,
    sound,
    states,
)
from tests.toy_model import write_toy_ear, write_toy_head


@pytest.fixture
def heads(tmp_path: Path) -> list[Head]:
    return make_heads(tmp_path)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_an_opening_hears_the_pre_roll(heads: list[Head], rate_hz: int) -> None:
    """Its scores are those of the offline model over the pre-roll and the sound after it."""
    x = sound(rate_hz, [(2.0, 4.0)], 4.0)
    pipeline = Pipeline("s", Column(rate_hz, heads, PublishConfig(scores_hz=100)))
    events = process(pipeline, x, range(500, len(x), 500))
    (opened,) = of(events, "gate", "on")
    stages: list[Stage] = [Resample(rate_hz, RATE), *heads[1].path[:-1]]
    embeddings = offline(Chain(*stages), x[None])
    placement = Timeline()
    for stage in stages:
        placement = placement.after(stage)
    stops = [placement.span(k)[1] for k in range(embeddings.shape[1])]
    live = next(k for k, stop in enumerate(stops) if stop >= opened.stop)
    first = live - round(PRE_ROLL_S / 0.08)
    assert first > 0
    scores = offline(heads[2].model, embeddings[:, first:])[0]
    scored = [(e.stop, e.heads["genre"]) for e in events if isinstance(e, Scores) and "genre" in e.heads]
    assert len(scored) > 50
    for stop, found in scored:
        k = max(k for k, s in enumerate(stops) if s <= stop)
        expected = dict(zip(heads[2].model.manifest.labels, scores[k - first], strict=True))
        assert found == pytest.approx(expected, abs=2e-6)


def test_it_decides_once_its_warm_up_has_passed_since_the_gate_s_onset(heads: list[Head]) -> None:
    events = process(
        Pipeline("s", Column(RATE, heads, PublishConfig(scores_hz=100))), sound(RATE, [(2.0, 4.0)], 4.0)
    )
    (opened,) = of(events, "gate", "on")
    (listening,) = of(events, "genre", "listening")
    assert (listening.label, listening.start, listening.stop) == ("", opened.start, opened.stop)
    first = next(e.stop for e in events if isinstance(e, Scores) and "genre" in e.heads)
    enough = opened.start + WARM_UP_FRAMES * 1_280
    assert enough < first <= enough + 1_280 + 160
    assert of(events, "genre", "on")[0].stop > enough


def test_closing_ends_its_decisions(heads: list[Head]) -> None:
    events = process(Pipeline("s", Column(RATE, heads, PublishConfig())), sound(RATE, [(1.0, 3.0)], 5.0))
    closed = of(events, "gate", "off")[-1]
    assert states(events, "genre") == [("listening", ""), ("on", "low"), ("off", "low"), ("off", "")]
    assert [(e.start, e.stop) for e in of(events, "genre", "off")] == [(closed.stop, closed.stop)] * 2
    after = [e for e in events if isinstance(e, Scores) and e.stop > closed.stop]
    assert after
    assert all(set(e.heads) == {"gate", "sounds"} for e in after)


def test_a_gate_that_opens_again_soon_hears_across_its_closing(heads: list[Head]) -> None:
    x = sound(RATE, [(1.0, 3.0), (3.5, 5.0)], 5.5)
    events = process(Pipeline("s", Column(RATE, heads, PublishConfig(scores_hz=100))), x)
    first, again = of(events, "genre", "listening")
    closed = of(events, "gate", "off")[1]
    assert first.stop < closed.stop < again.stop < closed.stop + PRE_ROLL_S * RATE
    embeddings = offline(Chain(LogMel(), heads[1].path[1]), x[None])
    live = next(k for k in range(100) if (k + 1) * 1_280 + 240 >= again.stop)
    scores = offline(heads[2].model, embeddings[:, live - round(PRE_ROLL_S / 0.08) :])[0]
    last = [e for e in events if isinstance(e, Scores) and "genre" in e.heads][-1]
    k = (last.stop - 240) // 1_280 - 1 - (live - round(PRE_ROLL_S / 0.08))
    assert list(last.heads["genre"].values()) == pytest.approx(sorted(scores[k], reverse=True), abs=2e-6)


def test_an_opening_at_the_start_hears_what_there_is(tmp_path: Path) -> None:
    heads = make_heads(tmp_path, pre_roll_s=60.0)
    events = process(Pipeline("s", Column(RATE, heads, PublishConfig())), sound(RATE, [(0.0, 2.0)], 2.0))
    (opened,) = of(events, "gate", "on")
    (listening,) = of(events, "genre", "listening")
    assert opened.start == 240  # the first whole frame
    assert listening.start == 8 * 160  # what the ear needs before it means anything
    assert states(events, "genre")[1] == ("on", "low")


def test_an_opening_before_its_input_means_anything_begins_at_once(tmp_path: Path) -> None:
    gate, *others = make_heads(tmp_path)
    quick = replace(gate, decisions=DecisionConfig(min_on_ms=20, min_off_ms=100))
    events = process(
        Pipeline("s", Column(RATE, [quick, *others], PublishConfig())), sound(RATE, [(0.0, 2.0)], 2.0)
    )
    (opened,) = of(events, "gate", "on")
    (listening,) = of(events, "genre", "listening")
    assert opened.stop < 8 * 160  # what the ear needs
    assert (listening.start, listening.stop) == (opened.stop, opened.stop)


def test_without_a_pre_roll_it_hears_from_the_opening_on(tmp_path: Path) -> None:
    heads = make_heads(tmp_path, pre_roll_s=0.0)
    events = process(
        Pipeline("s", Column(RATE, heads, PublishConfig(scores_hz=100))), sound(RATE, [(1.0, 3.0)], 3.0)
    )
    (listening,) = of(events, "genre", "listening")
    first = next(e.stop for e in events if isinstance(e, Scores) and "genre" in e.heads)
    assert first >= listening.stop + (WARM_UP_FRAMES - 1) * 1_280


def test_after_a_gap_all_is_closed(heads: list[Head]) -> None:
    x = sound(RATE, [(1.0, 3.0)], 3.0)
    pipeline = Pipeline("s", Column(RATE, heads, PublishConfig()))
    before = process(pipeline, x)
    after = process(pipeline, sound(RATE, [], 2.0), first=len(x) + 999)
    assert states(before, "genre") == [("listening", ""), ("on", "low")]
    assert states(after, "genre") == [("off", "low"), ("off", "")]
    assert {(e.start, e.stop, e.epoch) for e in of(after, "genre", "off")} == {(len(x), len(x), 0)}
    assert not [e for e in after if isinstance(e, Scores) and e.epoch == 1 and "genre" in e.heads]


def test_the_end_closes_it_while_the_gate_is_open(heads: list[Head]) -> None:
    x = sound(RATE, [(1.0, 3.0)], 3.0)
    pipeline = Pipeline("s", Column(RATE, heads, PublishConfig()))
    process(pipeline, x)
    closing = pipeline.finish()
    assert states(closing, "gate") == [("off", "loud")]
    assert states(closing, "genre") == [("off", "low"), ("off", "")]
    assert {e.stop for e in of(closing, "genre", "off")} == {len(x)}


def test_an_end_before_the_gate_ever_opened_says_nothing_of_it(heads: list[Head]) -> None:
    pipeline = Pipeline("s", Column(RATE, heads, PublishConfig()))
    events = [*process(pipeline, sound(RATE, [], 1.0)), *pipeline.finish()]
    assert states(events, "genre") == []


def test_a_label_with_a_kind_of_its_own_opens_nothing(heads: list[Head]) -> None:
    apart = [replace(heads[0], own_kinds=("loud",)), *heads[1:]]
    pipeline = Pipeline("s", Column(RATE, apart, PublishConfig()))
    events = [*process(pipeline, sound(RATE, [(1.0, 3.0)], 4.0)), *pipeline.finish()]
    assert states(events, "loud") == [("off", "loud"), ("on", "loud"), ("off", "loud")]
    assert states(events, "gate") == states(events, "genre") == []


def test_each_epoch_begins_with_the_state_of_every_label_that_is_alone_in_its_kind(tmp_path: Path) -> None:
    ear = write_toy_ear(tmp_path / "ear")
    gate = OnnxModel(write_toy_head(tmp_path / "gate", ear, "gate"))
    apart = ("low", "middle", "high")  # the kind of the gate is left with `top` alone
    head = Head("gate", "gate", gate, DecisionConfig(), OnnxModel(ear), own_kinds=apart)
    quiet = sound(RATE, [], 2.0)
    pipeline = Pipeline("s", Column(RATE, [head], PublishConfig()))
    crowded = Pipeline("s", Column(RATE, [replace(head, own_kinds=("low", "middle"))], PublishConfig()))
    for first in (0, len(quiet) + 999):  # sound is lost between the two
        events = process(pipeline, quiet, first=first)
        assert [states(events, kind) for kind in apart] == [[("off", label)] for label in apart]
        assert states(events, "gate") == [("off", "top")]
        assert states(process(crowded, quiet, first=first), "gate") == []  # of `high` and `top`


@pytest.mark.parametrize("every", [37 * RATE, 160, 1_234])
def test_a_gated_head_names_nothing_below_its_floor_though_its_gate_is_open(
    heads: list[Head], every: int
) -> None:
    x = sound(RATE, [(1.0, 4.0)], 5.0)  # at -10.5 dBFS
    found = []
    for floor_dbfs in (-120.0, -12.0, -9.0):
        gate, _, genre = heads
        own = replace(genre, decisions=replace(genre.decisions, floor_dbfs=floor_dbfs))
        pipeline = Pipeline("s", Column(RATE, [gate, own], PublishConfig()))
        events = [*process(pipeline, x, range(every, len(x), every)), *pipeline.finish()]
        found.append([state for state, label in states(events, "genre") if label])
    assert found == [["on", "off"], ["on", "off"], []]
