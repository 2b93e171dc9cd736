"""Gated heads: they begin with the exact item, after a pre-roll, however the sound is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.config_sections import PublishConfig
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain, Stage, offline
from streamer.dsp.timeline import Timeline
from streamer.engine.stream import Stream
from streamer.engine.warm_up import warm_up
from streamer.events.kinds import Decision, Event, Scores
from streamer.events.serialization import encode
from streamer.head_slots import DecisionConfig
from streamer.heads.gating import Gated, GatedState, GateState, Switch
from streamer.heads.head import Head
from streamer.heads.hysteresis import Change
from streamer.heads.loudness import PowerAt
from streamer.heads.results import HeadResult
from streamer.heads.stage_tree import StageTree
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.stream_models import StreamModels
from streamer.sources.file import FileSource
from streamer.sources.source import Block
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model

RATE = 16_000
PRE_ROLL_S = 0.8
WARM_UP_FRAMES = 4
OTHER = LogMelConfig(
    sample_rate_hz=22_050, window_samples=512, hop_samples=256, fft_samples=512, mel_high_hz=9_000
)


def make_heads(
    folder: Path,
    gate_front_end: LogMelConfig = LogMelConfig(),
    with_sounds: bool = True,
    pre_roll_s: float = PRE_ROLL_S,
) -> list[Head]:
    """Make a gate on a front end, sounds on an ear, and genre on the ear while the gate is open."""
    ear_folder = write_toy_ear(folder / "ear")
    ear = OnnxModel(ear_folder)
    gate = OnnxModel(write_toy_model(folder / "gate", gate_front_end))
    sounds = OnnxModel(write_toy_head(folder / "sounds", ear_folder, "sounds"))
    genre = OnnxModel(write_toy_head(folder / "genre", ear_folder, "genre", True, WARM_UP_FRAMES))
    heads = [
        Head("gate", "gate", gate, DecisionConfig(min_on_ms=100, min_off_ms=100)),
        Head("sounds", "sound", sounds, DecisionConfig(min_on_ms=80, min_off_ms=80), ear),
        Head(
            "genre",
            "genre",
            genre,
            DecisionConfig(min_on_ms=80, min_off_ms=160, update_ms=200),
            ear,
            opened_by="gate",
            pre_roll_s=pre_roll_s,
        ),
    ]
    return [head for head in heads if with_sounds or head.name != "sounds"]


@pytest.fixture
def heads(tmp_path: Path) -> list[Head]:
    return make_heads(tmp_path)


def sound(rate_hz: int, loud_s: Sequence[tuple[float, float]], total_s: float) -> Array:
    """A low hum, soft but in `loud_s`, where it is loud; a little noise in all."""
    t = np.arange(round(total_s * rate_hz)) / rate_hz
    gain = np.full(len(t), 1e-4)
    for start_s, stop_s in loud_s:
        gain[(t >= start_s) & (t < stop_s)] = 0.3
    rng = np.random.default_rng(2)
    hum = np.sin(2 * np.pi * 300 * t) + np.sin(2 * np.pi * 210 * t) + rng.normal(0, 0.02, len(t))
    return (gain * hum).astype(np.float32)


def process(pipeline: Pipeline, x: Array, cuts: Sequence[int] = (), first: int = 0) -> list[Event]:
    events = []
    for a, b in zip([0, *cuts], [*cuts, len(x)], strict=True):
        events += run_alone(pipeline.step(Block(first + a, x[a:b, None], None)))
    return events


def states(events: Sequence[Event], kind: str) -> list[tuple[str, str]]:
    """Return state and label of each decision of a kind, but for updates."""
    return [
        (e.state, e.label)
        for e in events
        if isinstance(e, Decision) and e.kind == kind and e.state != "update"
    ]


def of(events: Sequence[Event], kind: str, state: str) -> list[Decision]:
    return [e for e in events if isinstance(e, Decision) and (e.kind, e.state) == (kind, state)]


LOUD_S = [(1.0, 3.0), (3.3, 3.5), (3.75, 5.0), (5.9, 6.05), (6.5, 8.0)]


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
        pipeline = Pipeline("s", rate_hz, heads, PublishConfig(spectrum=True))
        events = [*process(pipeline, x, cuts), *pipeline.finish()]
        encoded.append([encode(event) for event in events])
    assert all(other == encoded[0] for other in encoded[1:])
    assert len(of(events, "genre", "listening")) == len(of(events, "gate", "on")) >= 3
    assert of(events, "genre", "on")


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_an_opening_hears_the_pre_roll(heads: list[Head], rate_hz: int) -> None:
    """Its scores are those of the offline model over the pre-roll and the sound after it."""
    x = sound(rate_hz, [(2.0, 4.0)], 4.0)
    pipeline = Pipeline("s", rate_hz, heads, PublishConfig(scores_hz=100))
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
    events = process(Pipeline("s", RATE, heads, PublishConfig(scores_hz=100)), sound(RATE, [(2.0, 4.0)], 4.0))
    (opened,) = of(events, "gate", "on")
    (listening,) = of(events, "genre", "listening")
    assert (listening.label, listening.start, listening.stop) == ("", opened.start, opened.stop)
    first = next(e.stop for e in events if isinstance(e, Scores) and "genre" in e.heads)
    enough = opened.start + WARM_UP_FRAMES * 1_280
    assert enough < first <= enough + 1_280 + 160
    assert of(events, "genre", "on")[0].stop > enough


def test_closing_ends_its_decisions(heads: list[Head]) -> None:
    events = process(Pipeline("s", RATE, heads, PublishConfig()), sound(RATE, [(1.0, 3.0)], 5.0))
    closed = of(events, "gate", "off")[-1]
    assert states(events, "genre") == [("listening", ""), ("on", "low"), ("off", "low"), ("off", "")]
    assert [(e.start, e.stop) for e in of(events, "genre", "off")] == [(closed.stop, closed.stop)] * 2
    after = [e for e in events if isinstance(e, Scores) and e.stop > closed.stop]
    assert after
    assert all(set(e.heads) == {"gate", "sounds"} for e in after)


@pytest.mark.parametrize("gate_front_end", [LogMelConfig(), OTHER], ids=["same path", "path of its own"])
@pytest.mark.parametrize("with_sounds", [True, False], ids=["shared ear", "gated ear"])
def test_every_result_is_predicted(tmp_path: Path, with_sounds: bool, gate_front_end: LogMelConfig) -> None:
    tree = StageTree(make_heads(tmp_path, gate_front_end, with_sounds), RATE, with_frames=False)
    state, x = tree.init(), sound(RATE, LOUD_S, 4.5)
    given: list[HeadResult] = []

    def newly_known(stop: int) -> list[HeadResult]:
        before = state.known_until
        given.extend(
            one
            for one in run_alone(tree.step(x[state.processed_samples : stop], state))
            if isinstance(one, HeadResult)
        )
        return [one for one in given if before < one.stop <= state.known_until]

    def known_next() -> int:
        stops = [
            one.stop for one in given if one.stop > state.known_until
        ]  # given out, but not all before it is known
        return tree.known_after(min([tree.next_stop(state) or 0, *stops]))

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
    results = run_alone(tree.step(sound(RATE, LOUD_S, 5.0), tree.init()))
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
    pipeline = Pipeline("s", RATE, heads, PublishConfig())
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


def test_a_gate_that_opens_again_soon_hears_across_its_closing(heads: list[Head]) -> None:
    x = sound(RATE, [(1.0, 3.0), (3.5, 5.0)], 5.5)
    events = process(Pipeline("s", RATE, heads, PublishConfig(scores_hz=100)), x)
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
    events = process(Pipeline("s", RATE, heads, PublishConfig()), sound(RATE, [(0.0, 2.0)], 2.0))
    (opened,) = of(events, "gate", "on")
    (listening,) = of(events, "genre", "listening")
    assert opened.start == 240  # the first whole frame
    assert listening.start == 8 * 160  # what the ear needs before it means anything
    assert states(events, "genre")[1] == ("on", "low")


def test_without_a_pre_roll_it_hears_from_the_opening_on(tmp_path: Path) -> None:
    heads = make_heads(tmp_path, pre_roll_s=0.0)
    events = process(Pipeline("s", RATE, heads, PublishConfig(scores_hz=100)), sound(RATE, [(1.0, 3.0)], 3.0))
    (listening,) = of(events, "genre", "listening")
    first = next(e.stop for e in events if isinstance(e, Scores) and "genre" in e.heads)
    assert first >= listening.stop + (WARM_UP_FRAMES - 1) * 1_280


def test_after_a_gap_all_is_closed(heads: list[Head]) -> None:
    x = sound(RATE, [(1.0, 3.0)], 3.0)
    pipeline = Pipeline("s", RATE, heads, PublishConfig())
    before = process(pipeline, x)
    after = process(pipeline, sound(RATE, [], 2.0), first=len(x) + 999)
    assert states(before, "genre") == [("listening", ""), ("on", "low")]
    assert states(after, "genre") == [("off", "low"), ("off", "")]
    assert {(e.start, e.stop, e.epoch) for e in of(after, "genre", "off")} == {(len(x), len(x), 0)}
    assert not [e for e in after if isinstance(e, Scores) and e.epoch == 1 and "genre" in e.heads]


def test_the_end_closes_it_while_the_gate_is_open(heads: list[Head]) -> None:
    x = sound(RATE, [(1.0, 3.0)], 3.0)
    pipeline = Pipeline("s", RATE, heads, PublishConfig())
    process(pipeline, x)
    closing = pipeline.finish()
    assert states(closing, "gate") == [("off", "loud")]
    assert states(closing, "genre") == [("off", "low"), ("off", "")]
    assert {e.stop for e in of(closing, "genre", "off")} == {len(x)}


def test_an_end_before_the_gate_ever_opened_says_nothing_of_it(heads: list[Head]) -> None:
    pipeline = Pipeline("s", RATE, heads, PublishConfig())
    events = [*process(pipeline, sound(RATE, [], 1.0)), *pipeline.finish()]
    assert states(events, "genre") == []


def test_a_label_with_a_kind_of_its_own_opens_nothing(heads: list[Head]) -> None:
    apart = [replace(heads[0], own_kinds=("loud",)), *heads[1:]]
    pipeline = Pipeline("s", RATE, apart, PublishConfig())
    events = [*process(pipeline, sound(RATE, [(1.0, 3.0)], 4.0)), *pipeline.finish()]
    assert states(events, "loud") == [("off", "loud"), ("on", "loud"), ("off", "loud")]
    assert states(events, "gate") == states(events, "genre") == []


def test_each_epoch_begins_with_the_state_of_every_label_that_is_alone_in_its_kind(tmp_path: Path) -> None:
    ear = write_toy_ear(tmp_path / "ear")
    gate = OnnxModel(write_toy_head(tmp_path / "gate", ear, "gate"))
    apart = ("low", "middle", "high")  # the kind of the gate is left with `top` alone
    head = Head("gate", "gate", gate, DecisionConfig(), OnnxModel(ear), own_kinds=apart)
    quiet = sound(RATE, [], 2.0)
    pipeline = Pipeline("s", RATE, [head], PublishConfig())
    crowded = Pipeline("s", RATE, [replace(head, own_kinds=("low", "middle"))], PublishConfig())
    for first in (0, len(quiet) + 999):  # sound is lost between the two
        events = process(pipeline, quiet, first=first)
        assert [states(events, kind) for kind in apart] == [[("off", label)] for label in apart]
        assert states(events, "gate") == [("off", "top")]
        assert states(process(crowded, quiet, first=first), "gate") == []  # of `high` and `top`


def test_a_gate_is_open_while_one_of_its_labels_goes_on() -> None:
    gate = GateState()
    opening = gate.switches([Change("music", "off", 0, 10, 0.1), Change("music", "on", 20, 50, 0.9)])
    assert opening == [Switch(True, 20, 50)]
    assert gate.switches([Change("music", "update", 20, 60, 0.9), Change("choir", "on", 50, 70, 0.9)]) == []
    assert gate.switches([Change("music", "off", 70, 90, 0.1)]) == []
    assert gate.switches([Change("choir", "off", 80, 95, 0.1)]) == [Switch(False, 80, 95)]


@dataclass
class ListedRun:
    """Items that a `Listed` was given since it opened."""

    items: list[int]


class Listed(Gated[ListedRun, tuple[str, list[int]]]):
    """Lists the items of its pre-roll, of each step and of the end; a pre-roll has 4 items."""

    def __init__(self, delay_samples: int) -> None:
        super().__init__(Timeline(), history_items=4, delay_samples=delay_samples)

    def _pre_roll_start(self, opening: int) -> int:
        return max(0, opening - 4)

    def _open(
        self, pre_roll: Array | None, first: int, switch: Switch
    ) -> Calls[tuple[ListedRun, list[tuple[str, list[int]]]]]:
        yield from ()
        items = [] if pre_roll is None else pre_roll[0].tolist()
        assert not items or first == items[0]
        return ListedRun([]), [("open", items)]

    def _process(self, items: Array, run: ListedRun, power_at: PowerAt) -> Calls[list[tuple[str, list[int]]]]:
        yield from ()
        run.items += items[0].tolist()
        return []

    def _close(self, at: int, run: ListedRun, power_at: PowerAt) -> list[tuple[str, list[int]]]:
        return [("close", run.items)]

    def _finish(
        self, items: Array | None, end: int, run: ListedRun, power_at: PowerAt
    ) -> list[tuple[str, list[int]]]:
        run.items += [] if items is None else items[0].tolist()
        return []


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 40])
@pytest.mark.parametrize("delay", [0, 1, 7])
def test_switches_are_carried_out_between_the_same_items_however_they_come(cut: int, delay: int) -> None:
    listed, state, found = Listed(delay), GatedState[ListedRun](), []
    switches = [
        Switch(True, 0, 3),
        Switch(False, 0, 9),
        Switch(True, 0, 12),
        Switch(False, 0, 13),
        Switch(True, 0, 21),
    ]
    for first in range(0, 40, cut):
        items = np.arange(first, min(first + cut, 40))
        listed.add(items[None], state)
        new = [switch for switch in switches if first < switch.at <= first + len(items)]
        found += run_alone(listed.advance(new, first + len(items), state))
        assert sum(piece.shape[1] for piece in state.pieces) < 4 + cut + delay
    found += listed.finish([], 40, state) + listed.close(40, state)
    opened = [max(0, at + delay - 1) for at in (3, 9, 12, 13, 21)]  # item k is complete at sample k + 1
    spans = [(opened[0], opened[1]), (opened[2], opened[3]), (opened[4], 40)]
    expected = []
    for start, stop in spans:
        expected += [("open", list(range(max(0, start - 4), start))), ("close", list(range(start, stop)))]
    assert found == expected


@pytest.mark.parametrize("every", [37 * RATE, 160, 1_234])
def test_a_gated_head_names_nothing_below_its_floor_though_its_gate_is_open(
    heads: list[Head], every: int
) -> None:
    x = sound(RATE, [(1.0, 4.0)], 5.0)  # at -10.5 dBFS
    found = []
    for floor_dbfs in (-120.0, -12.0, -9.0):
        gate, _, genre = heads
        own = replace(genre, decisions=replace(genre.decisions, floor_dbfs=floor_dbfs))
        pipeline = Pipeline("s", RATE, [gate, own], PublishConfig())
        events = [*process(pipeline, x, range(every, len(x), every)), *pipeline.finish()]
        found.append([state for state, label in states(events, "genre") if label])
    assert found == [["on", "off"], ["on", "off"], []]
