"""Run a released model as a torch program, on a GPU, where its states stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array, State
from streamer.config_sections import EngineConfig
from streamer.dsp.model_calls import StepResult
from streamer.errors import ConfigError, ModelError, StreamError
from streamer.inference.model_folders import read_manifest
from streamer.inference.stepped_model import SteppedModel

PROGRAM = "model.pt2"
"""Name of the program's file in a released-model folder."""


class TorchModel(SteppedModel):
    """A released model whose program ``model.pt2`` torch runs; its own states are tensors on the device.

    Parameters
    ----------
    folder : Path
        A released-model folder with the program of ``python -m train program``.
    device : str
        Torch's name of the device: ``cuda``, or ``cpu`` to compare.

    Raises
    ------
    ConfigError
        If torch is not installed, or does not have that device.
    ModelError
        If the folder is not whole, or the program is absent, damaged or of another graph.
    """

    max_batch = 512
    """The largest number of streams in one call; a GPU needs many to be busy."""

    def __init__(self, folder: Path, device: str = "cuda") -> None:
        self._torch = torch = import_torch(device)
        self.manifest = read_manifest(folder)
        self._device = torch.device(device)
        path, notes = folder / PROGRAM, {"sha256": ""}
        if not path.is_file():
            raise ModelError(
                f"{folder} has no {PROGRAM}, which torch runs; make it by python -m train program {folder}, or leave "
                "--backend torch out"
            )
        try:
            program = torch.export.load(path, extra_files=notes)
        except Exception as error:  # torch raises whatever its reader does
            raise ModelError(f"{path} cannot be loaded by torch ({error}); make it anew") from error
        if notes["sha256"] != self.manifest.sha256:
            raise ModelError(
                f"{path} was made of the graph {notes['sha256'][:12]}, the manifest says {self.manifest.sha256[:12]}: "
                f"make it anew by python -m train program {folder}"
            )
        with self._in_memory("the weights"):
            self._step = torch.export.passes.move_to_device_pass(program, device).module()
        self._graphs: dict[int, _Replayed] = {}

    def init_model_state(self, batch: int = 1) -> State:
        state = super().init_model_state(batch)
        with self._in_memory("the states of a stream"):
            return tuple(self._tensor(array) for array in state)

    def allocate_state(self, streams: int, like: State) -> State:
        with self._in_memory(f"the states of {streams} streams"):
            return tuple(self._torch.empty((streams, *each.shape[1:]), device=self._device) for each in like)

    def run(self, x: Array, state: State) -> StepResult:
        hop, torch = self.manifest.hop_frames, self._torch
        outputs = []
        with self._in_memory(f"a step of {len(x)} streams"), torch.inference_mode():
            for frames in self._tensor(x).split(hop, dim=1):
                y, *state = self._stepped(frames, state)
                outputs.append(y)
            return torch.cat(outputs, dim=1).cpu().numpy(), tuple(state)

    @contextmanager
    def _in_memory(self, what: str) -> Iterator[None]:
        """Turn torch's error for exhausted GPU memory into one that says what it was for, and how much is free."""
        try:
            yield
        except self._torch.cuda.OutOfMemoryError as error:
            free, total = self._torch.cuda.mem_get_info(self._device)
            raise StreamError(
                f"the GPU has no memory left for {what} of {self.manifest.name} (free {free / 1e6:.0f} MB of "
                f"{total / 1e6:.0f}); hear fewer streams, or leave --backend torch out"
            ) from error

    def _tensor(self, array: Array) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def _stepped(self, frames: Any, state: State) -> Any:
        """Compute one step; on a GPU by a recorded graph, since operations take longer to launch than to compute."""
        if self._device.type != "cuda":
            return self._step(frames, *state)
        streams = len(frames)
        padded = 1 << (streams - 1).bit_length()  # the next power of two, so that few graphs are recorded
        if padded not in self._graphs:
            self._graphs[padded] = _Replayed(self._torch, self._step, (frames, *state), padded)
        return self._graphs[padded].run((frames, *state))


class _Replayed:
    """One step of up to `streams` streams, recorded as a CUDA graph.

    Parameters
    ----------
    torch : module
    step : callable
    inputs : tuple of Tensor
        Inputs of any number of streams, which give the shapes.
    streams : int
        Number of streams that it is recorded for; fewer may be run.
    """

    def __init__(self, torch: Any, step: Any, inputs: tuple[Any, ...], streams: int) -> None:
        self._inputs = [x.new_zeros((streams, *x.shape[1:])) for x in inputs]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):  # the first runs choose kernels and allocate, which must not be recorded
                step(*self._inputs)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = step(*self._inputs)

    def run(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Compute the step; the outputs belong to the caller."""
        streams = len(inputs[0])
        for own, given in zip(self._inputs, inputs, strict=True):
            own[:streams].copy_(given)
        self._graph.replay()
        return tuple(output[:streams].clone() for output in self._outputs)


def import_torch(device: str) -> Any:
    """Import torch and return the module.

    Raises
    ------
    ConfigError
        If torch is not installed, or does not have the device.
    """
    try:
        import torch
        import torch.export.passes
    except ImportError as error:
        raise ConfigError(
            f"--backend torch needs torch, which cannot be imported ({error}); install the extra [torch], or type: "
            "pip install torch"
        ) from error
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            f"--backend torch needs a GPU, and torch {torch.__version__} finds none; install torch for CUDA and the "
            "driver, or leave --backend out"
        )
    return torch


def open_on_gpu(folder: Path, engine: EngineConfig) -> TorchModel:  # noqa: ARG001 - threads are the CPU's
    """Return the model in a folder, run on a GPU by torch."""
    return TorchModel(folder)
