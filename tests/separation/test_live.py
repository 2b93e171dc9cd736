"""Live separation: only while the gate is open, exact to the sample, the same however the sound is cut, no clicks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.dsp.model_calls import run_alone
from streamer.head_slots import DecisionConfig
from streamer.heads.gating import GatedState, Switch
from streamer.heads.head_decisions import decisions_for, thresholds_for
from streamer.inference.onnx import OnnxModel
from streamer.separation.live import LiveSeparation, SeparationRun, StemPiece, VoiceResult
from tests.toy_separation import without_offset, write_toy_separation

RATE_HZ = 16_000
LATE = 20
FADE = 160
ALWAYS = [Switch(opens=True, since=0, at=0)]
OPENED = [Switch(opens=True, since=0, at=5_003), Switch(opens=False, since=0, at=20_011)]


@pytest.fixture
def model(tmp_path: Path) -> OnnxModel:
    return OnnxModel(write_toy_separation(tmp_path / "toy", 0.25))


def live(model: OnnxModel, gated: bool = True, channels: int = 1) -> LiveSeparation:
    config, manifest = DecisionConfig(min_on_ms=100.0, min_off_ms=100.0), model.manifest
    thresholds = thresholds_for("voice", manifest, config, "balanced")
    decisions = decisions_for(manifest, thresholds, config, RATE_HZ, warm_up_samples=0, tells_state=(True,))
    return LiveSeparation(model, RATE_HZ, channels, decisions, gated, LATE)


def noise(samples: int, channels: int = 1, level: float = 0.1) -> Array:
    return (level * np.random.default_rng(0).standard_normal((samples, channels))).astype(np.float32)


def process(
    separation: LiveSeparation, x: Array, switches: list[Switch], cuts: list[int]
) -> list[StemPiece | VoiceResult]:
    """Return the results for a sound cut at `cuts`, in which each switch comes when it must be known."""
    state, given, waiting = GatedState[SeparationRun](), [], list(switches)
    for a, b in zip([0, *cuts], [*cuts, len(x)], strict=True):
        known = [switch for switch in waiting if switch.at <= max(0, b - LATE)]
        waiting = waiting[len(known) :]
        separation.add(x[None, a:b], state)
        given += run_alone(separation.advance(known, b, state))
    return given + separation.finish([], len(x), state) + separation.close(len(x), state)


def pieces(given: list[StemPiece | VoiceResult]) -> list[StemPiece]:
    return [one for one in given if isinstance(one, StemPiece)]


def joined(given: list[StemPiece | VoiceResult], stem: str = "voice") -> Array:
    return np.concatenate([getattr(part, stem) for part in pieces(given)])


def changes(given: list[StemPiece | VoiceResult]) -> list[tuple[str, int, int]]:
    return [(c.state, c.since, c.at) for one in given if isinstance(one, VoiceResult) for c in one.changes]


def test_stems_lie_where_the_gate_is_open_sample_by_sample(model: OnnxModel) -> None:
    x = noise(30_000)
    given = process(live(model), x, OPENED, [])
    first, last = 5_003 + LATE, 20_011 + LATE
    assert pieces(given)[0].start == first
    assert pieces(given)[-1].stop == last
    assert all(a.stop == b.start for a, b in zip(pieces(given), pieces(given)[1:], strict=False))
    voice, music = joined(given), joined(given, "music")
    begun = first % 160  # whole hops before the opening are heard first
    left = without_offset(x[begun:last])
    inner = slice(FADE, -FADE)
    np.testing.assert_allclose(voice[inner], 0.25 * left[first - begun :][inner], atol=1e-6)
    np.testing.assert_allclose((voice + music)[inner], x[first:last][inner], atol=1e-6)


@pytest.mark.parametrize("stem", ["voice", "music"])
def test_stems_begin_and_end_softly(model: OnnxModel, stem: str) -> None:
    x = np.sin(np.pi * np.arange(30_000) / 200, dtype=np.float32)[:, None]  # 40 Hz
    found = joined(process(live(model), x, OPENED, []), stem)[:, 0]
    assert abs(found[0]) < 1e-3
    assert abs(found[-1]) < 1e-3
    assert np.abs(np.diff(found)).max() < 0.02
    assert np.abs(found).max() > 0.2


@pytest.mark.parametrize("gated", [True, False])
def test_any_cutting_gives_the_same(model: OnnxModel, gated: bool) -> None:
    x = noise(24_000, channels=2)
    switches = OPENED if gated else ALWAYS
    whole = process(live(model, gated, channels=2), x, switches, [])
    rng = np.random.default_rng(3)
    for cuts in (
        list(range(160, 24_000, 160)),
        sorted(rng.integers(0, 24_000, 60).tolist()),
        [5_010, 5_023, 20_031],
    ):
        found = process(live(model, gated, channels=2), x, switches, cuts)
        assert [(p.start, p.stop) for p in pieces(found)] == [(p.start, p.stop) for p in pieces(whole)]
        for stem in ("voice", "music"):
            np.testing.assert_allclose(joined(found, stem), joined(whole, stem), atol=1e-6)
        assert changes(found) == changes(whole)


def test_without_a_gate_everything_is_apart(model: OnnxModel) -> None:
    x = noise(8_123)
    given = process(live(model, gated=False), x, ALWAYS, [4_000])
    assert (pieces(given)[0].start, pieces(given)[-1].stop) == (0, 8_123)


def test_an_opening_hears_the_second_before_it(model: OnnxModel) -> None:
    """The toy's probability of a voice depends on all frames before: after a loud past it is high at once."""
    x = noise(30_000, level=5.0)
    x[16_000:] = 0.0
    given = process(live(model), x, [Switch(opens=True, since=0, at=16_000)], [])
    assert changes(given)[0][0] == "on"
    quiet = process(live(model), np.zeros_like(x), [Switch(opens=True, since=0, at=16_000)], [])
    assert changes(quiet)[0][0] == "off"


def test_a_gate_may_open_again_and_again(model: OnnxModel) -> None:
    x = noise(40_000)
    switches = [Switch(n % 2 == 0, 0, 3_000 + 1_700 * n) for n in range(20)]
    found = pieces(process(live(model), x, switches, list(range(0, 40_000, 1_000))[1:]))
    spans = [(switches[n].at + LATE, switches[n + 1].at + LATE) for n in range(0, 20, 2)]
    starts = [
        part.start
        for part, before in zip(found, [None, *found], strict=False)
        if not before or before.stop != part.start
    ]
    assert starts == [start for start, _ in spans]


def test_a_voice_that_goes_on_ends_with_the_sound(model: OnnxModel) -> None:
    given = process(live(model, gated=False), noise(16_000, level=5.0), ALWAYS, [])
    assert [state for state, *_ in changes(given)][-1] == "off"
    assert changes(given)[-1][2] == 16_000
