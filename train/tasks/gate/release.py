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
from train.data.sets.all_sound import trained_on
from train.data.sets.gtzan import gtzan_mels
from train.export.release import ThresholdRelease, held_out
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.mixing.presence import NAMES
from train.mixing.scene_frames import SceneFrames
from train.tasks.clip_figures import figures_of
from train.tasks.gate.config import GateRunConfig
from train.tasks.gate.figures import GateFigures
from train.tasks.gate.presence import PresenceFigures
from train.tasks.gate.scene_scores import FALSE_SHARES, SETTLED_S, SceneScores
from train.tasks.gate.task import FRONT_END, GateTask, scenes_of_fold, sound_of_fold

WARM_UP_FRAMES = 20
"""Frames before the first decision, half a second: until then the zero state of the start dominates the output."""
LEARNT = ("data", "left_out", "scenes", "mel_share")
"""Entries of the configuration that the manifest keeps, so that a released model is measured on what it learnt from."""
COMMAND = "python -m train evaluate gate"

ABOUT = """
The gate decides every 93 ms whether there is music, speech and singing, each by itself; `docs/labels.md` has the rules
of the labels. It is a causal network with {parameters:,} parameters: three time-frequency convolutions, then eight
residual blocks of depthwise dilated convolutions over time that remember about {memory_s:.1f} s. It was trained from
random weights on {scenes:,} scenes of {seconds:g} s: music, solo instruments, speech, singing, songs, everyday and
synthetic sound one after the other and mixed at random levels, filtered, reverberated, noisy, at -62 to 0 dBFS. A label
counts from -10 dB re the other sound.{mels} Steps within 0.3 s of a change were not learnt from.

Church bells (ESC-50) and the clip `chant` (GTZAN music/speech) were left out as ambiguous: AudioSet files the first
under musical instruments and the second under singing. Effects and acted lines of Debian's packages taught nothing
about the labels in which YAMNet contradicts the folder that they come from.

Fold {fold} was not used in training; fold {validation_fold} chose weights, temperature and thresholds. The folds are
ESC-50's own; duplicates in GTZAN, singers of MIR-1K, speakers of TSP and packages of Debian are each in one fold. The
temperature is {temperature:.2f}. The threshold `on` of a label is the lowest at which at most {balanced:g} % of the
settled time without it is called by it (balanced), {precision:g} % (precision) or {recall:g} % (recall). Time is
settled from {settled:g} s after a change on. The odds of `off` are a third of those of `on`. Of single recordings,
steps are counted within 300 ms of sound that is less than 40 dB below the recording's loudest 100 ms, so that padding
and pauses do not improve any figure.
"""
MELS = """ The first 3 s of {tracks} tracks of GTZAN were mixed into some scenes; most of these tracks
exist only as features, not as sound."""
LIMITS = """
- The held-out music of the two GTZAN sets is 19 clips of 30 s, so figures on it are coarse. It cannot be ruled out
  that a recording is in both sets, or that two singers of MIR-1K sang one karaoke track.
- Tonal sounds of animals, bells, horns and machines are the likeliest false alarms; see the worst classes.
- Music, speech or a voice far below other sound is not detected.
- Singing within a song is found where the voice can be heard well, and was learnt from karaoke alone.
- The training sets are for research, and ESC-50's licence forbids commercial use.
"""


class GateRelease(ThresholdRelease):
    """Makes the model folder of a gate from a training run.

    `ThresholdRelease` says what is written, and `train.loop.registry.Plugin.release` what the arguments are.
    """

    limits = LIMITS

    def __init__(self, run: Path, data: Path, cache: Path) -> None:
        self._config, self._data, self._cache = read_config(GateRunConfig, run / "config.json"), data, cache
        self.gate = Gate(self._config.model)
        load_weights(self.gate, run / "best.pt", Identity("gate", GateTask.front_end))
        learnt = {name: asdict(self._config)[name] for name in LEARNT}
        manifest = dataclasses.replace(
            describe(self.gate, "gate", self.gate.labels, self.gate.config.front_end, WARM_UP_FRAMES),
            results={**held_out(self._config), "learnt": learnt},
            trained_on=trained_on(self._config.learnt_data),
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
            "command": COMMAND,
            **figures,
            **_of_labels(folder, config, config.fold, self._data, self._cache),
        }

    def about(self, manifest: Manifest) -> str:
        config = self._config
        return ABOUT.format(
            parameters=self.model.parameter_count,
            memory_s=self.gate.memory_frames * manifest.frame_ms / 1_000,
            scenes=config.scenes.count * len(config.learnt_folds),
            seconds=config.scenes.scene.seconds,
            mels=self._mels_learnt(),
            fold=config.fold,
            validation_fold=config.validation_fold,
            temperature=manifest.temperature,
            settled=SETTLED_S,
            **{name: 100 * share for name, share in FALSE_SHARES.items()},
        )

    def _mels_learnt(self) -> str:
        if not self._config.mel_share:
            return ""
        learnt = np.isin(gtzan_mels.load(self._data).fold, self._config.learnt_folds)
        return MELS.format(tracks=int(learnt.sum()))

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
    """Return the figures of each label of a gate, on one fold of what it learnt from."""
    sounds = sound_of_fold(config, fold, data, cache)
    scenes = scenes_of_fold(config, sounds, config.scenes.checked, data, cache)
    return PresenceFigures(folder, sounds, scenes).all()


PLUGIN = Plugin(name="gate", config=GateRunConfig, task=GateTask, release=GateRelease, evaluate=evaluate)
