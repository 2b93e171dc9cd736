"""A released model as a program that torch runs: on a GPU, where its states stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.model_calls import StepResult
from streamer.errors import ConfigError, ModelError, StreamError
from streamer.inference.model_folders import read_manifest
from streamer.inference.stepped_model import SteppedModel

PROGRAM = "model.pt2"
"""The program's file in a released-model folder."""


class TorchModel(SteppedModel):
    """Frames to scores, embeddings or masks by ``model.pt2``; the graph's states are tensors on the device.

    Parameters
    ----------
    folder : Path
        A released-model folder with the program of ``python -m train program``.
    device : str
        As torch names it: ``cuda``, or ``cpu`` to compare.

    Raises
    ------
    ConfigError
        If torch is not installed, or has not that device.
    ModelError
        If the folder is not whole, or the program is absent, damaged or of another graph.
    """

    max_batch = 512
    """A GPU is filled by many."""

    def __init__(self, folder: Path, device: str = "cuda") -> None:
        self._torch = torch = import_torch(device)
        self.manifest = read_manifest(folder)
        self._device = torch.device(device)
        path, said = folder / PROGRAM, {"sha256": ""}
        if not path.is_file():
            raise ModelError(
                f"{folder} has no {PROGRAM}, which torch runs; make it by python -m train program {folder}, or leave "
                "--backend torch out"
            )
        try:
            program = torch.export.load(path, extra_files=said)
        except Exception as error:  # torch raises whatever its reader does
            raise ModelError(f"{path} cannot be loaded by torch ({error}); make it anew") from error
        if said["sha256"] != self.manifest.sha256:
            raise ModelError(
                f"{path} was made of the graph {said['sha256'][:12]}, the manifest says {self.manifest.sha256[:12]}: "
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
        given = []
        with self._in_memory(f"a step of {len(x)} streams"), torch.inference_mode():
            for frames in self._tensor(x).split(hop, dim=1):
                y, *state = self._stepped(frames, state)
                given.append(y)
            return torch.cat(given, dim=1).cpu().numpy(), tuple(state)

    @contextmanager
    def _in_memory(self, what: str) -> Iterator[None]:
        """While entered, a GPU that has no memory left is an error that says for what, and how much it has."""
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
        """One step, by a recorded graph on a GPU: launching each operation would take longer than computing it."""
        if self._device.type != "cuda":
            return self._step(frames, *state)
        streams = len(frames)
        padded = 1 << (streams - 1).bit_length()
        if padded not in self._graphs:
            self._graphs[padded] = _Replayed(self._torch, self._step, (frames, *state), padded)
        return self._graphs[padded].run((frames, *state))


class _Replayed:
    """A step of so many streams as a CUDA graph.

    Parameters
    ----------
    torch : module
    step : callable
    inputs : tuple of Tensor
        Of any number of streams.
    streams : int
        For which it is recorded; fewer may be run.
    """

    def __init__(self, torch: Any, step: Any, inputs: tuple[Any, ...], streams: int) -> None:
        self._inputs = [x.new_zeros((streams, *x.shape[1:])) for x in inputs]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):  # what is chosen and allocated at first must not be recorded
                step(*self._inputs)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = step(*self._inputs)

    def run(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Compute; what is given is the caller's."""
        streams = len(inputs[0])
        for own, given in zip(self._inputs, inputs, strict=True):
            own[:streams].copy_(given)
        self._graph.replay()
        return tuple(output[:streams].clone() for output in self._outputs)


def import_torch(device: str) -> Any:
    """Torch, where it is installed and has a device.

    Raises
    ------
    ConfigError
        If not.
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
