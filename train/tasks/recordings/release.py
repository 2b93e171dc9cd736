"""Release a classifier of recordings into a folder of the user's: export, operating points, figures, card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.heads import ClassifierHead
from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.model_folders import read_manifest
from streamer.inference.onnx import OnnxModel
from train.data.recordings import Split
from train.evaluate.operating_points import goals_by_preference
from train.export.release import SHIPPED, ThresholdRelease
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.tasks.clip_figures import figures_of
from train.tasks.on_ear import WARM_UP_STEPS
from train.tasks.recordings.figures import RecordingsFigures
from train.tasks.recordings.task import RecordingsRunConfig, RecordingsTask, data_set_of, find_recordings

COMMAND = "python -m train evaluate recordings"
PRECISION, RECALL = 0.9, 0.9
"""Precision and recall of categories that are on at any time in a validation recording, at the operating points of
these names."""
LEARNT = ("data", "own_music", "fold", "validation_fold")
"""Settings of the run that a released model must keep, so that it can be measured on what it did not learn from."""

ABOUT = """
The model classifies sound every 80 ms into {labels} categories of {source}. It is a head with {parameters:,} parameters
on the embeddings of the ear (see its card), whose logits are averaged over about {memory_s:.1f} s. It was trained from
random weights on parts of recordings and on mixtures of two.

Fold {fold} was held out for the figures; fold {validation_fold} chose weights, temperature ({temperature:.2f}) and
thresholds. These are chosen by the categories that are on at any time in a recording: for the best F1 (balanced), for a
precision of {precision:g}, and for a recall of {recall:g}.
"""
LIMITS = """
- Sound of no category is classified as one of them, or as none where the model is unsure: a category of other sounds
  helps. Music is better classified behind the gate, as genre.
- The figures hold for recordings like those that the model was trained on. They are coarse if there are few of them.
- The licence of the data set applies to the model.
"""


class RecordingsRelease(ThresholdRelease):
    """Makes the model folder of a classifier of recordings from a training run.

    `ThresholdRelease` says what is written, and `train.loop.registry.Plugin.release` what the arguments are.
    """

    limits = LIMITS

    def __init__(self, run: Path, data: Path, cache: Path) -> None:
        self._config = read_config(RecordingsRunConfig, run / "config.json")
        self._data, self._cache = data, cache
        ear = OnnxModel(run / "ear").manifest
        environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
        labels = tuple(environment["data"]["labels"])  # as in training: folders may have been renamed since
        head = ClassifierHead(self._config.model, ear.output_size, labels)
        load_weights(head, run / "best.pt", Identity(RecordingsTask.name, ear.front_end))
        found = find_recordings(self._config, data, cache)
        source = data_set_of(self._config)
        task = "genre" if all(recording.kind == "music" for recording in found) else "sounds"
        manifest = replace(
            describe(head, task, labels, ear.front_end, WARM_UP_STEPS),
            name=found[0].source,
            ear=ear.as_ear(),
            exclusive=True,
            results={"learnt": {name: getattr(self._config, name) for name in LEARNT}},
            trained_on=({"name": source.title, "licence": source.licence},),
        )
        super().__init__(head.eval(), manifest, self._config.validation_fold)

    def export(self, folder: Path) -> Manifest:
        if folder.resolve().is_relative_to(SHIPPED.resolve()):
            raise ConfigError(
                f"--out is {folder}, among the models that ship; expected a folder of your own: --out FOLDER"
            )
        return super().export(folder)

    def calibration(self, folder: Path) -> tuple[float, float]:
        return self._measure(folder, "validation").temperature(), 0.0

    def points(self, folder: Path) -> Mapping[str, tuple[Thresholds, ...]]:
        chosen = self._measure(folder, "validation")
        goals = goals_by_preference(PRECISION, RECALL)
        return {name: chosen.points(goal) for name, goal in goals.items()}

    def figures(self, folder: Path) -> dict[str, Any]:
        return {"command": f"{COMMAND} --model {folder}", **self._measure(folder, "test").all()}

    def about(self, manifest: Manifest) -> str:
        config = self._config
        return ABOUT.format(
            labels=len(manifest.labels),
            source=manifest.name,
            parameters=self.model.parameter_count,
            memory_s=config.model.memory_steps * manifest.frame_ms / 1_000,
            fold=config.fold,
            validation_fold=config.validation_fold,
            temperature=manifest.temperature,
            precision=PRECISION,
            recall=RECALL,
        )

    def _measure(self, folder: Path, split: Split) -> RecordingsFigures:
        return RecordingsFigures(folder, self._config, self._data, self._cache, split)


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported classifier of recordings by name, on the fold that `evaluation.split` names."""
    learnt = read_manifest(evaluation.model).results.get("learnt")
    # A released model names its own data.
    config = replace(evaluation.config, **learnt) if learnt else evaluation.config
    figures = RecordingsFigures(evaluation.model, config, evaluation.data, evaluation.cache, evaluation.split)
    return figures_of(figures, evaluation, COMMAND)


PLUGIN = Plugin(
    name="recordings",
    config=RecordingsRunConfig,
    task=RecordingsTask,
    release=RecordingsRelease,
    evaluate=evaluate,
    input_model="ear",
)
