"""Stems and voice among a stream's other events: opened by the gate, the same however cut, anew after a gap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.config import Config
from streamer.config_sections import ModelsConfig, PublishConfig, StemsConfig
from streamer.errors import ConfigError, ModelError
from streamer.events.kinds import Decision, Event, Stem
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.inference.model_cache import ModelCache
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.build_separation import build_separation
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.stream_models import StreamModels
from streamer.separation.gated_separation import Separation
from streamer.sources.source import Block
from tests.toy_model import write_toy_model
from tests.toy_separation import without_offset, write_toy_separation

DECISIONS = DecisionConfig(min_on_ms=100, min_off_ms=100)


@pytest.fixture
def gate(tmp_path: Path) -> Head:
    return Head("gate", "gate", OnnxModel(write_toy_model(tmp_path / "gate")), DECISIONS)


@pytest.fixture
def separation(tmp_path: Path) -> Separation:
    model = OnnxModel(write_toy_separation(tmp_path / "separation", 0.25))
    return Separation("voice", "voice", model, DECISIONS, opened_by="gate")


def sound(rate_hz: int, channels: int = 1) -> Array:
    """A second of silence, two of noise, two of silence."""
    rng = np.random.default_rng(1)
    x = np.zeros((5 * rate_hz, channels), np.float32)
    x[rate_hz : 3 * rate_hz] = rng.normal(0, 0.2, (2 * rate_hz, channels))
    return x


def pipeline(gate: Head, separation: Separation | None, rate_hz: int) -> Pipeline:
    return Pipeline("s", Column(rate_hz, [gate], PublishConfig()), separation)


def process(pipeline: Pipeline, x: Array, cuts: list[int], first: int = 0) -> list[Event]:
    events = []
    for a, b in zip([0, *cuts], [*cuts, len(x)], strict=True):
        events += pipeline.step(Block(first + a, x[a:b], None))
    return events


def stems(events: list[Event], label: str = "voice") -> list[Stem]:
    return [event for event in events if isinstance(event, Stem) and event.label == label]


def voices(events: list[Event]) -> list[tuple[str, int, int]]:
    return [(e.state, e.start, e.stop) for e in events if isinstance(e, Decision) and e.kind == "voice"]


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (48_000, 2), (44_100, 1)])
def test_stems_are_there_while_the_gate_is_open(
    gate: Head, separation: Separation, rate_hz: int, channels: int
) -> None:
    x = sound(rate_hz, channels)
    made = pipeline(gate, separation, rate_hz)
    events = process(made, x, []) + made.finish()
    (opened,) = [e.stop for e in events if isinstance(e, Decision) and e.kind == "gate" and e.state == "on"]
    closed = [e.stop for e in events if isinstance(e, Decision) and e.kind == "gate" and e.state == "off"][-1]
    voice, music = stems(events), stems(events, "music")
    late = voice[0].start - opened
    assert 0 <= late <= 0.02 * rate_hz
    assert voice[-1].stop == closed + late
    assert voice[0].samples.shape[1] == channels
    together = np.concatenate([a.samples + b.samples for a, b in zip(voice, music, strict=True)])
    inner = slice(rate_hz // 100, -rate_hz // 100)
    np.testing.assert_allclose(together[inner], x[voice[0].start : voice[-1].stop][inner], atol=1e-6)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_any_cutting_gives_the_same_stems_and_voices(
    gate: Head, separation: Separation, rate_hz: int
) -> None:
    x = sound(rate_hz)
    whole = process(pipeline(gate, separation, rate_hz), x, [])
    rng = np.random.default_rng(7)
    for cuts in (list(range(480, len(x), 480)), sorted(rng.integers(0, len(x), 100).tolist())):
        found = process(pipeline(gate, separation, rate_hz), x, cuts)
        assert [(e.start, e.stop) for e in stems(found)] == [(e.start, e.stop) for e in stems(whole)]
        for one, other in zip(stems(found), stems(whole), strict=True):
            np.testing.assert_allclose(one.samples, other.samples, atol=1e-6)
        assert voices(found) == voices(whole)


def test_stems_wait_for_nothing_but_their_own_latency(gate: Head, separation: Separation) -> None:
    """The gate's decision on a sample is 16 ms late at 48 kHz; stems are not held back until then."""
    x = sound(48_000)
    made = pipeline(gate, separation, 48_000)
    late = []
    for first in range(0, len(x), 480):
        events = made.step(Block(first, x[first : first + 480], None))
        late += [first + 480 - event.stop for event in stems(events)]
    assert max(late) < 960  # 20 ms, by which the first sample of a piece is late; its last one less


def test_a_gap_ends_stems_softly_and_they_begin_anew(gate: Head, separation: Separation) -> None:
    x = sound(16_000)[16_000:48_000]
    made = pipeline(gate, separation, 16_000)
    before = process(made, x, [])
    after = process(made, x, [], first=100_000)
    ended = stems(after)[: next(n for n, e in enumerate(stems(after)) if e.epoch == 1)]
    assert ended[-1].stop == len(x)
    assert abs(ended[-1].samples[-1, 0]) < 1e-3
    begun = [e for e in stems(after) if e.epoch == 1]
    assert begun[0].start > 100_000
    assert [e.samples.shape for e in begun] == [e.samples.shape for e in stems(before)]


