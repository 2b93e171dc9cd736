"""The pipeline: the same events however the sound is cut, placed on its samples; gaps; bad samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.config_sections import PublishConfig
from streamer.dsp.log_mel import LogMelConfig
from streamer.events.kinds import Decision, Event, Level, Scores, Spectrum
from streamer.events.serialization import encode
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from streamer.sources.source import Block
from tests.toy_model import HOP_FRAMES, write_toy_model

SECOND = 16_000


@pytest.fixture
def head(tmp_path: Path) -> Head:
    config = DecisionConfig(min_on_ms=100, min_off_ms=100)
    return Head("gate", "gate", OnnxModel(write_toy_model(tmp_path / "toy")), config)


def sound(rate_hz: int, channels: int = 1) -> Array:
    """A second of silence, two of noise, two of silence."""
    rng = np.random.default_rng(1)
    x = np.zeros((5 * rate_hz, channels), np.float32)
    x[rate_hz : 3 * rate_hz] = rng.normal(0, 0.2, (2 * rate_hz, channels))
    return x


def process(pipeline: Pipeline, x: Array, cuts: list[int], first: int = 0) -> list[Event]:
    events = []
    for a, b in zip([0, *cuts], [*cuts, len(x)], strict=True):
        events += pipeline.step(Block(first + a, x[a:b], None))
    return events


def in_order(events: list[Event]) -> bool:
    """Return whether stops never go back; a spectrum's last frame ends shortly before it is due."""
    stops = [event.stop for event in events if not isinstance(event, Spectrum)]
    return stops == sorted(stops)


def make(head: Head, rate_hz: int, **publish: object) -> Pipeline:
    return Pipeline("s", Column(rate_hz, [head], PublishConfig(**publish)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (48_000, 2), (44_100, 1), (8_000, 1)])
def test_any_cutting_gives_the_same_bytes(head: Head, rate_hz: int, channels: int) -> None:
    x = sound(rate_hz, channels)
    rng = np.random.default_rng(7)
    cuttings = [
        [],
        list(range(160, len(x), 160)),
        sorted(rng.integers(0, len(x), 40).tolist()),
        [5, 5, 5, 6, 13, rate_hz],
    ]
    encoded = []
    for cuts in cuttings:
        pipeline = make(head, rate_hz, spectrum=True)
        events = process(pipeline, x, cuts) + pipeline.finish()
        encoded.append([encode(event) for event in events])
    assert len(encoded[0]) > 100
    assert all(other == encoded[0] for other in encoded[1:])


def test_what_is_not_wanted_is_counted_and_changes_nothing_else(head: Head) -> None:
    """Kinds that nobody wants for a while leave out their own events, and the others are the same to the byte."""
    x, blocks = sound(SECOND), range(0, 5 * SECOND, 800)
    asking, plain = make(head, SECOND, spectrum=True), make(head, SECOND, spectrum=True)
    unwanted = {"scores": range(30), "level": range(20, 70), "spectrum": range(40, 100)}
    for n, first in enumerate(blocks):
        block = Block(first, x[first : first + 800], None)
        asking.demand.unwanted = {kind for kind, steps in unwanted.items() if n in steps}
        want_all, events = plain.step(block), asking.step(block)
        kept = [event for event in want_all if event.kind not in asking.demand.unwanted]
        assert list(map(encode, events)) == list(map(encode, kept))
        assert asking.demand.take_unmade() == Counter(event.kind for event in want_all if event not in kept)
    want_all, events = plain.finish(), asking.finish()
    assert [event.kind for event in want_all] == ["spectrum"]
    assert not events
    assert asking.demand.take_unmade() == {"spectrum": 1}


@pytest.mark.parametrize("rate_hz", [16_000, 48_000, 44_100])
def test_decisions_are_placed_on_the_captured_samples(head: Head, rate_hz: int) -> None:
    pipeline = make(head, rate_hz)
    events = process(pipeline, sound(rate_hz), []) + pipeline.finish()
    decisions = [
        (e.state, e.start / rate_hz) for e in events if isinstance(e, Decision) and e.state != "update"
    ]
    assert [state for state, _ in decisions] == ["off", "on", "off"]
    assert decisions[0][1] == 0
    assert decisions[1][1] == pytest.approx(1.0, abs=0.08)
    assert decisions[2][1] == pytest.approx(3.0, abs=0.12)


