"""Checkpoints of TensorFlow's first format are read from one file, and refused if they are damaged."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.errors import ModelError
from tests.train.embedders.toy_weights import write_slices
from train.embedders.slice_checkpoint import read_slices


def tensors():
    rng = np.random.default_rng(0)
    made = {f"layer{n}/weights": rng.normal(size=(3, n)).astype(np.float32) for n in range(1, 9)}
    return {**made, "layer1/scalar": np.array(0.5, np.float32), "step": np.array(3, np.int64)}


def test_what_was_written_is_read_but_for_other_types(tmp_path):
    write_slices(tmp_path / "model.ckpt", tensors())
    found = read_slices(tmp_path / "model.ckpt")
    assert set(found) == set(tensors()) - {"step"}
    for name, array in found.items():
        np.testing.assert_array_equal(array, tensors()[name])


def test_a_tensor_in_slices_is_refused(tmp_path):
    write_slices(tmp_path / "model.ckpt", tensors(), cut="layer2/weights")
    with pytest.raises(
        ModelError, match=r"layer2/weights of .* is cut into 2 slices; expected whole tensors"
    ):
        read_slices(tmp_path / "model.ckpt")


def test_a_tensor_of_another_size_is_refused(tmp_path):
    write_slices(tmp_path / "model.ckpt", tensors(), change={"layer2/weights": bytes(20)})
    with pytest.raises(
        ModelError, match=r"layer2/weights of .* has 20 bytes; expected 24 for float32 \(3, 2\)"
    ):
        read_slices(tmp_path / "model.ckpt")


def test_what_is_absent_or_damaged_is_refused(tmp_path):
    path = tmp_path / "model.ckpt"
    with pytest.raises(
        ModelError, match=r"model.ckpt cannot be read .*; expected a checkpoint of TensorFlow"
    ):
        read_slices(path)
    write_slices(path, tensors())
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="checksum"):
        read_slices(path)
    path.write_bytes(content[:100])
    with pytest.raises(ModelError, match="does not end like a table"):
        read_slices(path)
