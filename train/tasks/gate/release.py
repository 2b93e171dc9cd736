"""Release the gate from a training run: export, operating points, figures, card."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.gate import Gate
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from train.data.sets import gtzan_mels
from train.data.sets.all_sound import trained_on
from train.export.release import ThresholdRelease, held_out
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.tasks.clip_figures import figures_of
from train.tasks.gate.figures import GateFigures
from train.tasks.gate.task import FRONT_END, GateRunConfig, GateTask

WARM_UP_FRAMES = 20
"""Frames before the first decision, half a second: until then the zero state of the start dominates the output."""
COMMAND = "python -m train evaluate gate"

ABOUT = """
The gate decides every 93 ms whether there is music. It is a causal network with {parameters:,} parameters: three
time-frequency convolutions, then eight residual blocks of depthwise dilated convolutions over time that
remember about {memory_s:.1f} s. It was trained from random weights on scenes that were made during training: music,
speech, everyday and synthetic sound one after the other and mixed at random levels (music counts from -10 dB
re other sound), filtered, reverberated, noisy, at -50 to 0 dBFS. The first 3 s of {tracks} tracks of GTZAN were mixed
into some scenes; most of these tracks exist only as features, not as sound. Steps within 0.3 s of a change were not
learnt from.

Music is instrumental music, and voice with accompaniment. Speech, ESC-50's sounds, synthetic noises, beeps, sirens and
knocks, and silence are not music. Church bells (ESC-50) and the clip `chant` (GTZAN music/speech) were left out as
ambiguous: AudioSet files the first under musical instruments and the second under singing. Singing alone was not learnt
from; its figure is for information.

Fold {fold} was not used in training; fold {validation_fold} chose weights, temperature and thresholds. The folds are
ESC-50's own; duplicates in GTZAN, singers of MIR-1K and speakers of TSP are each in one fold.

A step is "settled" when it is past the first second of its recording, and within 300 ms of sound that is less
than 40 dB below the recording's loudest 100 ms, so that padding and pauses do not improve any figure.
"""
LIMITS = """
- The held-out music of the two GTZAN sets is 19 clips of 30 s, so figures on it are coarse. It cannot be ruled out
  that a recording is in both sets, or that two singers of MIR-1K sang one karaoke track.
- Tonal sounds of animals, bells, horns and machines are the likeliest false alarms; see the worst classes.
- Music far below speech is not detected; singing alone is mostly not taken for music.
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
        load_weights(self.gate, run / "best.pt", Identity("gate", FRONT_END.config))
        manifest = dataclasses.replace(
            describe(self.gate, "gate", self.gate.labels, self.gate.config.front_end, WARM_UP_FRAMES),
            results=held_out(self._config),
            trained_on=trained_on(),
        )
        super().__init__(self.gate.eval(), manifest, self._config.validation_fold)

    def calibration(self, folder: Path) -> tuple[float, float]:
        return self._measure(folder, self._config.validation_fold).temperature(), 0.0

    def points(self, folder: Path) -> Mapping[str, tuple[Thresholds, ...]]:
        return self._measure(folder, self._config.validation_fold).points()

    def figures(self, folder: Path) -> dict[str, Any]:
        return {"command": COMMAND, **self._measure(folder, self._config.fold).all()}

    def about(self, manifest: Manifest) -> str:
        config = self._config
        return ABOUT.format(
            parameters=self.model.parameter_count,
            tracks=int(np.isin(gtzan_mels.load(self._data).fold, config.learnt_folds).sum()),
            memory_s=self.gate.memory_frames * manifest.frame_ms / 1_000,
            fold=config.fold,
            validation_fold=config.validation_fold,
        )

    def _measure(self, folder: Path, fold: int) -> GateFigures:
        return GateFigures(folder, self._data, self._cache, fold)


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported gate by name, on the fold that `evaluation.split` names."""
    fold = evaluation.config.fold_of(evaluation.split)
    figures = GateFigures(evaluation.model, evaluation.data, evaluation.cache, fold)
    return figures_of(figures, evaluation, COMMAND)


PLUGIN = Plugin(name="gate", config=GateRunConfig, task=GateTask, release=GateRelease, evaluate=evaluate)
