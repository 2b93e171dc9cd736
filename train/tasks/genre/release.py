"""From a training run of genre to its released folder: export, operating points, figures, card."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from models.genre import Genre
from models.music_front_end import music_front_end
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
"""Of tracks of the validation fold after 3 s, asked for by ``--prefer``."""

ABOUT = """
Says every 93 ms which of GTZAN's ten genres the music is, as the mean of what each step of the last 15 s says; nothing
is decided in the first 3 s. A causal network of {parameters:,} parameters on the fine mel bands that the gate hears too
(windows of 93 ms, {bands} bands up to 7.4 kHz), level taken off. Trained from random weights on the first 3 s of 980
tracks as log-mel, whose windows and bands are the same but for the sample rate, and on whole tracks, with changes of
pitch, tempo, range and colour, masks, and mixtures of clips.

Of ten folds, each genre even over them and repeated recordings in one, fold {fold} was held out for the
figures{validation}.
Calibrated on the validation fold: its logits are divided by {temperature:.2f}.
"""
LIMITS = """
- GTZAN is of the 1990s, small, and its labels are in part wrong (Sturm 2013). Ten genres are not what music there is.
- What is no music, or another genre, is told as the nearest of the ten: run it behind the gate.
- GTZAN states no licence; it is for research.
"""


def load_run(run: Path, labels: tuple[str, ...]) -> Genre:
    """The model with the best weights of a run, ready to use."""
    config = read_config(GenreRunConfig, run / "config.json").model
    model = Genre(config, labels)
    load_weights(model, run / "best.pt", Identity("genre", music_front_end(config.mel_bands)))
    return model.eval()


def export_run(run: Path, folder: Path) -> Manifest:
    """Export a run's best weights without thresholds or figures into `folder`."""
    model = load_run(run, gtzan_mels.load(data_folder()).genres)
    return _exported(model, read_config(GenreRunConfig, run / "config.json"), folder, 1.0)


def evaluate(asked: Evaluation) -> dict[str, Any]:
    """Figures of an exported model."""
    figures = GenreFigures(asked.model, asked.config, asked.data, asked.cache, asked.split)
    if asked.predictions:
        figures.mel_predictions(COMMAND).save(asked.predictions / f"{asked.split}.npz")
        if figures.whole_tracks_held_out:
            figures.track_predictions(COMMAND).save(asked.predictions / f"{asked.split}-tracks.npz")
    return figures.all()


def release(run: Path, data: Path, cache: Path, folder: Path) -> Manifest:
    """Export a run's best weights, calibrate and choose thresholds on validation, measure on test, write the card.

    Parameters
    ----------
    run : Path
        With ``config.json`` and ``best.pt``.
    data, cache : Path
        Folders of the data sets and of what is made of them.
    folder : Path
        Takes ``model.onnx``, ``manifest.json`` and ``card.md``.
    """
    config = read_config(GenreRunConfig, run / "config.json")
    check_chosen(config.validation_fold)
    model = load_run(run, gtzan_mels.load(data).genres)
    _exported(model, config, folder, 1.0)
    said = GenreFigures(folder, config, data, cache, "validation").mel_predictions(COMMAND)
    logits = np.log(np.maximum(said.scores[:, -1], 1e-9))
    temperature = fit_softmax_temperature(logits, said.truth)
    manifest = _exported(model, config, folder, temperature)
    said = GenreFigures(folder, config, data, cache, "validation").mel_predictions(COMMAND)
    truth = said.truth[:, None] == np.arange(len(said.labels))
    points = {
        name: tuple(operating_points(said.scores[:, -1], truth, goal))
        for name, goal in goals_by_preference(PRECISION, RECALL).items()
    }
    manifest = set_points(manifest, points, folder)
    results = {"command": COMMAND, **GenreFigures(folder, config, data, cache, "test").all()}
    return finish(manifest, results, folder, _about(model, config, temperature), LIMITS)


def _exported(model: Genre, config: GenreRunConfig, folder: Path, temperature: float) -> Manifest:
    described = dataclasses.replace(
        describe(model, "genre", model.labels, music_front_end(model.config.mel_bands), FRAMES),
        exclusive=True,
        temperature=temperature,
        results=held_out(config),
        trained_on=({"name": "GTZAN", "licence": gtzan.LICENCE},),
    )
    return export(model, described, folder)


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
