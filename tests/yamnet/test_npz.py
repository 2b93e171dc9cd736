"""Test reading weights from an npz file, and refusing other files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.weights import CLASSES
from tests.yamnet.toy_weights import toy_weights
from train.yamnet.npz import read_npz


def stored_weights() -> dict[str, Array]:
    """Write plain arrays, except for one kernel and one bias in whole numbers."""
    stored = dict(toy_weights().arrays)
    del stored["layer02/pointwise/kernel"], stored["logits/bias"]
    rng = np.random.default_rng(0)
    stored["layer02/pointwise/kernel/q"] = rng.integers(-127, 128, (64, 32, 1, 1)).astype(np.int8)
    stored["layer02/pointwise/kernel/scale"] = rng.random(64).astype(np.float32)
    stored["logits/bias/q"] = rng.integers(-9_999, 9_999, CLASSES).astype(np.int32)
    stored["logits/bias/scale"] = np.array([0.001], np.float32)
    stored["frontend/window"] = np.zeros(400, np.float32)
    return stored


def write(folder: Path, stored: dict[str, Array]) -> Path:
    rows = "".join(f"{n},/m/{n},{'Music' if n == 132 else n}\n" for n in range(CLASSES))
    (folder / "yamnet_class_map.csv").write_text("index,mid,display_name\n" + rows)
    np.savez(folder / "weights.npz", **stored)
    return folder / "weights.npz"


def test_scaled_whole_numbers_and_plain_arrays(tmp_path: Path) -> None:
    stored = stored_weights()
    weights = read_npz(write(tmp_path, stored))
    kernel = weights.arrays["layer02/pointwise/kernel"]
    assert kernel.dtype == np.float32
    q, scale = stored["layer02/pointwise/kernel/q"], stored["layer02/pointwise/kernel/scale"]
    np.testing.assert_array_equal(kernel[5], q[5] * scale[5])
    np.testing.assert_allclose(weights.arrays["logits/bias"], stored["logits/bias/q"] * 0.001, rtol=1e-6)
    np.testing.assert_array_equal(weights.arrays["logits/kernel"], stored["logits/kernel"])
    assert weights.relu_max == float("inf")
    assert weights.class_index("Music") == 132


def test_relu6_is_read(tmp_path: Path) -> None:
    stored = {**stored_weights(), "network/relu_max": np.float32(6.0)}
    assert read_npz(write(tmp_path, stored)).relu_max == 6.0


def test_a_missing_layer_is_named(tmp_path: Path) -> None:
    stored = stored_weights()
    del stored["layer05/depthwise/bias"]
    with pytest.raises(
        ModelError, match=r"weights\.npz lacks layer05/depthwise/bias and has nothing besides"
    ):
        read_npz(write(tmp_path, stored))


def test_whole_numbers_without_a_scale_are_refused(tmp_path: Path) -> None:
    stored = stored_weights()
    del stored["logits/bias/scale"]
    with pytest.raises(
        ModelError, match=r"logits/bias of .* cannot be put together .*; expected logits/bias/q"
    ):
        read_npz(write(tmp_path, stored))


def test_another_npz_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"lacks layer01/conv/kernel, .* and 53 more and has mel besides; .* is this"
    ):
        read_npz(write(tmp_path, {"mel": np.zeros((3, 3))}))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut short"])
def test_what_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.npz").write_bytes(content)
    with pytest.raises(
        ModelError, match=r"weights\.npz is not an npz file .*; expected YAMNet's weights, layer by layer"
    ):
        read_npz(tmp_path / "weights.npz")


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", a=np.array([{}], object))
    with pytest.raises(ModelError, match=r"is not an npz file"):
        read_npz(tmp_path / "weights.npz")


def test_without_a_class_map_nobody_knows_which_output_is_music(tmp_path: Path) -> None:
    path = write(tmp_path, stored_weights())
    (tmp_path / "yamnet_class_map.csv").unlink()
    with pytest.raises(ModelError, match=r"has no yamnet_class_map\.csv beside it or in the folder above"):
        read_npz(path)
