"""``python -m train cost``: parameters, multiply-accumulates, time, memory and file size of exported models."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import onnx

from streamer.arrays import Array
from streamer.config import STEMS_TURN_S, TURN_S
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import Chain, Stage
from streamer.dsp.stft import InverseStft, Stft, StftConfig
from streamer.errors import ModelError
from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import ear_folder, find_model, read_manifest
from streamer.inference.onnx import OnnxModel, open_session

LISTENING = ("gate", "genre", "sounds")
"""Released models that listen by default."""
WARM_UP_STEPS = 50
COUNTED_STEPS = 8
PRODUCTS = ("Conv", "Gemm", "MatMul", "GRU", "LSTM")
"""Operators whose multiplications are counted; all other operators have few."""
UNCOUNTED = ("ConvTranspose", "Einsum", "RNN")
"""Operators with many multiplications that cannot be counted yet, because no model has one."""


@dataclass(frozen=True)
class Cost:
    """Cost of running a model for one stream on one thread, without the model's ear and front end.

    Attributes
    ----------
    parameters : int
        Numbers in the graph: weights, with batch norms folded into them, and the normalisation of the input.
    macs_per_s : float
        Multiply-accumulates of convolutions, recurrent layers and matrix products per second of sound.
    step_ms_median, step_ms_p99 : float
        Wall-clock time of a step of the graph in milliseconds: median, and 99th percentile.
    core_ms_per_s : float
        Processor time per second of sound, in milliseconds: that of a step on average, times the steps in a second.
    disk_bytes : int
        Size of the graph's file.
    memory_bytes : int
        Growth of a fresh process's memory when it loads and steps the model, without ONNX Runtime itself.
    """

    parameters: int
    macs_per_s: float
    step_ms_median: float
    step_ms_p99: float
    core_ms_per_s: float
    disk_bytes: int
    memory_bytes: int


def cost_of(folder: Path, steps: int = 2_000) -> Cost:
    """Return the cost of running the model in a folder, measured over `steps` steps. The machine should be idle.

    Raises
    ------
    ModelError
        If the model does not fit this program, or its products or its memory cannot be measured.
    """
    model = OnnxModel(folder)
    manifest, graph = model.manifest, onnx.load(folder / "model.onnx")
    step_s = manifest.hop_frames * manifest.frame_ms / 1e3
    times, core_s = step_times(model, _noise(1, manifest.hop_frames, manifest.input_size), steps)
    return Cost(
        parameters=parameters(graph),
        macs_per_s=macs_per_step(graph, manifest) / step_s,
        step_ms_median=1e3 * float(np.median(times)),
        step_ms_p99=1e3 * float(np.quantile(times, 0.99)),
        core_ms_per_s=1e3 * core_s / step_s,
        disk_bytes=(folder / "model.onnx").stat().st_size,
        memory_bytes=memory_bytes(folder),
    )


def parameters(graph: onnx.ModelProto) -> int:
    """Return how many numbers the weights of a graph have.

    Single numbers and integers are left out, since they describe the layout of the graph.
    """
    held = [weights for weights in graph.graph.initializer if weights.data_type == onnx.TensorProto.FLOAT]
    return sum(count for weights in held if (count := math.prod(weights.dims)) > 1)


def macs_per_step(graph: onnx.ModelProto, manifest: Manifest) -> float:
    """Return the multiply-accumulates of a graph's convolutions, recurrent layers and matrix products in a step.

    A product has as many as there are numbers in its output, times the weights that each of these sums over. The shapes
    of the outputs are taken from a run.

    Raises
    ------
    ModelError
        If the graph has products of another kind.
    """
    nodes = [node for node in graph.graph.node if node.op_type in PRODUCTS]
    weights = {held.name: tuple(held.dims) for held in graph.graph.initializer}
    others = {node.op_type for node in graph.graph.node if node.op_type in UNCOUNTED}
    weighted = [node for node in nodes if node.input[1] in weights]
    free = [node for node in nodes if node.input[1] not in weights]
    others |= {f"{node.op_type} without weights" for node in free if node.op_type != "MatMul"}
    if others:
        raise ModelError(
            f"{manifest.name} has {', '.join(sorted(others))}; expected {', '.join(PRODUCTS)} with weights: count what "
            "is missing in train/evaluate/cost.py"
        )
    if not nodes:
        return 0.0
    shapes = _shapes(graph, [n.output[0] for n in nodes] + [n.input[0] for n in free], manifest)
    found = sum(math.prod(shapes[node.output[0]]) * _summed_over(node, weights) for node in weighted)
    found += sum(math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1] for node in free)
    return found / COUNTED_STEPS


def _summed_over(node: onnx.NodeProto, weights: Mapping[str, tuple[int, ...]]) -> int:
    """Return over how many weights each number in a product's output sums."""
    of_input = weights[node.input[1]]
    if node.op_type == "Conv":
        return math.prod(of_input[1:])
    if node.op_type in {"GRU", "LSTM"}:  # (directions, gates * units, numbers), and the same of the state
        of_state = weights[node.input[2]]
        return of_state[1] // of_state[2] * (of_input[2] + of_state[2])
    transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    return of_input[-1] if transposed else of_input[-2]


