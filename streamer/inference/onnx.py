"""Run a released model with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array, State
from streamer.config_sections import EngineConfig
from streamer.dsp.model_calls import StepResult
from streamer.errors import ConfigError, ModelError, StreamError
from streamer.inference.model_folders import read_manifest, verify_file
from streamer.inference.stepped_model import SteppedModel

ON_CPU, ON_GPU = "CPUExecutionProvider", "CUDAExecutionProvider"

NO_MEMORY = ("Failed to allocate memory", "std::bad_alloc", "out of memory", "ALLOC_FAILED")
"""Parts of messages for exhausted memory: of ONNX Runtime's arena (bfc_arena.cc), the C++ library, CUDA, and cuBLAS."""


class OnnxModel(SteppedModel):
    """A released model whose graph ONNX Runtime runs, with the state carried in and out of the graph.

    Parameters
    ----------
    folder : Path
        A released-model folder.
    threads : int
        Number of threads that compute the model on the CPU.
    provider : str
        ONNX Runtime's execution provider: `ON_CPU` or `ON_GPU`.

    Raises
    ------
    ModelError
        If the folder is not whole, was altered, or does not fit this program.
    ConfigError
        If this ONNX Runtime does not have the provider, or finds no GPU for it.
    """

    def __init__(self, folder: Path, threads: int = 1, provider: str = ON_CPU) -> None:
        self.manifest = read_manifest(folder)
        path = verify_file(folder, self.manifest)
        try:
            self._session = open_session(path, threads, provider)
        except ConfigError:
            raise
        except Exception as error:  # ONNX Runtime raises its own, undocumented types
            self._check_memory(error, "the weights")
            raise ModelError(
                f"{path} cannot be loaded by ONNX Runtime ({error}); export the model anew"
            ) from error
        self._inputs = ["x", *(f"state.{n}" for n in range(len(self.manifest.states)))]
        self._outputs = ["y", *(f"next_state.{n}" for n in range(len(self.manifest.states)))]
        self._check_graph()
        self._check_step()

    def _check_graph(self) -> None:
        """Check the names of inputs and outputs; after the model's own there may be more outputs, as in YAMNet."""
        outputs = [node.name for node in self._session.get_outputs()][: len(self._outputs)]
        found = [node.name for node in self._session.get_inputs()], outputs
        if found != (self._inputs, self._outputs):
            raise ModelError(
                f"model {self.manifest.name} has inputs {found[0]} and outputs {found[1]}; its manifest says "
                f"{self._inputs} and {self._outputs}: export it anew"
            )

    def _check_step(self) -> None:
        """Run the graph on silence until it has to return a score, since a graph that loads may still fail."""
        m = self.manifest
        hops = -(-m.latency_frames // m.hop_frames) + 1
        frames = hops * m.hop_frames
        silence = np.zeros((1, frames, m.input_size), np.float32)
        try:
            y, states = self.run(silence, self.init_model_state())
        except StreamError:
            raise
        except Exception as error:  # ONNX Runtime raises its own, undocumented types
            reason = " ".join(str(error).split())
            raise ModelError(f"model {m.name} does not run ({reason}); export it anew") from error
        steps = (frames - m.latency_frames) // m.hop_frames + 1
        expected = [_form(np.zeros((1, steps, m.output_size), np.float32))]
        expected += [_form(state) for state in self.init_model_state()]
        found = [_form(array) for array in (y, *states)]
        if found != expected:
            raise ModelError(
                f"model {m.name} gives {', '.join(found)} for {frames} frames; its manifest says "
                f"{', '.join(expected)}: export it anew"
            )
        scores = y[..., y.shape[2] - len(m.labels) :]
        if scores.size and not (scores.min() >= 0 and scores.max() <= 1):  # NaN is neither
            raise ModelError(
                f"model {m.name} gives scores from {scores.min()} to {scores.max()}; expected probabilities, 0 to 1: "
                "export it anew"
            )
        if not np.isfinite(y).all():
            given = "masks" if m.is_separation else "embeddings"
            raise ModelError(
                f"model {m.name} gives {given} from {y.min()} to {y.max()}; expected finite numbers: export it anew"
            )

    def run(self, x: Array, state: State) -> StepResult:
        feeds: dict[str, Any] = dict(zip(self._inputs, [x, *state], strict=True))
        try:
            y, *after = self._session.run(self._outputs, feeds)
        except Exception as error:  # as above
            self._check_memory(error, f"a step of {len(x)} streams")
            raise
        return y, tuple(after)

    def _check_memory(self, error: Exception, what: str) -> None:
        """Raise an error that says so if `error` means that there is no memory left."""
        if any(words in str(error) for words in NO_MEMORY):
            raise StreamError(
                f"there is no memory left for {what} of {self.manifest.name} ({' '.join(str(error).split())}); hear "
                "fewer streams, or on a GPU, leave --backend cuda out"
            ) from error


def _form(array: Array) -> str:
    """Return the type and shape of an array as text."""
    return f"{array.dtype} {array.shape}"


def open_on_cpu(folder: Path, engine: EngineConfig) -> OnnxModel:
    """Return the model in a folder, run on the CPU with the configured number of threads."""
    return OnnxModel(folder, engine.threads, ON_CPU)


def open_on_cuda(folder: Path, engine: EngineConfig) -> OnnxModel:
    """Return the model in a folder, run on a GPU by ONNX Runtime's CUDA provider."""
    return OnnxModel(folder, engine.threads, ON_GPU)


def open_session(path: Path, threads: int = 1, provider: str = ON_CPU) -> Any:
    """Return an ONNX Runtime session that has loaded a graph.

    Parameters
    ----------
    path : Path
        The model file.
    threads : int
        Number of threads that compute the model on the CPU.
    provider : str
        ONNX Runtime's execution provider: `ON_CPU` or `ON_GPU`.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    ConfigError
        If this ONNX Runtime does not have the provider, or finds no GPU for it.
    """
    import onnxruntime  # here, since it takes long

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between calls would keep whole cores from other programs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    known = onnxruntime.get_available_providers()
    if provider not in known:
        raise ConfigError(
            f"--backend cuda needs {provider}, and this ONNX Runtime has {', '.join(known)}; type: pip uninstall "
            "--yes onnxruntime && pip install onnxruntime-gpu (no extra can, both lie in one place), or leave it out"
        )
    session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=[provider])
    if provider not in session.get_providers():  # ONNX Runtime falls back to the CPU without an error
        raise ConfigError(
            f"--backend cuda needs {provider}, and ONNX Runtime finds no GPU for it; see nvidia-smi, or leave "
            "--backend out"
        )
    return session
