"""What hears live sound call by call: our classifiers, YAMNet as its demos and as we call it, Silero's voice detector.

All hear the bundled recording at 16 kHz, so that none resamples; all are prepared here, and timed in their calls alone.
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
from streamer.config import Config, ModelsConfig
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import Chain
from streamer.engine.build_streams import make_listener
from streamer.errors import ConfigError, ModelError
from streamer.inference.model_cache import ModelCache
from streamer.inference.onnx import OnnxModel, open_session

RATE_HZ = 16_000
WINDOW_SAMPLES = 15_600
"""0.975 s: the 96 frames of one of YAMNet's patches."""
SILERO_SAMPLES, SILERO_CONTEXT = 512, 64
"""New samples of a step, and those before them that its wrapper (``silero_vad/utils_vad.py``) has it hear again."""


@dataclass(frozen=True)
class Peer:
    """Something that hears live sound.

    Attributes
    ----------
    name : str
    call : callable
        Hears on; carries what it has to.
    heard_s : float
        Seconds of new sound that a call hears, those of all its streams together.
    packages : tuple of str
        Distributions that it is made of, besides those of Streamer.
    """

    name: str
    call: Callable[[], object]
    heard_s: float
    packages: tuple[str, ...] = ()


def core_ms_per_s(peers: Sequence[Peer], rounds: int = 7, least_s: float = 0.2) -> dict[str, float]:
    """Milliseconds of a core that each takes for a second of one stream: in turn, the medians of the rounds."""
    timed = in_turn({peer.name: peer.call for peer in peers}, rounds, least_s, time.process_time)
    return {peer.name: 1e3 * float(np.median(timed[peer.name])) / peer.heard_s for peer in peers}


def ours(count: int, block_s: float) -> Peer:
    """So many streams together, everything from front end to events: gate, sounds and, gate or not, genre."""
    listener = make_listener(Config(models=ModelsConfig({"taught": "off"})), ModelCache()).ungated()
    streams = Streams([listener], count, *recording(RATE_HZ), block_s, Config().publish)
    return Peer(f"streamer, {count} together", streams.turn, count * block_s)


def windowed_yamnet(folder: Path, every_s: Sequence[float]) -> list[Peer]:
    """YAMNet by ONNX Runtime on a window, front end and all, called anew every so often.

    Parameters
    ----------
    folder : Path
        Of ``python -m train import-yamnet``, with any hop: the graph hears a patch however it is cut into old and new.
    every_s : sequence of float
        From one call to the next.

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
        return model.run(new, (old - silence,))[0]  # its state is what is above silence

    return [Peer(f"YAMNet, ONNX Runtime, a window every {s:g} s", call, s) for s in every_s]


def stepped_yamnet(folder: Path) -> Peer:
    """YAMNet by ONNX Runtime as Streamer steps it: at its folder's hop, only new sound through the front end."""
    model = OnnxModel(folder)
    config = model.manifest.log_mel
    blocks = _pieces(model.manifest.hop_frames * config.hop_samples)
    stepped = Stepped(Chain(LogMel(config), model))
    heard_s = model.manifest.hop_frames * config.hop_samples / config.sample_rate_hz
    name = f"YAMNet, ONNX Runtime, stepped every {heard_s:g} s"
    return Peer(name, lambda: stepped.step(next(blocks)[None]), heard_s)


def windowed_tflite(file: Path, every_s: Sequence[float]) -> list[Peer]:
    """YAMNet by LiteRT, whose file holds the front end, on a window, called anew every so often.

    Raises
    ------
    ModelError
        If LiteRT is not installed, or the file is absent or hears something else.
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
            f"{file} hears {given['shape'].tolist()}; expected a window of {WINDOW_SAMPLES} samples"
        )
    windows = _pieces(WINDOW_SAMPLES)

    def call() -> Array:
        run.set_tensor(given["index"], next(windows).reshape(given["shape"]))
        run.invoke()
        scores: Array = run.get_tensor(taken["index"])
        return scores

    return [Peer(f"YAMNet, LiteRT, a window every {s:g} s", call, s, ("ai-edge-litert",)) for s in every_s]


def stepped_silero(file: Path) -> Peer:
    """Silero's voice detector by ONNX Runtime, one stream, 32 ms a step; without torch, which its package needs.

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
    heard = np.zeros((1, SILERO_CONTEXT + SILERO_SAMPLES), np.float32)
    state = np.zeros((2, 1, 128), np.float32)

    def call() -> Array:
        heard[:, :SILERO_CONTEXT] = heard[:, -SILERO_CONTEXT:]
        heard[:, SILERO_CONTEXT:] = next(blocks)
        voiced: Array
        voiced, state[...] = session.run(None, {"input": heard, "state": state, "sr": rate})
        return voiced

    return Peer("Silero VAD, ONNX Runtime, stepped every 0.032 s", call, SILERO_SAMPLES / RATE_HZ)


def silero_file() -> Path:
    """Silero's graph in its installed package, which is not imported: that would import torch.

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
    """The recording at 16 kHz in pieces, again and again; each of shape (samples,)."""
    sound, _ = recording(RATE_HZ)
    return cycle(sound[: len(sound) // samples * samples].reshape(-1, samples))
