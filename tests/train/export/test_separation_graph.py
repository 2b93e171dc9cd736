"""The graph of the released separation: few operators, and the numbers of its weights in torch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnx
import onnxruntime

from streamer.inference.model_folders import find_model
from train.export.to_onnx import check_parity
from train.tasks.separation.release import load_run

OPERATORS_BEFORE = 295
"""Operators that ONNX Runtime ran while each zone of bands had its own, and GELUs were written out."""


def test_each_layer_is_one_operator_for_all_bands(tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "as_run.onnx")
    options.log_severity_level = 3  # it would warn that this file is for this processor alone
    onnxruntime.InferenceSession(
        find_model("separation") / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    nodes = onnx.load(tmp_path / "as_run.onnx").graph.node
    found = Counter(node.op_type for node in nodes)
    assert len(nodes) <= OPERATORS_BEFORE / 2
    # Three blocks, an encoder for each of three zones, and a detector of voices.
    assert (found["LSTM"], found["Gelu"], found["Conv"]) == (4, 6, 6)
    assert found["Erf"] == 0


def test_the_graph_gives_what_the_weights_give_in_torch() -> None:
    folder = find_model("separation")
    assert check_parity(load_run(folder), folder, seconds=1.0) <= 1e-5
