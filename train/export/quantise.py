"""Released models of 8 bits: ``python -m train quantise FOLDER --out FOLDER``, calibrated on real sound."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.errors import ModelError
from streamer.inference.manifest import EarSpec, Manifest
from streamer.inference.model_folders import ear_folder
from streamer.inference.onnx import OnnxModel
from train.data.sets.all_sound import sound_by_fold
from train.errors import TrainingError
from train.export.card import card

PRECISION = "int8"
FOLD = 4
"""That calibrates: it chose the weights of what is released, and nothing is measured on it."""
RECORDINGS, SECONDS = 60, 4.0
"""That calibrate, and how much of each."""
QUANTISED = ("Conv", "MatMul", "Gemm")
"""Operations in which the multiplications are. Between them, all stays as it was."""


class _Feeds(CalibrationDataReader):  # type: ignore[misc]
    """What a graph is given, step after step, while it hears sounds one after the other."""

    def __init__(self, model: OnnxModel, sounds: Sequence[Array]) -> None:
        self._feeds = _steps(model, sounds)

    def get_next(self) -> dict[str, Array] | None:
        return next(self._feeds, None)


def _steps(model: OnnxModel, sounds: Sequence[Array]) -> Iterator[dict[str, Array]]:
    manifest, front_end = model.manifest, LogMel(model.manifest.log_mel)
    for sound in sounds:
        frames, _ = front_end.step(sound[None], front_end.init())
        state = model.init_model_state()
        for first in range(0, frames.shape[1] - manifest.hop_frames + 1, manifest.hop_frames):
            x = frames[:, first : first + manifest.hop_frames]
            yield {"x": x, **{f"state.{n}": part for n, part in enumerate(state)}}
            _, state = model.run(x, state)


def calibration_sounds(data: Path, cache: Path) -> list[Array]:
    """Sound of all kinds, the same each time: float32 arrays of a few seconds at 16 kHz."""
    found = sound_by_fold(data, cache, [FOLD])[FOLD]
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(found.recordings))[:RECORDINGS]
    samples = round(SECONDS * 16_000)
    return [sound for n in chosen if len(sound := found.samples(int(n), 0, samples)) == samples]


def quantise_model(folder: Path, sounds: Sequence[Array], out: Path) -> list[Path]:
    """Write a released model of 8 bits; of one that hears an ear, the ear is, and the model goes with it as it is.

    Parameters
    ----------
    folder : Path
        A released-model folder, of a model that hears log-mel frames or an ear.
    sounds : sequence of float32 array, shape (samples,)
        At 16 kHz; they calibrate.
    out : Path
        Takes a folder for each model, by its name, which ends in ``_int8``: graph, manifest and card.

    Returns
    -------
    list of Path

    Raises
    ------
    ModelError
        If the model is a separation: its recurrent layers would be slower.
    TrainingError
        If there is no sound.
    """
    manifest = OnnxModel(folder).manifest
    if manifest.is_separation:
        raise ModelError(
            f"model {manifest.name} separates, by layers that are slower in 8 bits; expected one that hears log-mel "
            "frames or an ear"
        )
    if not sounds:
        raise TrainingError("got no sound to calibrate with; expected some: set STREAMER_DATA")
    if manifest.ear is None:
        return [_quantised(folder, sounds, out)]
    ear = _quantised(ear_folder(manifest, folder), sounds, out)
    return [ear, _on_ear(folder, OnnxModel(ear).manifest.as_ear(), out)]


def _quantised(folder: Path, sounds: Sequence[Array], out: Path) -> Path:
    model = OnnxModel(folder)
    with TemporaryDirectory() as name:
        prepared, graph = Path(name) / "prepared.onnx", Path(name) / "model.onnx"
        with _advice_left_out():
            quant_pre_process(folder / "model.onnx", prepared, skip_symbolic_shape=True)
            quantize_static(
                prepared,
                graph,
                _Feeds(model, sounds),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTISED),
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
        digest = hashlib.sha256(graph.read_bytes()).hexdigest()
        about = (
            f"`{model.manifest.name}` in 8 bits: its weights, with a scale for each channel, and what passes between "
            f"its layers, by what that was in {len(sounds)} recordings, which it did not learn from."
        )
        return _written(replace(model.manifest, sha256=digest, precision=PRECISION), graph, out, about)


@contextmanager
def _advice_left_out() -> Iterator[None]:
    """The quantiser advises, by the root logger, what is done here already."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)


def _on_ear(folder: Path, ear: EarSpec, out: Path) -> Path:
    manifest = OnnxModel(folder).manifest
    about = f"`{manifest.name}` as it is, on an ear of 8 bits, `{ear.name}`: fewer sums, a little less often right."
    return _written(replace(manifest, ear=ear), folder / "model.onnx", out, about)


def _written(manifest: Manifest, graph: Path, out: Path, about: str) -> Path:
    """The folder of a graph; of what was measured of the other one it says nothing but what was held out."""
    held_out = {key: value for key, value in manifest.results.items() if key == "held out"}
    about += f" The card of `{manifest.name}` says what it learnt, and how."
    limits = f"Those of `{manifest.name}`, and what 8 bits cost: measure it as that was, by `--model FOLDER`."
    manifest = replace(manifest, name=f"{manifest.name}_{PRECISION}", results=held_out)
    folder = out / manifest.name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(graph, folder / "model.onnx")
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    (folder / "card.md").write_text(card(manifest, about, limits), encoding="utf-8")
    OnnxModel(folder)  # it runs
    return folder
