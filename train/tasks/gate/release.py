"""Release the gate from a training run: export, operating points, figures, card."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from models.gate import Gate
from streamer.config_file import from_mapping
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.model_folders import read_manifest
from train.data.cache import SoundCache
from train.data.sets.all_sound import trained_on, unambiguous_recordings, with_default_sets
from train.data.sets.catalogue import TEACHERS
from train.data.sets.gtzan import gtzan_mels
from train.export.release import SHIPPED, ThresholdRelease, held_out
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.mixing.presence import NAMES
from train.mixing.scene_frames import SceneFrames
from train.tasks.clip_figures import figures_of
from train.tasks.gate import card
from train.tasks.gate.config import GateRunConfig
from train.tasks.gate.figures import GateFigures
from train.tasks.gate.presence import PresenceFigures
from train.tasks.gate.scene_scores import SceneScores
from train.tasks.gate.task import FRONT_END, GateTask, scenes_of_fold, sound_of_fold

WARM_UP_FRAMES = 20
"""Frames before the first decision, half a second: until then the zero state of the start dominates the output."""
LEARNT = ("data", "left_out", "scenes", "sung_by", "mel_share")
"""Entries of the configuration that the manifest keeps, so that a released model is measured on what it learnt from."""
COMMAND = "python -m train evaluate gate"


class GateRelease(ThresholdRelease):
    """Makes the model folder of a gate from a training run.

    `ThresholdRelease` says what is written, and `train.loop.registry.Plugin.release` what the arguments are.
    """

    def __init__(self, run: Path, data: Path, cache: Path) -> None:
        self._config, self._data, self._cache = read_config(GateRunConfig, run / "config.json"), data, cache
        self.gate = Gate(self._config.model)
        load_weights(self.gate, run / "best.pt", Identity("gate", GateTask.front_end))
        learnt = {name: asdict(self._config)[name] for name in LEARNT}
        teachers = [dict(TEACHERS[self._config.sung_by])] if self._config.sung_by else []
        manifest = dataclasses.replace(
            describe(self.gate, "gate", self.gate.labels, self.gate.config.front_end, WARM_UP_FRAMES),
            results={**held_out(self._config), "learnt": learnt},
            trained_on=(*trained_on(_learnt_from(self._config)), *teachers),
        )
        super().__init__(self.gate.eval(), manifest, self._config.validation_fold)

    def calibration(self, folder: Path) -> tuple[float, float]:
        return SceneScores(folder, self._validation).temperature(), 0.0

    def points(self, folder: Path) -> Mapping[str, tuple[Thresholds, ...]]:
        return SceneScores(folder, self._validation).points()

    def figures(self, folder: Path) -> dict[str, Any]:
        config = self._config
        figures = GateFigures(folder, self._data, self._cache, config.fold).all()
        return {
            "command": COMMAND if folder == SHIPPED / "gate" else f"{COMMAND} --model {folder}",
            **figures,
            **_of_labels(folder, config, config.fold, self._data, self._cache),
        }

    def about(self, manifest: Manifest) -> str:
        memory_s = self.gate.memory_frames * manifest.frame_ms / 1_000
        return card.about(
            self._config, self.model.parameter_count, memory_s, manifest.temperature, self._mels_learnt()
        )

    @property
    def limits(self) -> str:
        return card.limits(_learnt_from(self._config), self._config.sung_by)

    def _mels_learnt(self) -> int:
        """Return the number of tracks of GTZAN's mel file that the gate learnt from."""
        if not self._config.mel_share:
            return 0
        return int(np.isin(gtzan_mels.load(self._data).fold, self._config.learnt_folds).sum())

    @cached_property
    def _validation(self) -> SceneFrames:
        config = self._config
        sounds = sound_of_fold(config, config.validation_fold, self._data, self._cache)
        return scenes_of_fold(config, sounds, config.scenes.checked, self._data, self._cache)


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported gate by name, on the fold that `evaluation.split` names.

    A gate that knows music alone, such as YAMNet's score, has no figures of the other labels.
    """
    fold = evaluation.config.fold_of(evaluation.split)
    figures = GateFigures(evaluation.model, evaluation.data, evaluation.cache, fold)
    found = figures_of(figures, evaluation, COMMAND)
    manifest = read_manifest(evaluation.model)
    if manifest.labels != NAMES or manifest.log_mel != FRONT_END.config:
        return found
    # A model names its own data and scenes; tuples become lists, as in a file.
    own = json.loads(json.dumps({**asdict(evaluation.config), **manifest.results.get("learnt", {})}))
    config = from_mapping(GateRunConfig, own)
    return {**found, **_of_labels(evaluation.model, config, fold, evaluation.data, evaluation.cache)}


def _of_labels(folder: Path, config: GateRunConfig, fold: int, data: Path, cache: Path) -> dict[str, Any]:
    """Return the figures of each label of a gate, on one fold.

    Scenes are made of the sets that it learnt from, as in training. Recordings are also those of the default sets, so
    that gates of other data are measured on the same.
    """
    sounds = sound_of_fold(config, fold, data, cache)
    scenes = scenes_of_fold(config, sounds, config.scenes.checked, data, cache)
    measured = unambiguous_recordings(data, cache, [fold], with_default_sets(config.learnt_data))
    return PresenceFigures(folder, SoundCache(measured, cache), scenes).all()


def _learnt_from(config: GateRunConfig) -> tuple[str, ...]:
    """Return the names of the data sets that a gate learns from: GTZAN too, if its mel file is mixed in."""
    return tuple(dict.fromkeys((*config.learnt_data, *(("gtzan",) if config.mel_share else ()))))


PLUGIN = Plugin(name="gate", config=GateRunConfig, task=GateTask, release=GateRelease, evaluate=evaluate)
