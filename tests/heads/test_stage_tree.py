"""The tree of stages: shared stages are stepped once, and every item lies at its place on the captured sound."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array, State
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.model_calls import StepResult
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain, offline
from streamer.errors import ModelError
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.heads.results import HeadResult
from streamer.heads.stage_tree import StageTree
from streamer.heads.tree_clock import NEVER
from streamer.inference.model_folders import read_manifest
from streamer.inference.onnx import OnnxModel
from tests.heads.one_stream import known_until, next_known, processed, step
from tests.toy_model import EAR_HOP_FRAMES, HOP_FRAMES, write_toy_ear, write_toy_head, write_toy_model

RATE = 16_000
WARM_UP_FRAMES = 3


class Counted(OnnxModel):
    """Counts its steps, by model."""

    def __init__(self, folder: Path, steps: Counter[str]) -> None:
        self.steps = steps
        super().__init__(folder)

    def run(self, x: Array, state: State) -> StepResult:
        self.steps[self.manifest.name] += x.shape[1] // self.manifest.hop_frames
        return super().run(x, state)


@pytest.fixture
def steps() -> Counter[str]:
    return Counter()


@pytest.fixture
def heads(tmp_path: Path, steps: Counter[str]) -> list[Head]:
    """Make a gate on the front end, and two heads on an ear; nothing is gated."""
    ear = Counted(write_toy_ear(tmp_path / "ear"), steps)

    def on_the_ear(name: str, kind: str, exclusive: bool) -> Head:
        folder = write_toy_head(tmp_path / name, tmp_path / "ear", name, exclusive, WARM_UP_FRAMES)
        return Head(name, kind, Counted(folder, steps), DecisionConfig(), ear)

    gate = Head("gate", "gate", Counted(write_toy_model(tmp_path / "gate"), steps), DecisionConfig())
    return [gate, on_the_ear("sounds", "sound", False), on_the_ear("genre", "genre", True)]


def noise(seconds: float, rate_hz: int = RATE) -> Array:
    return np.random.default_rng(1).normal(0, 0.1, round(seconds * rate_hz)).astype(np.float32)


def test_what_heads_share_is_stepped_once(heads: list[Head], steps: Counter[str]) -> None:
    tree = StageTree(heads, RATE, with_frames=False)
    state = tree.init()
    steps.clear()
    x = noise(2.0)
    embeddings = offline(Chain(LogMel(), heads[1].path[1]), x[None]).shape[1]
    steps.clear()
    for first in range(0, len(x), 160):
        step(tree, x[first : first + 160], state)
    frames = (len(x) - 400) // 160 + 1
    assert embeddings == frames // EAR_HOP_FRAMES
    assert steps == {
        "gate": frames // HOP_FRAMES,
        "ear": embeddings,
        "sounds": embeddings,
        "genre": embeddings,
    }


def test_results_are_placed_where_they_are_known(heads: list[Head]) -> None:
    tree = StageTree(heads, RATE, with_frames=False)
    state = tree.init()
    given: dict[str, list[int]] = {"gate": [], "sounds": [], "genre": []}
    x = noise(1.2)
    for n in range(len(x)):
        for result in step(tree, x[n : n + 1], state):
            assert isinstance(result, HeadResult)
            assert result.stop == n + 1
            given[result.head.name].append(result.start)
    every = EAR_HOP_FRAMES * 160
    warm_up = WARM_UP_FRAMES * every + EAR_HOP_FRAMES * 160  # the head's, after the ear's
    first = next(k for k in range(100) if k * every + every + 240 > warm_up)
    assert given["sounds"] == given["genre"]
    assert given["sounds"] == [k * every + 240 for k in range(first, first + len(given["sounds"]))]
    assert len(given["sounds"]) == 11


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 8_000])
def test_items_of_a_chain_lie_on_the_captured_samples(heads: list[Head], rate_hz: int) -> None:
    tree = StageTree(heads, rate_hz, with_frames=False)
    state = tree.init()
    x = noise(1.5, rate_hz)
    results = [*step(tree, x, state), *tree.finish(state)]
    given = [o for o in results if isinstance(o, HeadResult) and o.head.name == "sounds"]
    chain = Chain(Resample(rate_hz, RATE), *heads[1].path)
    scores = offline(chain, x[None])[0]
    skipped = len(scores) - len(given)
    for k, one in enumerate(given, skipped):
        known_samples = (k + 1) * EAR_HOP_FRAMES * 160 + 240  # at the rate of the front end
        assert one.stop == min(-(-known_samples * rate_hz // RATE), len(x))
        np.testing.assert_array_equal(one.scores, scores[k])


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100, 48_000])
def test_the_next_result_is_known_when_predicted_and_not_before(heads: list[Head], rate_hz: int) -> None:
    tree, sound = StageTree(heads, rate_hz, with_frames=False), noise(2, rate_hz)
    state = tree.init()
    waiting: list[int] = []
    for _ in range(20):
        first, last = processed(state), next_known(tree, state, min(waiting, default=NEVER))
        waiting += [result.stop for result in step(tree, sound[first : last - 1], state)]
        assert not [stop for stop in waiting if stop <= known_until(state)]
        waiting += [result.stop for result in step(tree, sound[last - 1 : last], state)]
        # While a head warms up, what was predicted is no result.
        waiting = [stop for stop in waiting if stop > known_until(state)]
        assert processed(state) == last


def test_an_ear_of_another_release_is_refused(tmp_path: Path) -> None:
    ear = write_toy_ear(tmp_path / "ear")
    head = OnnxModel(write_toy_head(tmp_path / "sounds", ear, "sounds"))
    manifest = replace(read_manifest(ear), sha256="f" * 64)
    other = OnnxModel(ear)
    other.manifest = manifest
    with pytest.raises(
        ModelError,
        match=r"model sounds was made for the ear ear [0-9a-f]{12} and is given the ear ear f{12}: release it anew",
    ):
        Head("sounds", "sound", head, DecisionConfig(), other)
    with pytest.raises(ModelError, match=r"model sounds was made for the ear .* and is given the front end"):
        Head("sounds", "sound", head, DecisionConfig())
    gate = OnnxModel(write_toy_model(tmp_path / "gate", LogMelConfig()))
    with pytest.raises(ModelError, match="model gate was made for the front end and is given the ear"):
        Head("gate", "gate", gate, DecisionConfig(), OnnxModel(ear))


def test_a_head_that_waits_for_a_gate_that_does_not_listen_is_refused(heads: list[Head]) -> None:
    waiting = replace(heads[2], opened_by="door")
    with pytest.raises(
        ValueError, match=r"genre is opened by 'door'; expected a head .*: \['gate', 'sounds'\]"
    ):
        StageTree([*heads[:2], waiting], RATE, with_frames=False)
