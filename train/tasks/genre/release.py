"""Release the genre model from a training run: export, operating points, figures, card."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from models.genre import Genre
from streamer.inference.manifest import Manifest
from train.data.sets import gtzan, gtzan_mels
from train.evaluate.calibration import fit_softmax_temperature, goals_by_preference, operating_points
from train.export.release import check_chosen, finish, held_out, set_points
from train.export.to_onnx import describe, export
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.loop.run import data_folder
from train.tasks.genre.figures import GenreFigures
from train.tasks.genre.task import FRAMES, GenreRunConfig, GenreTask

COMMAND = "python -m train evaluate genre"
PRECISION, RECALL = 0.8, 0.8
"""Precision and recall of validation tracks after 3 s, at the operating points of these names."""

ABOUT = """
The model classifies music into GTZAN's ten genres every 93 ms, by the mean logits of the last 15 s; it decides nothing
in the first 3 s. It is a causal network with {parameters:,} parameters on the same fine mel bands as the gate (windows
of 93 ms, {bands} bands up to 7.4 kHz), with the level removed. It was trained from random weights on the first 3 s of
980 tracks as log-mel frames, whose windows and bands are the same except for the sample rate, and on whole tracks, with
changes of pitch, tempo, range and colour, masks, and mixtures of clips.

There are ten folds, with each genre spread evenly and duplicates in one fold. Fold {fold} was held out for the
figures{validation}.
The model is calibrated on the validation fold: its logits are divided by {temperature:.2f}.
"""
LIMITS = """
- GTZAN dates from the 1990s, is small, and some of its labels are wrong (Sturm 2013). There is more music than these
  ten genres.
- Other genres, and sound that is not music, are classified as the nearest of the ten: run the model behind the gate.
- GTZAN states no licence; it is for research.
"""


def load_run(run: Path, labels: tuple[str, ...]) -> Genre:
    """Return the genre network, for the genres `labels`, with the best weights of a run, in evaluation mode."""
    config = read_config(GenreRunConfig, run / "config.json").model
    model = Genre(config, labels)
    load_weights(model, run / "best.pt", Identity("genre", config.front_end))
    return model.eval()


def export_run(run: Path, folder: Path) -> Manifest:
    """Export the best weights of a run into `folder`, and return the manifest, which has no thresholds or figures."""
    model = load_run(run, gtzan_mels.load(data_folder()).genres)
    return _exported(model, read_config(GenreRunConfig, run / "config.json"), folder, 1.0)


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported genre model by name, on the fold that `evaluation.split` names."""
    figures = GenreFigures(
        evaluation.model, evaluation.config, evaluation.data, evaluation.cache, evaluation.split
    )
    if evaluation.predictions:
        figures.mel_predictions(COMMAND).save(evaluation.predictions / f"{evaluation.split}.npz")
        if figures.whole_tracks_held_out:
            figures.track_predictions(COMMAND).save(evaluation.predictions / f"{evaluation.split}-tracks.npz")
    return figures.all()


def release(run: Path, data: Path, cache: Path, folder: Path) -> Manifest:
    """Export the genre model of a run, calibrate it, choose thresholds and measure it; return the manifest.

    The validation fold gives the calibration and the thresholds, the test fold the figures. The model card is written
    too.

    Parameters
    ----------
    run : Path
        Folder of the run, with ``config.json`` and ``best.pt``.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    folder : Path
        Folder for ``model.onnx``, ``manifest.json`` and ``card.md``.
    """
    config = read_config(GenreRunConfig, run / "config.json")
    check_chosen(config.validation_fold)
    model = load_run(run, gtzan_mels.load(data).genres)
    _exported(model, config, folder, 1.0)
    # Calibrated by a first export, since scores are those of the exported graph; thresholds then hold for the second.
    uncalibrated = GenreFigures(folder, config, data, cache, "validation").mel_predictions(COMMAND)
    logits = np.log(np.maximum(uncalibrated.scores[:, -1], 1e-9))
    temperature = fit_softmax_temperature(logits, uncalibrated.truth)
    manifest = _exported(model, config, folder, temperature)
    calibrated = GenreFigures(folder, config, data, cache, "validation").mel_predictions(COMMAND)
    truth = calibrated.truth[:, None] == np.arange(len(calibrated.labels))
    points = {
        name: tuple(operating_points(calibrated.scores[:, -1], truth, goal))
        for name, goal in goals_by_preference(PRECISION, RECALL).items()
    }
    manifest = set_points(manifest, points, folder)
    results = {"command": COMMAND, **GenreFigures(folder, config, data, cache, "test").all()}
    return finish(manifest, results, folder, _about(model, config, temperature), LIMITS)


def _exported(model: Genre, config: GenreRunConfig, folder: Path, temperature: float) -> Manifest:
    manifest = dataclasses.replace(
        describe(model, "genre", model.labels, model.config.front_end, FRAMES),
        exclusive=True,
        temperature=temperature,
        results=held_out(config),
        trained_on=({"name": "GTZAN", "licence": gtzan.LICENCE},),
    )
    return export(model, manifest, folder)


def _about(model: Genre, config: GenreRunConfig, temperature: float) -> str:
    validation = f" and fold {config.validation_fold} to choose the weights" if config.validation_fold else ""
    return ABOUT.format(
        parameters=model.parameter_count,
        bands=model.config.mel_bands,
        fold=config.fold,
        validation=validation,
        temperature=temperature,
    )


PLUGIN = Plugin(
    name="genre",
    config=GenreRunConfig,
    task=GenreTask,
    export=export_run,
    evaluate=evaluate,
    release=release,
)
