"""Release the genre model from a training run: export, operating points, figures, card."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.genre import Genre
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from train.data.recordings import Split
from train.data.sets.gtzan import gtzan, gtzan_mels
from train.evaluate.calibration import fit_softmax_temperature
from train.evaluate.operating_points import goals_by_preference, operating_points
from train.evaluate.predictions import Predictions
from train.export.release import ThresholdRelease, held_out
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.mixing.clip_variations import FRAMES
from train.tasks.genre.figures import GenreFigures
from train.tasks.genre.task import GenreRunConfig, GenreTask

COMMAND = "python -m train evaluate genre"
PRECISION, RECALL = 0.9, 0.8
"""Precision and recall of validation tracks after 3 s, at the operating points of these names.

Where the head is to say nothing rather than something wrong, it is right nine times of ten when it names a genre."""

ABOUT = """
The model classifies music into GTZAN's ten genres every 93 ms, by the mean logits of the last 15 s; it decides nothing
in the first 3 s. It is a causal network with {parameters:,} parameters on the same fine mel bands as the gate (windows
of 93 ms, {bands} bands up to 7.4 kHz), with the level removed. It was trained from random weights on the first 3 s of
980 tracks as log-mel frames, whose windows and bands are the same except for the sample rate, and on whole tracks, with
changes of pitch, tempo, range and colour, masks, and mixtures of clips.

There are ten folds, with each genre spread evenly and duplicates in one fold. Fold {fold} was held out for the
figures and fold {validation_fold} to choose the weights.
The model is calibrated on the validation fold: its logits are divided by {temperature:.2f}.

Thresholds are chosen on the validation fold. With `--prefer precision` the model says nothing rather than something
wrong: they aim at nine right names of ten.
"""
LIMITS = """
- GTZAN dates from the 1990s, is small, and some of its labels are wrong (Sturm 2013). There is more music than these
  ten genres.
- Other genres, and sound that is not music, are classified as the nearest of the ten: run the model behind the gate.
- GTZAN states no licence; it is for research.
"""


class GenreRelease(ThresholdRelease):
    """Makes the model folder of a genre model from a training run.

    `ThresholdRelease` says what is written, and `train.loop.registry.Plugin.release` what the arguments are.
    """

    limits = LIMITS

    def __init__(self, run: Path, data: Path, cache: Path) -> None:
        self._config, self._data, self._cache = read_config(GenreRunConfig, run / "config.json"), data, cache
        genre = Genre(self._config.model, gtzan_mels.load(data).genres)
        load_weights(genre, run / "best.pt", Identity("genre", genre.config.front_end))
        manifest = dataclasses.replace(
            describe(genre, "genre", genre.labels, genre.config.front_end, FRAMES),
            exclusive=True,
            results=held_out(self._config),
            trained_on=({"name": "GTZAN", "licence": gtzan.LICENCE},),
        )
        super().__init__(genre.eval(), manifest, self._config.validation_fold)

    def calibration(self, folder: Path) -> tuple[float, float]:
        uncalibrated = self._validated(folder)
        logits = np.log(np.maximum(uncalibrated.scores[:, -1], 1e-9))
        return fit_softmax_temperature(logits, uncalibrated.truth), 0.0

    def points(self, folder: Path) -> Mapping[str, tuple[Thresholds, ...]]:
        calibrated = self._validated(folder)
        truth = calibrated.truth[:, None] == np.arange(len(calibrated.labels))
        return {
            name: tuple(operating_points(calibrated.scores[:, -1], truth, goal))
            for name, goal in goals_by_preference(PRECISION, RECALL).items()
        }

    def figures(self, folder: Path) -> dict[str, Any]:
        return {"command": COMMAND, **self._measure(folder, "test").all()}

    def about(self, manifest: Manifest) -> str:
        config = self._config
        return ABOUT.format(
            parameters=self.model.parameter_count,
            bands=config.model.mel_bands,
            fold=config.fold,
            validation_fold=config.validation_fold,
            temperature=manifest.temperature,
        )

    def _validated(self, folder: Path) -> Predictions:
        """Return the predictions of the validation fold's first seconds."""
        return self._measure(folder, "validation").mel_predictions(COMMAND)

    def _measure(self, folder: Path, split: Split) -> GenreFigures:
        return GenreFigures(folder, self._config, self._data, self._cache, split)


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


PLUGIN = Plugin(
    name="genre",
    config=GenreRunConfig,
    task=GenreTask,
    release=GenreRelease,
    evaluate=evaluate,
)
