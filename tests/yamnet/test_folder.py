"""Test that weights become a working folder, and that no folder is written if the model differs from them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.config_sections import PREFERENCES
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.errors import ConfigError, ModelError
from streamer.inference.model_folders import find_model
from streamer.inference.onnx import OnnxModel
from streamer.yamnet.folder import Check, hop_frames_of, write_folder
from streamer.yamnet.parity import EXACT, Tolerance, compare
from streamer.yamnet.weights import Weights
from tests import contract
from tests.yamnet.toy_weights import noise, toy_weights
from train.yamnet.torch_reference import TorchYAMNet


def write(folder: Path, weights: Weights, hop_frames: int = 10) -> Path:
    write_folder(weights, hop_frames, [Check(TorchYAMNet(weights), EXACT)], [noise()], folder)
    return folder


@pytest.mark.parametrize("relu_max", [math.inf, 6.0], ids=["ReLU", "ReLU6"])
def test_it_keeps_the_contract(tmp_path: Path, relu_max: float) -> None:
    model = OnnxModel(write(tmp_path / "yamnet", toy_weights(relu_max)))
    x = np.random.default_rng(0).normal(-3.0, 1.5, (2, 50, 64)).astype(np.float32)
    contract.check_stage(model, x, atol=1e-4)


@pytest.mark.parametrize("hop_frames", [4, 48])
def test_it_says_what_it_is(tmp_path: Path, hop_frames: int) -> None:
    folder = write(tmp_path / "mine", toy_weights(), hop_frames)
    manifest = OnnxModel(folder).manifest
    assert (manifest.name, manifest.task, manifest.labels) == (
        "mine",
        "sounds",
        tuple(toy_weights().class_names),
    )
    gate = manifest.for_slot("gate")
    assert (gate.name, gate.task, gate.labels) == ("mine", "gate", ("music",))
    assert (manifest.hop_frames, manifest.latency_frames, manifest.warm_up_frames) == (
        hop_frames,
        hop_frames,
        96,
    )
    assert manifest.states[0].shape == (96 - hop_frames, 64)
    for preference in PREFERENCES:
        assert len(manifest.thresholds(preference)) == 521
        for point in (*manifest.thresholds(preference), *gate.thresholds(preference)):
            assert 0 < point.off < point.on < 1
    text = (folder / "card.md").read_text(encoding="utf-8")
    assert manifest.sha256 in text
    assert "toy weights; Apache-2.0 (Google)" in text
    assert manifest.results["against torch, window by window"]["score_largest"] < EXACT.score


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = tmp_path / "file" / "yamnet"
    with pytest.raises(
        ModelError, match=rf"^{folder} cannot be written \(Not a directory\); expected a folder"
    ):
        write(folder, toy_weights())


def test_it_gives_the_scores_of_all_classes(tmp_path: Path) -> None:
    weights = toy_weights()
    model = OnnxModel(write(tmp_path / "yamnet", weights))
    sound = noise()
    scores = offline(model, offline(LogMel(), sound[None]))[0]
    expected, _ = TorchYAMNet(weights)(
        sound[None, 4 * 160 : 4 * 160 + 15_600]
    )  # frames 4 to 100: the tenth step
    np.testing.assert_allclose(scores[9], expected[0], rtol=0, atol=1e-5)


def test_it_is_found_by_name_in_the_user_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = write(tmp_path / "streamer" / "models" / "yamnet", toy_weights())
    assert find_model("yamnet") == folder


def test_what_differs_too_much_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    weights = toy_weights()
    bias = weights.arrays["layer13/pointwise/bias"] + 0.05
    other = replace(weights, arrays={**weights.arrays, "layer13/pointwise/bias": bias})
    folder = write(tmp_path / "yamnet", weights)
    before = (folder / "model.onnx").read_bytes()
    with pytest.raises(
        ModelError, match=r"windows against torch, .* scores differ by .*; expected at most 0\.0002"
    ):
        write_folder(other, 10, [Check(TorchYAMNet(weights), EXACT)], [noise()], folder)
    assert (folder / "model.onnx").read_bytes() == before


def test_the_wrong_activation_is_refused(tmp_path: Path) -> None:
    weights = toy_weights(6.0)
    plain = replace(weights, relu_max=math.inf)
    with pytest.raises(ModelError, match="these weights are not read as they are meant"):
        write_folder(plain, 10, [Check(TorchYAMNet(weights), EXACT)], [4.0 * noise()], tmp_path / "yamnet")
    assert not (tmp_path / "yamnet").exists()


class Silent:
    """A reference that returns NaN."""

    name = "nobody"

    def __call__(self, windows):
        return np.full((len(windows), 521), np.nan), np.full((len(windows), 1024), np.nan)


def test_a_reference_without_numbers_agrees_with_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="against nobody: scores differ by nan"):
        write_folder(
            toy_weights(), 10, [Check(Silent(), Tolerance(9.0, 9.0))], [noise()], tmp_path / "yamnet"
        )


def test_sound_too_short_to_compare_is_refused(tmp_path: Path) -> None:
    weights = toy_weights()
    with pytest.raises(ModelError, match="no sound to compare is as long as a window, 15600 samples"):
        write_folder(weights, 10, [Check(TorchYAMNet(weights), EXACT)], [noise(0.5)], tmp_path / "yamnet")


def test_the_difference_is_that_of_whole_windows(tmp_path: Path) -> None:
    weights = toy_weights()
    folder = write(tmp_path / "yamnet", weights)
    difference = compare(folder, TorchYAMNet(weights), [noise(2.0), noise(0.5), noise(1.2)])
    # 198, 48 and 118 frames: 10, 0 and 2 steps hear a whole window; of four of a sound one is compared
    assert difference.windows == 4
    assert difference.score_median <= difference.score_largest < 1e-5


@pytest.mark.parametrize(("hop_ms", "hop_frames"), [(10, 1), (100.0, 10), (950, 95)])
def test_hops_are_whole_frames(hop_ms: float, hop_frames: int) -> None:
    assert hop_frames_of(hop_ms) == hop_frames


@pytest.mark.parametrize("hop_ms", [0, 5, 15, 960, -10, math.nan])
def test_other_hops_are_refused(hop_ms: float) -> None:
    with pytest.raises(ConfigError, match=r"--hop-ms is .*; expected a multiple of 10 from 10 to 950"):
        hop_frames_of(hop_ms)