def test_what_is_no_sound_is_muted_and_spreads_nowhere(gate: Head, separation: Separation) -> None:
    x = sound(16_000)
    x[30_000:30_100] = np.nan
    made = pipeline(gate, separation, 16_000)
    events = process(made, x, list(range(1_600, len(x), 1_600)))
    assert made.muted_samples == 100
    voice = stems(events)
    found = np.concatenate([event.samples for event in voice])[160:-160, 0]
    begun = voice[0].start - 16_000  # the second before the opening is heard first
    left = without_offset(np.nan_to_num(x[begun:]))
    expected = left[16_160 : 16_160 + len(found), 0] / 4
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_is_no_sound_changes_nothing_of_how_it_may_be_cut(gate: Head, separation: Separation) -> None:
    x = 20 * sound(16_000)
    x[30_000:30_100] = np.nan
    always = replace(separation, opened_by=None)
    found = [
        voices(process(pipeline(gate, always, 16_000), x, cuts))
        for cuts in ([], [20_000], list(range(160, 80_000, 160)))
    ]
    assert found[0] == found[1] == found[2]


def test_thresholds_of_the_voice_that_do_not_go_together_are_refused(separation: Separation) -> None:
    with pytest.raises(
        ConfigError, match=r"voice are on = 0\.2 .*, off = 0\.4 \(from model separation\) for voice"
    ):
        replace(separation, decisions=DecisionConfig(on=0.2))


def test_without_a_separation_there_are_no_stems(gate: Head) -> None:
    events = process(pipeline(gate, None, 16_000), sound(16_000), [])
    assert not stems(events)
    assert not voices(events)


def test_a_separation_is_loaded_where_it_is_named_or_stems_are_asked_for(tmp_path: Path, gate: Head) -> None:
    folder = str(write_toy_separation(tmp_path / "apart"))
    named = Config(models=ModelsConfig({"separation": folder}))
    found = build_separation(named, [gate], ModelCache())
    assert found is not None
    assert found.opened_by == "gate"
    assert StreamModels((gate,), found).versions["separation"].startswith("apart@")
    alone = build_separation(named, [], ModelCache())
    assert alone is not None
    assert alone.opened_by is None
    assert build_separation(Config(), [gate], ModelCache()) is None


def test_a_label_that_the_separation_does_not_have_is_refused(tmp_path: Path, gate: Head) -> None:
    folder = str(write_toy_separation(tmp_path / "apart"))
    config = Config(
        models=ModelsConfig({"separation": folder}), decisions={"voice": DecisionConfig(labels=("voice",))}
    )
    assert build_separation(config, [gate], ModelCache()) is not None
    wrong = replace(config, decisions={"voice": DecisionConfig(labels=("music",))})
    with pytest.raises(
        ConfigError, match=r"\[voice\] labels has 'music'; expected labels of the model apart"
    ):
        build_separation(wrong, [gate], ModelCache())


def test_stems_without_a_model_name_the_way_out(gate: Head) -> None:
    config = Config(models=ModelsConfig({"separation": "off"}), stems=StemsConfig(publish=True))
    with pytest.raises(
        ConfigError, match="no model takes them apart; name one, as in --model separation=FOLDER"
    ):
        build_separation(config, [gate], ModelCache())


def test_a_gate_is_no_separation(tmp_path: Path, gate: Head) -> None:
    config = Config(models=ModelsConfig({"separation": str(tmp_path / "gate")}))
    with pytest.raises(ModelError, match="decides 'gate'; expected a model whose task is 'separation'"):
        build_separation(config, [gate], ModelCache())


def test_a_stem_that_is_none_is_not_played() -> None:
    with pytest.raises(ConfigError, match="stems play is 'drums'; expected voice or music, or nothing"):
        StemsConfig(play="drums")


def test_an_unknown_form_of_files_names_those_that_are() -> None:
    with pytest.raises(ConfigError, match="stems form is 'mp3'; expected one of flac, wav"):
        StemsConfig(form="mp3")


@pytest.mark.parametrize("opened_by", ["gate", None])
def test_below_its_floor_there_is_no_voice(gate: Head, separation: Separation, opened_by: str | None) -> None:
    """The noise is at -14 dBFS."""
    x = sound(16_000)

    def found(floor_dbfs: float, cuts: list[int]) -> list[str]:
        decisions = replace(DECISIONS, floor_dbfs=floor_dbfs)
        made = pipeline(gate, replace(separation, opened_by=opened_by, decisions=decisions), 16_000)
        return [state for state, _, _ in voices(process(made, x, cuts) + made.finish()) if state != "update"]

    for floor_dbfs, states in ((-120.0, ["on", "off"]), (-16.0, ["on", "off"]), (-12.0, ["off"])):
        for cuts in ([], list(range(480, len(x), 480))):
            assert found(floor_dbfs, cuts)[-len(states) :] == states
    assert "on" not in found(-12.0, [])
