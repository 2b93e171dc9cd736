"""The real TensorFlow Hub: what it loads is what the pulled folder gives."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from click.testing import CliRunner

from streamer.arrays import Array
from streamer.cli.main import main
from streamer.errors import ModelError
from streamer.inference.model_folders import find_model
from streamer.inference.onnx import OnnxModel
from streamer.yamnet.folder import Check, write_folder
from streamer.yamnet.parity import EXACT
from streamer.yamnet.pull import pull_yamnet
from streamer.yamnet.tfhub import HubYAMNet
from streamer.yamnet.weights import Weights
from tests.tfhub.published_code import UnfoldedYAMNet
from train.yamnet.npz import read_npz

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow and its friends warn of themselves


@pytest.fixture(scope="module")
def saved(data_dir: Path) -> str:
    return str(data_dir / "yamnet" / "savedmodel")


@pytest.fixture(scope="module")
def hub(saved: str) -> HubYAMNet:
    return HubYAMNet(saved)


@pytest.fixture(scope="module")
def weights(hub: HubYAMNet) -> Weights:
    return hub.weights()


@pytest.fixture(scope="module")
def clips(data_dir: Path) -> list[Array]:
    """A few seconds of everyday sounds and of speech, as they are on disk: 16 kHz, mono."""
    files = [
        *sorted((data_dir / "esc50" / "audio").iterdir())[::100],
        *sorted((data_dir / "speech").rglob("*.ogg"))[:3],
    ]
    return [soundfile.read(file, dtype="float32")[0] for file in files]


def test_variables_are_those_of_the_npz(data_dir: Path, weights: Weights) -> None:
    expected = read_npz(data_dir / "yamnet" / "yamnet_weights.npz")
    assert set(weights.arrays) == set(expected.arrays)
    for name, array in expected.arrays.items():
        np.testing.assert_allclose(weights.arrays[name], array, rtol=1e-6, atol=1e-7, err_msg=name)
    assert weights.class_names == expected.class_names
    assert weights.class_index("Music") == 132


def test_scores_and_embeddings_are_tensorflow_s(
    hub: HubYAMNet, weights: Weights, clips: list[Array], tmp_path: Path
) -> None:
    (difference,) = write_folder(weights, 10, [Check(hub, EXACT)], clips, tmp_path / "yamnet")
    assert difference.windows > 150
    assert difference.score_largest < 1e-4
    assert difference.embedding_largest < 1e-4


def test_other_weights_are_refused(
    hub: HubYAMNet, weights: Weights, clips: list[Array], tmp_path: Path
) -> None:
    turned = {
        **weights.arrays,
        "layer05/depthwise/kernel": weights.arrays["layer05/depthwise/kernel"].transpose(0, 1, 3, 2),
    }
    with pytest.raises(
        ModelError, match=r"expected at most 0\.0002 and 0\.0002: these weights are not read as they"
    ):
        write_folder(replace(weights, arrays=turned), 10, [Check(hub, EXACT)], clips[:4], tmp_path / "yamnet")


def test_a_model_with_batch_norms_as_published_comes_out_folded(weights: Weights, tmp_path: Path) -> None:
    published = UnfoldedYAMNet(weights)
    tf.saved_model.save(published, str(tmp_path / "saved"))
    found = HubYAMNet(str(tmp_path / "saved")).weights()
    for name, array in weights.arrays.items():
        np.testing.assert_allclose(found.arrays[name], array, rtol=1e-4, atol=1e-5, err_msg=name)
    (difference,) = pull_yamnet(str(tmp_path / "saved"), 100, tmp_path / "yamnet")
    assert difference.score_largest < 1e-4


def test_pulled_it_listens(saved: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way of a user: pull, then hear the bundled recording with it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    result = CliRunner().invoke(main, ["models", "pull", "yamnet", "--from", saved], catch_exceptions=False)
    assert result.exit_code == 0
    assert "scores differ by" in result.output
    assert "ready, `streamer listen --model sounds=yamnet`, or gate=yamnet;" in result.output
    assert OnnxModel(find_model("yamnet")).manifest.hop_frames == 10
    demo = Path(sys.modules["streamer"].__file__).parent / "data" / "demo.ogg"
    streamer = Path(sys.executable).with_name("streamer")
    heard = subprocess.run(
        [streamer, "analyze", "--model", "gate=yamnet", demo],
        capture_output=True,
        check=True,
        timeout=120,
    )
    decisions = [m for m in map(json.loads, heard.stdout.splitlines()) if m["kind"] == "gate"]
    assert {m["model"] for m in decisions} == {"yamnet"}
    assert {m["state"] for m in decisions} >= {"on", "off"}


def test_without_a_way_to_the_internet_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"^http://127\.0\.0\.1:9/yamnet/1 cannot be fetched \(.*internet: try again .*$"
    ):
        pull_yamnet("http://127.0.0.1:9/yamnet/1", 100, tmp_path / "yamnet")
    assert not (tmp_path / "yamnet").exists()


def test_what_is_no_saved_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be loaded \(.*\); expected a SavedModel folder"):
        HubYAMNet(str(tmp_path))


class Twice(tf.Module):
    """Another model."""

    @tf.function(input_signature=(tf.TensorSpec([None]),))
    def __call__(self, x):
        return 2.0 * x


def test_another_model_is_refused(tmp_path: Path) -> None:
    tf.saved_model.save(Twice(), str(tmp_path / "twice"))
    with pytest.raises(ModelError, match=r"twice has no class map; expected YAMNet as TensorFlow Hub has it"):
        HubYAMNet(str(tmp_path / "twice"))
