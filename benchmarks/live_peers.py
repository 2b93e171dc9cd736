"""Run live classifiers call by call: ours, YAMNet as its demos and as we call it, and Silero's voice detector.

All process the bundled recording at 16 kHz, so none resamples. Preparation is not timed, only the calls are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path

import numpy as np

from benchmarks.report import in_turn
from streamer.arrays import Array
from streamer.bench.measure import Stepped
from streamer.bench.recording import recording
from streamer.bench.throughput import Streams
from streamer.config import Config
from streamer.config_sections import ModelsConfig
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import Chain
from streamer.engine.build_streams import build_models
from streamer.errors import ConfigError, ModelError
from streamer.inference.model_cache import ModelCache
from streamer.inference.onnx import OnnxModel, open_session

RATE_HZ = 16_000
WINDOW_SAMPLES = 15_600
"""Length of a patch of YAMNet: 0.975 s, which are 96 frames."""
SILERO_SAMPLES, SILERO_CONTEXT = 512, 64
"""New samples of a step, and those before them that its wrapper (``silero_vad/utils_vad.py``) passes again."""


@dataclass(frozen=True)
class Peer:
    """A live classifier.

    Attributes
    ----------
    name : str
        Name in the table.
    call : callable
        Processes the next piece of sound, and keeps its own state.
    sound_s : float
        Length of new sound that a call processes, summed over its streams.
    packages : tuple of str
        Distributions that it uses besides those of Streamer.
    """

    name: str
    call: Callable[[], object]
    sound_s: float
    packages: tuple[str, ...] = ()


def core_ms_per_s(peers: Sequence[Peer], rounds: int = 7, least_s: float = 0.2) -> dict[str, float]:
    """Return milliseconds of a core for a second of one stream, as the median of rounds in turn."""
    timed = in_turn({peer.name: peer.call for peer in peers}, rounds, least_s, time.process_time)
    return {peer.name: 1e3 * float(np.median(timed[peer.name])) / peer.sound_s for peer in peers}


def ours(count: int, block_s: float) -> Peer:
    """Make the peer of `count` streams together, from front end to events: gate, sounds and ungated genre."""
    listener = build_models(Config(models=ModelsConfig({"taught": "off"})), ModelCache()).ungated()
    streams = Streams([listener], count, *recording(RATE_HZ), block_s, Config().publish)
    return Peer(f"streamer, {count} together", streams.turn, count * block_s)


def windowed_yamnet(folder: Path, every_s: Sequence[float]) -> list[Peer]:
    """Make peers of YAMNet in ONNX Runtime, called on a whole window, front end included, at each interval.

    Parameters
    ----------
    folder : Path
        Folder made by ``python -m train import-yamnet``, with any hop: the graph takes a patch however it is divided
        into old and new frames.
    every_s : sequence of float
        Times from one call to the next.

    Raises
    ------
    ModelError
        If the folder cannot be used.
    """
    model = OnnxModel(folder)
    config, windows = model.manifest.log_mel, _pieces(WINDOW_SAMPLES)
    front_end, silence = LogMel(config), np.float32(np.log(config.log_offset))

    def call() -> Array:
        frames, _ = front_end.step(next(windows)[None], front_end.init())
        old, new = np.split(frames, [frames.shape[1] - model.manifest.hop_frames], axis=1)
        return model.run(new, (old - silence,))[0]  # its state is relative to silence

    return [Peer(f"YAMNet, ONNX Runtime, a window every {s:g} s", call, s) for s in every_s]


def stepped_yamnet(folder: Path) -> Peer:
    """Make the peer of YAMNet as Streamer steps it: at its folder's hop, with only new sound in the front end."""
    model = OnnxModel(folder)
    config = model.manifest.log_mel
    blocks = _pieces(model.manifest.hop_frames * config.hop_samples)
    stepped = Stepped(Chain(LogMel(config), model))
    sound_s = model.manifest.hop_frames * config.hop_samples / config.sample_rate_hz
    name = f"YAMNet, ONNX Runtime, stepped every {sound_s:g} s"
    return Peer(name, lambda: stepped.step(next(blocks)[None]), sound_s)


def windowed_tflite(file: Path, every_s: Sequence[float]) -> list[Peer]:
    """Make peers of YAMNet in LiteRT, whose file holds the front end, called on a whole window at each interval.

    Raises
    ------
    ModelError
        If LiteRT is not installed, or the file is absent or takes other input.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ModelError(
            f"{file} needs LiteRT, which cannot be imported ({error}); type: pip install 'streamer[tfhub]'"
        ) from error
    if not file.is_file():
        raise ModelError(f"{file} is no file; expected YAMNet as tflite")
    run = Interpreter(str(file), num_threads=1)
    run.allocate_tensors()
    (given,), (taken,) = run.get_input_details(), run.get_output_details()
    if int(np.prod(given["shape"])) != WINDOW_SAMPLES:
        raise ModelError(
            f"{file} takes {given['shape'].tolist()}; expected a window of {WINDOW_SAMPLES} samples"
        )
    windows = _pieces(WINDOW_SAMPLES)

    def call() -> Array:
        run.set_tensor(given["index"], next(windows).reshape(given["shape"]))
        run.invoke()
        scores: Array = run.get_tensor(taken["index"])
        return scores

    return [Peer(f"YAMNet, LiteRT, a window every {s:g} s", call, s, ("ai-edge-litert",)) for s in every_s]


def stepped_silero(file: Path) -> Peer:
    """Make the peer of Silero's voice detector in ONNX Runtime, 32 ms a step, without torch, which its package needs.

    Raises
    ------
    ModelError
        If the file is absent or cannot be loaded.
    """
    try:
        session = open_session(file)
    except Exception as error:  # ONNX Runtime raises its own, undocumented types
        raise ModelError(
            f"{file} cannot be loaded by ONNX Runtime ({error}); expected silero_vad.onnx"
        ) from error
    blocks, rate = _pieces(SILERO_SAMPLES), np.array(RATE_HZ, np.int64)
    window = np.zeros((1, SILERO_CONTEXT + SILERO_SAMPLES), np.float32)
    state = np.zeros((2, 1, 128), np.float32)

    def call() -> Array:
        window[:, :SILERO_CONTEXT] = window[:, -SILERO_CONTEXT:]
        window[:, SILERO_CONTEXT:] = next(blocks)
        voiced: Array
        voiced, state[...] = session.run(None, {"input": window, "state": state, "sr": rate})
        return voiced

    return Peer("Silero VAD, ONNX Runtime, stepped every 0.032 s", call, SILERO_SAMPLES / RATE_HZ)


def silero_file() -> Path:
    """Return the path of Silero's graph in its package, which is not imported, because it would import torch.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    spec = find_spec("silero_vad")
    if spec is None or spec.origin is None:
        raise ConfigError(
            "silero-vad is not installed; type: pip install --no-deps silero-vad, or name its graph by --silero FILE"
        )
    return Path(spec.origin).with_name("data") / "silero_vad.onnx"


def _pieces(samples: int) -> Iterator[Array]:
    """Yield pieces of the recording at 16 kHz, each of shape (samples,), and start again at its end."""
    sound, _ = recording(RATE_HZ)
    return cycle(sound[: len(sound) // samples * samples].reshape(-1, samples))
