"""Release a separation from a training run: export, operating points, figures, card."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from models.layers import StreamingModel
from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.model_folders import read_manifest
from train.data.sets.catalogue import DATA_SETS, DataSet
from train.data.sets.songs.song_catalogue import SongSet, find_song_set, find_songs
from train.data.songs import Song, Songs, songs_of_folds
from train.evaluate.operating_points import goals_by_preference, operating_points
from train.export.release import ThresholdRelease, held_out
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.mixing.remixes import RemixConfig
from train.tasks.separation.config import SeparationRunConfig
from train.tasks.separation.figures import (
    SongFigures,
    SongSeparator,
    SteppedSongSeparator,
    concatenate_scores,
    figures_by_source,
    gnsdr_by_artist,
    measure_songs,
    measure_voice_activity,
    save,
)
from train.tasks.separation.task import SeparationTask
from train.tasks.separation.warm_start import WARM_START_FILES

COMMAND = "python -m train evaluate {task}"
WARM_UP_FRAMES = 20
PRECISION, RECALL = 0.95, 0.95
"""Precision and recall of hops with a voice, at the operating points of these names."""

ABOUT = """
The model separates a voice from its accompaniment by a mask for every bin of a short-time spectrum every {hop_ms:g} ms
and detects whether there is a voice. It is a causal network with {parameters:,} parameters: {network}. The latency of
analysis and synthesis together is {latency_ms:g} ms. It was trained from {began} on remixes of {songs} clips and songs:
voices over other accompaniments, at other levels, speeds and pitches, equalised, filtered, reverberated, with noise,
coded{loud}.{lone}

