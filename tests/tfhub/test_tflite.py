"""The quantised tflite file, through LiteRT's own schema and interpreter."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.folder import Check, write_folder
from train.yamnet.npz import read_npz
from train.yamnet.tflite import TfliteYAMNet

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def lite(data_dir: Path) -> TfliteYAMNet:
    return TfliteYAMNet(data_dir / "yamnet" / "lite" / "yamnet_lite.tflite")


@pytest.fixture(scope="module")
def clips(data_dir: Path) -> list[Array]:
    files = sorted((data_dir / "esc50" / "audio").iterdir())[::100]
    return [soundfile.read(file, dtype="float32")[0] for file in files]


def test_weights_are_those_of_the_npz(data_dir: Path, lite: TfliteYAMNet) -> None:
    found, expected = lite.weights(), read_npz(data_dir / "yamnet" / "lite" / "yamnet_weights.npz")
    assert set(found.arrays) == set(expected.arrays)
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array, err_msg=name)
    assert found.relu_max == expected.relu_max == 6.0
    assert found.class_names == expected.class_names


def test_scores_and_embeddings_are_the_interpreter_s_but_for_its_rounding(
    lite: TfliteYAMNet, clips: list[Array], tmp_path: Path
) -> None:
    (difference,) = write_folder(
        lite.weights(), 10, [Check(lite, lite.tolerance)], clips, tmp_path / "yamnet"
    )
    assert difference.windows > 150
    assert difference.score_median < 0.03
    assert difference.embedding_median < 0.03


def test_plain_relu_is_told_from_rounding(lite: TfliteYAMNet, clips: list[Array], tmp_path: Path) -> None:
    plain = replace(lite.weights(), relu_max=math.inf)
    with pytest.raises(
        ModelError, match=r"expected at most 0\.25 and 0\.1: these weights are not read as they are"
    ):
        write_folder(plain, 10, [Check(lite, lite.tolerance)], clips, tmp_path / "yamnet")


def test_what_is_no_tflite_is_refused(tmp_path: Path) -> None:
    (tmp_path / "some.tflite").write_bytes(b"no flatbuffer at all, but long enough to have a header" * 9)
    with pytest.raises(
        ModelError, match=r"some\.tflite cannot be loaded as tflite \(.*\); fetch the file again"
    ):
        TfliteYAMNet(tmp_path / "some.tflite")
