"""Test pulling from a folder without TensorFlow, and what pulling by a handle needs."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ModelError
from streamer.inference.onnx import OnnxModel
from streamer.yamnet.answers import PUBLISHED, read_answers, recording_sha256
from streamer.yamnet.folder import Check, write_folder
from streamer.yamnet.parity import EXACT
from streamer.yamnet.pull import pull_yamnet
from streamer.yamnet.saved_model import read_saved_model
from streamer.yamnet.weights import CLASSES
from tests.yamnet.published_variables import published_variables
from tests.yamnet.toy_checkpoint import write_checkpoint
from tests.yamnet.toy_weights import MUSIC, toy_weights
from train.yamnet.npz import read_npz


@pytest.fixture(autouse=True)
def without_tensorflow_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A SavedModel's folder with batch norms and names as published, of weights that nobody trained."""
    folder = tmp_path / "yamnet_1"
    variables = {
        name.removesuffix(":0"): v for name, v in published_variables(dict(toy_weights().arrays)).items()
    }
    write_checkpoint(folder / "variables" / "variables", variables)
    (folder / "assets").mkdir()
    rows = "".join(f"{n},/m/{n},{'Music' if n == MUSIC else f'class {n}'}\n" for n in range(CLASSES))
    (folder / "assets" / "yamnet_class_map.csv").write_text(f"index,mid,display_name\n{rows}")
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"^reading https://tfhub\.dev/google/yamnet/1 needs TensorFlow Hub, which cannot be imported .*; type: "
        r"pip install 'streamer\[tfhub\]', or unpack YAMNet's SavedModel and give its folder, which needs neither$",
    ):
        pull_yamnet("https://tfhub.dev/google/yamnet/1", 100, tmp_path)


def test_a_saved_model_is_read_with_its_batch_norms_folded(saved: Path) -> None:
    found = read_saved_model(saved)
    for name, array in toy_weights().arrays.items():
        np.testing.assert_allclose(found.arrays[name], array, rtol=1e-4, atol=1e-5, err_msg=name)
    assert found.class_index("Music") == MUSIC
    assert found.class_ids[MUSIC] == f"/m/{MUSIC}"
    assert found.source == str(saved)
    assert found.relu_max == math.inf


def test_a_real_saved_model_has_the_weights_of_the_npz(data_dir: Path) -> None:
    found = read_saved_model(data_dir / "yamnet" / "savedmodel")
    expected = read_npz(data_dir / "yamnet" / "yamnet_weights.npz")
    assert set(found.arrays) == set(expected.arrays)
    for name, array in expected.arrays.items():
        np.testing.assert_allclose(found.arrays[name], array, rtol=1e-6, atol=1e-7, err_msg=name)
    assert (found.class_names, found.class_ids) == (expected.class_names, expected.class_ids)


@pytest.mark.parametrize("hop_ms", [100, 480, 950])
def test_a_pulled_folder_gives_the_stored_answers(data_dir: Path, tmp_path: Path, hop_ms: float) -> None:
    (difference,) = pull_yamnet(str(data_dir / "yamnet" / "savedmodel"), hop_ms, tmp_path / "yamnet")
    assert difference.windows == len(read_answers().stops)
    assert difference.score_largest < EXACT.score
    assert difference.embedding_largest < EXACT.embedding
    assert OnnxModel(tmp_path / "yamnet").manifest.hop_frames == hop_ms / 10


def test_the_stored_answers_are_for_the_recording_that_comes_along() -> None:
    assert read_answers().recording == recording_sha256(), (
        "the recording has changed: python -m train yamnet-answers $STREAMER_DATA/yamnet/yamnet_weights.npz"
    )


def test_other_weights_are_refused_and_nothing_is_written(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"against YAMNet's stored answers: scores differ .*; expected at most 0\.25 and 0\.2: these",
    ):
        pull_yamnet(str(saved), 100, tmp_path / "yamnet")
    assert not (tmp_path / "yamnet").exists()


@pytest.mark.parametrize(
    ("file", "relu_max"),
    [("lite/yamnet_weights.npz", 6.0), ("yamnet_weights.npz", 6.0)],
    ids=["Lite", "ReLU6"],
)
def test_another_training_or_activation_is_refused(
    data_dir: Path, tmp_path: Path, file: str, relu_max: float
) -> None:
    lite = replace(read_npz(data_dir / "yamnet" / file), relu_max=relu_max)
    answers = read_answers()
    with pytest.raises(ModelError, match="these weights are not read as they are meant"):
        write_folder(lite, 10, [Check(answers, PUBLISHED)], answers.sounds(10), tmp_path / "yamnet")


def another_network(folder: Path) -> None:
    write_checkpoint(
        folder / "variables" / "variables", {"vggish/conv1/weights": np.zeros((3, 3), np.float32)}
    )


def kernels_of_another_rank(folder: Path) -> None:
    write_checkpoint(folder / "variables" / "variables", {"layer1/conv/kernel": np.zeros((3, 3), np.float32)})


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (shutil.rmtree, r"yamnet_1 is absent; expected the folder of YAMNet's SavedModel, with saved_model\.pb, vari"),
        (lambda f: (f / "saved_model.pb").unlink(), r"yamnet_1 has no saved_model\.pb; expected the folder of YAMNet"),
        (
            lambda f: (f / "assets" / "yamnet_class_map.csv").unlink(),
            r"yamnet_1 has no assets/yamnet_class_map\.csv; expected YAMNet as TensorFlow Hub has it: is this another",
        ),
        (
            lambda f: shutil.rmtree(f / "variables"),
            r"variables\.index cannot be read \(No such file or directory\); expected a checkpoint of Tens",
        ),
        (another_network, r"yamnet_1 lacks layer01/conv/kernel, .* and 53 more and has nothing besides; expected Y"),
        (kernels_of_another_rank, r"variables of \S+yamnet_1 do not fit together \(axes don't match array\): is this"),
        (
            lambda f: (f / "assets" / "yamnet_class_map.csv").write_text("a,b\n"),
            r"comes with 0 class names; expected 521: give YAMNet's own class map",
        ),
    ],
)  # fmt: skip
def test_what_is_no_yamnet_is_refused(
    saved: Path, tmp_path: Path, spoil: Callable[[Path], object], error: str
) -> None:
    spoil(saved)
    with pytest.raises(ModelError, match=error) as raised:
        pull_yamnet(str(saved), 100, tmp_path / "yamnet")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "yamnet").exists()


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "yamnet_1.tar.gz").write_bytes(b"")
    with pytest.raises(ModelError, match=r"yamnet_1\.tar\.gz is a file; expected the folder .*: unpack what"):
        pull_yamnet(str(tmp_path / "yamnet_1.tar.gz"), 100, tmp_path / "yamnet")
