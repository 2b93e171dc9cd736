"""Measure how much of a core's limits a call of a model reaches."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime

from benchmarks.report import each, in_turn
from streamer.arrays import Array
from streamer.bench.measure import Stepped
from streamer.inference.model import Model
from train.evaluate.cost import PRODUCTS, macs_per_step

SIDE = 512
"""Size of the multiplied matrices: they fit into a core's cache, and the product takes longer than reading them."""
READ_BYTES = {"cache": 1 << 19, "memory": 1 << 28}
CALLS = 200
MOVING = (
    *("Concat", "Gather", "Pad", "ReorderInput", "ReorderOutput", "Reshape"),
    *("ScatterND", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"),
)
"""Operators that compute nothing: they change layouts, and move states in and out."""


def limits(least_s: float) -> dict[str, Any]:
    """Measure the limits of a core, as the best of seven rounds."""
    a, b = np.random.default_rng(0).standard_normal((2, SIDE, SIDE), np.float32)
    rows = {name: np.ones(size // 4, np.float32) for name, size in READ_BYTES.items()}
    reading = {name: partial(np.dot, row, row) for name, row in rows.items()}
    times_s = in_turn({"product": partial(np.matmul, a, b), **reading}, least_s=least_s)
    best_s = {name: min(times) for name, times in times_s.items()}
    return {
        "gmac_per_s": round(SIDE**3 / best_s["product"] / 1e9, 1),
        "read_gb_per_s": {name: round(n / best_s[name] / 1e9, 1) for name, n in READ_BYTES.items()},
    }


def measure_call(folder: Path, model: Model, core: Mapping[str, Any]) -> dict[str, Any]:
    """Measure which share of a core's limits a call reaches, for one stream and for several."""
    graph, streams = folder / "model.onnx", {}
    macs, weights_bytes = macs_per_step(onnx.load(graph), model.manifest), graph.stat().st_size
    for count in (1, model.max_batch):
        shape = (count, model.manifest.hop_frames, model.manifest.input_size)
        x = np.random.default_rng(0).standard_normal(shape, np.float32)
        call_s = float(np.median(each(Stepped(model, count).step, [x] * CALLS)))
        states = [np.zeros((count, *s.shape), s.dtype) for s in model.manifest.states]
        spent_us, operators = _operators(graph, x, states)
        streams[str(count)] = {
            "call_ms": round(1e3 * call_s, 4),
            "share_of_products": round(count * macs / call_s / 1e9 / core["gmac_per_s"], 3),
            "weights_gb_per_s": round(weights_bytes / call_s / 1e9, 2),
            "operators": operators,
            "time_of_products": _share(spent_us, PRODUCTS),
            "time_of_moving": _share(spent_us, MOVING),
        }
    return {"macs_per_step": round(macs), "streams": streams}


def _operators(graph: Path, x: Array, states: list[Array]) -> tuple[dict[str, float], int]:
    """Return microseconds of each kind of operator in `CALLS` calls, and the number of operators in a call."""
    feeds = {"x": x} | {f"state.{n}": state for n, state in enumerate(states)}
    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder) / "calls")
        session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        for _ in range(CALLS):
            session.run(None, feeds)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    kernels = [event for event in events if event["name"].endswith("_kernel_time")]
    spent: defaultdict[str, float] = defaultdict(float)
    for kernel in kernels:
        spent[kernel["args"]["op_name"]] += kernel["dur"]
    return spent, len(kernels) // CALLS


def _share(spent: Mapping[str, float], operators: tuple[str, ...]) -> float:
    """Return the share of the named operators, fused ones (``FusedConv``) included."""
    found = sum(us for operator, us in spent.items() if operator.removeprefix("Fused") in operators)
    return round(found / sum(spent.values()), 3)