def test_events_come_in_the_order_of_the_sound(head: Head) -> None:
    events = process(make(head, SECOND, spectrum=True, level_hz=10), sound(SECOND), [])
    assert in_order(events)
    assert {type(event) for event in events} == {Decision, Level, Scores, Spectrum}


def test_levels_are_those_of_the_sound(head: Head) -> None:
    x = np.zeros((SECOND, 1), np.float32)
    x[SECOND // 2 :] = 0.5
    levels = [e for e in process(make(head, SECOND, level_hz=2), x, []) if isinstance(e, Level)]
    assert [(e.start, e.stop) for e in levels] == [(0, 8_000), (8_000, 16_000)]
    assert [(e.rms_dbfs, e.peak_dbfs) for e in levels] == [(-120.0, -120.0), (-6.02, -6.02)]


def test_spectrum_frames_are_all_there_once(head: Head) -> None:
    spectra = [
        e
        for e in process(make(head, SECOND, spectrum=True, level_hz=10), sound(SECOND), [])
        if isinstance(e, Spectrum)
    ]
    assert sum(len(e.frames) for e in spectra) == (5 * SECOND - 400) // 160 + 1
    assert spectra[0].front_end == LogMelConfig().fingerprint
    assert (spectra[0].start, spectra[0].stop) == (240, 7 * 160 + 400)


def test_running_values_come_with_steps_of_a_model_about_ten_times_a_second(head: Head) -> None:
    """The toy steps every 40 ms, so each second step is one; a result is there with each of them."""
    events = process(make(head, SECOND), sound(SECOND), [])
    step, first = HOP_FRAMES * 160, (HOP_FRAMES - 1) * 160 + 400
    for kind in (Level, Scores):
        stops = [event.stop for event in events if isinstance(event, kind)]
        assert stops[-1] - stops[0] == 2 * step * (len(stops) - 1)
        assert (stops[0] - first) % (2 * step) == 0
    levels = [event for event in events if isinstance(event, Level)]
    assert levels[0].start == 0
    assert all(sooner.stop == later.start for sooner, later in pairwise(levels))


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_running_values_come_with_the_sample_that_was_wanted(head: Head, rate_hz: int) -> None:
    pipeline, x = make(head, rate_hz, level_hz=10, scores_hz=10), sound(rate_hz)
    stops: dict[type[Event], list[int]] = {Level: [], Scores: []}
    while (wanted := pipeline.position + pipeline.wanted_samples) <= len(x):
        for stop in (wanted - 1, wanted):
            for event in pipeline.step(Block(first := pipeline.position, x[first:stop], None)):
                if isinstance(event, Level | Scores):
                    assert stop == wanted
                    stops[type(event)].append(event.stop)
    assert stops[Level] == [round((n + 1) * rate_hz / 10) for n in range(len(stops[Level]))]
    assert len(stops[Level]) >= 10 * (len(x) // rate_hz) - 1
    assert len(stops[Scores]) > 5


def test_a_gap_closes_what_goes_on_and_starts_anew(head: Head) -> None:
    x = sound(SECOND)
    pipeline = make(head, SECOND)
    before = process(pipeline, x[: 2 * SECOND], [])
    after = process(pipeline, x[SECOND : 3 * SECOND], [], first=10 * SECOND)
    closed = next(e for e in after if isinstance(e, Decision))
    assert (closed.state, closed.start, closed.stop, closed.epoch) == ("off", 2 * SECOND, 2 * SECOND, 0)
    fresh = make(head, SECOND)
    again = process(fresh, x[SECOND : 3 * SECOND], [])
    opened = [e for e in after if isinstance(e, Decision)][1]
    expected = next(e for e in again if isinstance(e, Decision))
    assert (opened.state, opened.start - 10 * SECOND, opened.score) == ("on", expected.start, expected.score)
    assert {e.epoch for e in before} == {0}
    assert {e.epoch for e in after if e is not closed} == {1}


def test_what_comes_after_a_gap_is_what_a_new_stream_would_hear(head: Head) -> None:
    rate_hz, gap = 48_000, 7_001
    x = sound(rate_hz)[: 2 * rate_hz + 500]
    whole = make(head, rate_hz, spectrum=True)
    encoded = process(whole, x, [rate_hz]) + process(whole, x, [rate_hz], first=len(x) + gap) + whole.finish()
    fresh = make(head, rate_hz, spectrum=True)
    expected = process(fresh, x, []) + fresh.finish()
    assert len(expected) > 40
    moved = [
        replace(event, epoch=1, start=event.start + len(x) + gap, stop=event.stop + len(x) + gap)
        for event in expected
    ]
    assert [encode(event) for event in encoded] == [encode(event) for event in [*expected, *moved]]


def test_all_frames_are_told_at_the_end(head: Head) -> None:
    pipeline = make(head, SECOND, spectrum=True)
    events = process(pipeline, sound(SECOND)[:17_500], []) + pipeline.finish()
    assert sum(len(e.frames) for e in events if isinstance(e, Spectrum)) == (17_500 - 400) // 160 + 1


def test_a_stream_without_sound_has_no_epoch_to_end(head: Head) -> None:
    pipeline = make(head, SECOND)
    process(pipeline, sound(SECOND), [], first=500)
    assert pipeline.epoch == 0


def test_the_end_closes_what_goes_on(head: Head) -> None:
    pipeline = make(head, SECOND)
    process(pipeline, sound(SECOND)[: 2 * SECOND], [])
    (last,) = [e for e in pipeline.finish() if isinstance(e, Decision)]
    assert (last.state, last.start) == ("off", 2 * SECOND)


def test_what_is_no_sound_is_muted_and_counted_and_does_not_spread(head: Head) -> None:
    x = sound(SECOND)
    bad = x.copy()
    bad[100:110] = np.nan
    bad[200:205] = np.inf
    bad[300] = -1e30
    clean = x.copy()
    clean[100:110] = clean[200:205] = clean[300] = 0
    pipeline, reference = make(head, SECOND), make(head, SECOND)
    encoded = [encode(e) for e in process(pipeline, bad, [])]
    assert pipeline.muted_samples == 16
    assert encoded == [encode(e) for e in process(reference, clean, [])]


def test_heads_that_agree_share_one_front_end(tmp_path: Path) -> None:
    other = LogMelConfig(
        sample_rate_hz=22_050, window_samples=2_048, hop_samples=512, fft_samples=2_048, mel_bands=128,
        mel_low_hz=0, mel_high_hz=11_025, mel_scale="slaney", mel_triangles="hz", mel_norm="area", power=2,
    )  # fmt: skip
    heads = [
        Head("gate", "gate", OnnxModel(write_toy_model(tmp_path / "a")), DecisionConfig()),
        Head("sound", "sound", OnnxModel(write_toy_model(tmp_path / "b")), DecisionConfig()),
        Head("genre", "genre", OnnxModel(write_toy_model(tmp_path / "c", other)), DecisionConfig()),
    ]
    pipeline = Pipeline("s", Column(SECOND, heads, PublishConfig(spectrum=True)))
    events = process(pipeline, sound(SECOND), list(range(1_000, 5 * SECOND, 1_000))) + pipeline.finish()
    spectra = [e.front_end for e in events if isinstance(e, Spectrum)]
    assert set(spectra) == {LogMelConfig().fingerprint, other.fingerprint}
    scores = [e for e in events if isinstance(e, Scores)][-1].heads
    assert scores["gate"] == scores["sound"]
    assert set(scores) == {"gate", "sound", "genre"}
    assert in_order(events)


def test_the_next_level_is_wanted_and_no_sample_more() -> None:
    pipeline = Pipeline("s", Column(SECOND, [], PublishConfig(level_hz=10, scores_hz=1)))
    assert pipeline.wanted_samples == SECOND // 10
    process(pipeline, sound(SECOND)[:1_000], [])
    assert pipeline.wanted_samples == SECOND // 10 - 1_000


def test_channels_that_cancel_are_told_with_the_first_that_was_heard_instead() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 6 * SECOND).astype(np.float32)
    pipeline = Pipeline("s", Column(SECOND, [], PublishConfig()))
    for gains in ((1.0, -1.1), (1.0, 1.0), (1.1, -1.0)):  # in between, the mean comes back
        process(pipeline, np.stack([gain * noise for gain in gains], axis=1), [], pipeline.position)
        assert "the 2 channels cancel each other (one is inverted): channel 2 is heard" in pipeline.cancelled