Fold {fold} was not used in training; fold {validation_fold} chose the weights.
"""
LONE = """ Of the remixes, some have voices or music alone of {sets}."""
LIMITS = """
- The model was not trained on music unlike that of {sets}.{karaoke}
- Choirs, backing voices and instruments with a singing tone (a violin, a saxophone) were not measured by themselves.
- Above 8 kHz the model has no mask of its own: the mask there follows the one from 5 to 8 kHz.
- The licences of the training data are listed above.
"""
KARAOKE = " MIR-1K is Chinese karaoke by amateurs."


class SeparationRelease(ThresholdRelease):
    """Release of a run's separation, with the files that another run needs to start from its weights.

    Parameters
    ----------
    kind : type
        Class of the run's configuration.
    run, data, cache : Path
        Arguments of `train.loop.registry.Plugin.release`.
    """

    def __init__(self, kind: type[SeparationRunConfig], run: Path, data: Path, cache: Path) -> None:
        config, model = read_config(kind, run / "config.json"), load_run(run, kind)
        self._config, self._run, self._data, self._cache = config, run, data, cache
        folds = held_out(config)["held out"]
        lone = [DATA_SETS[name] for name in (*config.voices, *config.accompaniments)]
        sets: list[SongSet | DataSet] = [*(find_song_set(name) for name in config.data), *lone]
        manifest = dataclasses.replace(
            describe(model, "separation", ("voice",), config.model.stft, WARM_UP_FRAMES),
            results={"held out": {**folds, "data": list(config.data)}},
            trained_on=tuple({"name": found.title, "licence": found.licence} for found in sets),
        )
        super().__init__(model, manifest, config.validation_fold)

    def write(self, manifest: Manifest, about: str, folder: Path) -> Manifest:
        manifest = super().write(manifest, about, folder)
        for name in WARM_START_FILES:
            shutil.copyfile(self._run / name, folder / name)
        return manifest

    def points(self, folder: Path) -> Mapping[str, tuple[Thresholds, ...]]:
        songs = self._songs(self._config.validation_fold)
        scores, truth = concatenate_scores(measure_voice_activity(songs, SteppedSongSeparator(folder)))
        return {
            name: tuple(operating_points(scores[:, None], truth[:, None], goal))
            for name, goal in goals_by_preference(PRECISION, RECALL).items()
        }

    def figures(self, folder: Path) -> dict[str, Any]:
        on = read_manifest(folder).thresholds()[0].on
        clips = measure_songs(self._songs(self._config.fold), SteppedSongSeparator(folder))
        return {"command": COMMAND.format(task=self._config.task), **_figures(clips, on)}

    def about(self, manifest: Manifest) -> str:
        config, stft = self._config, manifest.stft
        lone = [DATA_SETS[name].title for name in (*config.voices, *config.accompaniments)]
        return ABOUT.format(
            hop_ms=1_000 * stft.hop_samples / stft.sample_rate_hz,
            latency_ms=stft.latency_ms,
            parameters=self.model.parameter_count,
            network=config.description,
            began="the weights of another run" if config.begin else "random weights",
            songs=len(self._songs(*config.learnt_folds)),
            loud=_loud(config.remixes),
            lone=LONE.format(sets=", ".join(lone)) if lone else "",
            fold=config.fold,
            validation_fold=config.validation_fold,
        )

    @property
    def limits(self) -> str:
        sets = list(dict.fromkeys(named["name"] for named in self.manifest.trained_on))
        return LIMITS.format(sets=", ".join(sets), karaoke=KARAOKE if "MIR-1K" in sets else "")

    def _songs(self, *folds: int) -> Sequence[Song]:
        return usable_songs(self._config, self._data, self._cache, *folds)


def _loud(remixes: RemixConfig) -> str:
    """Return what a card says of the changes by which a mix becomes like a record, if there are any."""
    chances = {
        "with doubled voices": remixes.doubled,
        "compressed": remixes.compressed,
        "driven into a limiter": remixes.hot,
    }
    return "".join(f", {change}" for change, chance in chances.items() if chance)


def load_run(run: Path, kind: type[SeparationRunConfig] = SeparationRunConfig) -> StreamingModel:
    """Return the network of a training run, with the run's best weights, in evaluation mode."""
    config = read_config(kind, run / "config.json")
    model = kind.network(config.model)
    load_weights(model, run / "best.pt", Identity(kind.task, config.model.stft))
    return model.eval()


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the latency in ms of an exported separation model, and its figures on the songs of one fold.

    The fold is the one that `evaluation.split` names.
    """
    manifest = read_manifest(evaluation.model)
    points = manifest.operating_points.get("balanced")
    found = evaluate_with(evaluation, SteppedSongSeparator(evaluation.model), points[0].on if points else 0.5)
    return {"latency_ms": manifest.stft.latency_ms, **found}


def evaluate_with(evaluation: Evaluation, separator: SongSeparator, on: float) -> dict[str, Any]:
    """Return the figures of any separator of songs on the songs of the fold that `evaluation.split` names.

    Parameters
    ----------
    evaluation : Evaluation
        Request that names the data, the fold and the configuration.
    separator : SongSeparator
        Separator to measure.
    on : float
        Probability from which a hop counts as voice.
    """
    config: SeparationRunConfig = evaluation.config
    fold = config.fold_of(evaluation.split)
    clips = measure_songs(usable_songs(config, evaluation.data, evaluation.cache, fold), separator)
    if evaluation.predictions:
        run = evaluation.predictions.parent.name
        command = f"{COMMAND.format(task=config.task)} --run {run} --split {evaluation.split}"
        save(clips, command, evaluation.predictions / f"{evaluation.split}.json")
    return _figures(clips, on)


def usable_songs(config: SeparationRunConfig, data: Path, cache: Path, *folds: int) -> Sequence[Song]:
    """Return the songs of some folds whose stems are aligned; others are neither learnt from nor measured on."""
    songs = Songs(songs_of_folds(find_songs(config.data, data), folds), cache).songs
    if not songs:
        raise ConfigError(
            f"folds {', '.join(map(str, folds))} have no songs to measure on; expected some: add songs"
        )
    return songs


def _figures(clips: Sequence[SongFigures], on: float) -> dict[str, Any]:
    return {"separation": figures_by_source(clips, on), "voice GNSDR by artist": gnsdr_by_artist(clips)}


def plugin(kind: type[SeparationRunConfig]) -> Plugin:
    """Return the plug-in of the separation task whose configuration class is `kind`."""
    return Plugin(
        name=kind.task,
        config=kind,
        task=SeparationTask,
        release=partial(SeparationRelease, kind),
        evaluate=evaluate,
    )


PLUGIN = plugin(SeparationRunConfig)