def _shapes(graph: onnx.ModelProto, names: Sequence[str], manifest: Manifest) -> dict[str, tuple[int, ...]]:
    """Return the shapes of some values of a graph when it runs `COUNTED_STEPS` steps."""
    names = [name for name in dict.fromkeys(names) if name != "x"]  # a graph's input cannot be its output
    opened = onnx.ModelProto()
    opened.CopyFrom(graph)
    del opened.graph.output[:]
    opened.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    x = _noise(1, COUNTED_STEPS * manifest.hop_frames, manifest.input_size)
    feeds = {"x": x} | {f"state.{n}": np.zeros((1, *s.shape), s.dtype) for n, s in enumerate(manifest.states)}
    with TemporaryDirectory() as folder:
        onnx.save(opened, Path(folder) / "opened.onnx")
        given = open_session(Path(folder) / "opened.onnx").run(list(names), feeds)
    return {"x": x.shape} | {name: y.shape for name, y in zip(names, given, strict=True)}


def step_times(stage: Stage, x: Array, steps: int) -> tuple[Array, float]:
    """Return the seconds of each of `steps` steps of a stage over `x`, and a step's mean processor time in seconds.

    `WARM_UP_STEPS` steps before them are not counted. The processor time does not include the time that other programs
    took; the seconds of a step do.
    """
    state, times, began_core = stage.init(), np.zeros(steps), 0.0
    for step in range(-WARM_UP_STEPS, steps):
        if step == 0:
            began_core = time.process_time()
        began = time.perf_counter()
        _, state = stage.step(x, state)
        if step >= 0:
            times[step] = time.perf_counter() - began
    return times, (time.process_time() - began_core) / steps


def front_end_core_ms_per_s(config: LogMelConfig | StftConfig, steps: int = 2_000) -> float:
    """Return a front end's processor time per second of sound, in milliseconds, with blocks of `TURN_S`.

    For spectra it is the time of the transform and its inverse, with blocks of `STEMS_TURN_S`.
    """
    stage: Stage
    channels: tuple[int, ...] = ()
    if isinstance(config, StftConfig):
        stage, turn_s, channels = Chain(Stft(config), InverseStft(config)), STEMS_TURN_S, (1,)
    else:
        stage, turn_s = LogMel(config), TURN_S
    samples = round(turn_s * config.sample_rate_hz)
    _, core_s = step_times(stage, 0.1 * _noise(1, samples, *channels), steps)
    return 1e3 * core_s * config.sample_rate_hz / samples


def memory_bytes(folder: Path) -> int:
    """Return by how many bytes a fresh process's memory grows when it loads and steps a released model.

    Raises
    ------
    ModelError
        If the process fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "train", "model-memory", str(folder.resolve())],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(
            f"memory of {folder} cannot be measured ({reason}); expected a released-model folder"
        )
    return int(json.loads(done.stdout)["bytes"])


def measure(folders: Sequence[Path], command: str) -> dict[str, Any]:
    """Return the cost of models that run together, the content of a run's ``cost.json``.

    Parameters
    ----------
    folders : sequence of Path
        Folders of released models. The ear of a head is added; an ear or front end that two models share counts once.
    command : str
        Command line of this measurement, which is noted in the result.

    Returns
    -------
    dict
        Entries ``command``; ``models``, a `Cost` for each name; ``front_ends``, milliseconds of one core per second of
        sound by fingerprint; and ``together``, the sums over the models, with the front ends for the time.
    """
    found = _with_ears(folders)
    models = {manifest.name: asdict(cost_of(folder)) for folder, manifest in found.items()}
    front_ends = {manifest.front_end.fingerprint[:12]: manifest.front_end for manifest in found.values()}
    times = {name: front_end_core_ms_per_s(config) for name, config in front_ends.items()}
    adding = ("parameters", "macs_per_s", "core_ms_per_s", "disk_bytes")
    together: dict[str, float] = {name: sum(model[name] for model in models.values()) for name in adding}
    together["core_ms_per_s_with_front_ends"] = together["core_ms_per_s"] + sum(times.values())
    return {"command": command, "models": models, "front_ends": times, "together": together}


def _with_ears(folders: Sequence[Path]) -> dict[Path, Manifest]:
    """Return the models and their ears, each once, ears first."""
    given = {folder.resolve(): read_manifest(folder) for folder in folders}
    ears = {ear_folder(manifest, folder).resolve() for folder, manifest in given.items() if manifest.ear}
    return {folder: read_manifest(folder) for folder in sorted(ears)} | given


def _noise(*shape: int) -> Array:
    """Return float32 noise with the level of log-mel frames."""
    return np.random.default_rng(0).normal(-2.0, 2.0, shape).astype(np.float32)


@click.command("cost")
@click.argument("models", nargs=-1, type=click.Path(file_okay=False, path_type=Path))
def cost_command(models: tuple[Path, ...]) -> None:
    """Measure the cost of running MODELS together, each with its ear; by default the models of `streamer listen`.

    MODELS are folders of exported or released models. Print figures as JSON: parameters, multiply-accumulates, time,
    bytes. The machine should be idle.
    """
    command = " ".join(["python -m train cost", *map(str, models)])
    click.echo(json.dumps(measure(models or [find_model(name) for name in LISTENING], command), indent=2))
