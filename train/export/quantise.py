"""``python -m train quantise FOLDER --out FOLDER``: quantise released models to 8 bits, calibrated on real sound."""

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

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.errors import ModelError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import EarSpec
from streamer.inference.model_folders import ear_folder
from streamer.inference.onnx import OnnxModel
from train.data.sets.all_sound import sound_by_fold
from train.errors import TrainingError
from train.export.card import format_card

PRECISION = "int8"
FOLD = 4
"""Fold that calibrates: it chose the released weights, and no figures are measured on it."""
RECORDINGS, SECONDS = 60, 4.0
"""Number of recordings that calibrate, and length in seconds of the beginning of each that is used."""
QUANTISED = ("Conv", "MatMul", "Gemm")
"""Operations that are quantised: those with the multiplications. All others stay in float32."""


class _Feeds:
    """Inputs of a graph, step by step, while it runs over sounds one after another: a `CalibrationDataReader`."""

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
    """Return the beginnings of recordings of all kinds of sound, the same each time: float32 arrays at 16 kHz."""
    found = sound_by_fold(data, cache, [FOLD])[FOLD]
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(found.recordings))[:RECORDINGS]
    samples = round(SECONDS * 16_000)
    return [sound for n in chosen if len(sound := found.samples(int(n), 0, samples)) == samples]


def quantise_model(folder: Path, sounds: Sequence[Array], out: Path) -> list[Path]:
    """Write a released model in 8 bits, and return the folders that were written.

    For a head on an ear, the ear is quantised and the head is copied.

    Parameters
    ----------
    folder : Path
        Folder of a released model whose input is log-mel frames or an ear.
    sounds : sequence of float32 array, shape (samples,)
        Sounds that calibrate, at 16 kHz.
    out : Path
        Folder for a subfolder of each model, named after the model with ``_int8`` at the end, which holds graph,
        manifest and card.

    Returns
    -------
    list of Path
        Folders that were written.

    Raises
    ------
    ModelError
        If the model is a separation, whose recurrent layers would be slower in 8 bits.
    TrainingError
        If `sounds` is empty.
    """
    manifest = OnnxModel(folder).manifest
    if manifest.is_separation:
        raise ModelError(
            f"model {manifest.name} separates, by layers that are slower in 8 bits; expected one that takes log-mel "
            "frames or an ear"
        )
    if not sounds:
        raise TrainingError("got no sound to calibrate with; expected some: set STREAMER_DATA")
    if manifest.ear is None:
        return [_quantise(folder, sounds, out)]
    ear = _quantise(ear_folder(manifest, folder), sounds, out)
    return [ear, _copy_head(folder, OnnxModel(ear).manifest.as_ear(), out)]


def _quantise(folder: Path, sounds: Sequence[Array], out: Path) -> Path:
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    model = OnnxModel(folder)
    with TemporaryDirectory() as name:
        prepared, graph = Path(name) / "prepared.onnx", Path(name) / "model.onnx"
        with _without_advice():
            quant_pre_process(folder / "model.onnx", prepared, skip_symbolic_shape=True)
            quantization.quantize_static(
                prepared,
                graph,
                _Feeds(model, sounds),
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTISED),
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
            )
        digest = hashlib.sha256(graph.read_bytes()).hexdigest()
        unheard = " that it did not learn from" if _can_be_measured(model.manifest) else ""
        about = (
            f"`{model.manifest.name}` in 8 bits: the weights with a scale per channel, the activations with scales "
            f"calibrated on {len(sounds)} recordings{unheard}."
        )
        return _write_folder(replace(model.manifest, sha256=digest, precision=PRECISION), graph, out, about)


@contextmanager
def _without_advice() -> Iterator[None]:
    """Silence the root logger, by which the quantiser advises steps that are already taken here."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)


def _copy_head(folder: Path, ear: EarSpec, out: Path) -> Path:
    manifest = OnnxModel(folder).manifest
    about = (
        f"`{manifest.name}`, unchanged, on an ear in 8 bits, `{ear.name}`: faster and a little less accurate."
    )
    return _write_folder(replace(manifest, ear=ear), folder / "model.onnx", out, about)


def _can_be_measured(manifest: Manifest) -> bool:
    """Return whether recordings are left that a model did not learn from: its results name a fold, or none at all."""
    return bool(manifest.results.get("held out", {"fold": "unknown"}).get("fold"))


def _write_folder(manifest: Manifest, graph: Path, out: Path, about: str) -> Path:
    """Write the folder of a graph. Of the original model's results only the held-out folds are kept."""
    held_out = {key: value for key, value in manifest.results.items() if key == "held out"}
    about += f" The card of `{manifest.name}` describes its training."
    measured = (
        "measure this model with `python -m train evaluate TASK --model FOLDER`"
        if _can_be_measured(manifest)
        else "its weights learnt from all folds, so measure a run with the same settings that held out folds, in 8 bits"
    )
    limits = f"The limits of `{manifest.name}` apply. Its figures do not: {measured}."
    manifest = replace(manifest, name=f"{manifest.name}_{PRECISION}", results=held_out)
    folder = out / manifest.name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(graph, folder / "model.onnx")
    write_manifest(folder, manifest)
    (folder / "card.md").write_text(format_card(manifest, about, limits), encoding="utf-8")
    OnnxModel(folder)  # fails if it does not run
    return folder
