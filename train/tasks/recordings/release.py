"""Release a classifier of recordings into a folder of the user's: export, operating points, figures, card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.heads import ClassifierHead
from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import read_manifest
from streamer.inference.onnx import OnnxModel
from train.evaluate.calibration import goals_by_preference
from train.export.release import SHIPPED, check_chosen, finish, set_points
from train.export.to_onnx import describe, export
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.loop.run import CACHE, data_folder
from train.tasks.on_ear import WARM_UP_STEPS
from train.tasks.recordings.figures import RecordingsFigures
from train.tasks.recordings.task import RecordingsRunConfig, RecordingsTask, data_set_of, find_recordings

COMMAND = "python -m train evaluate recordings"
PRECISION, RECALL = 0.9, 0.9
"""Precision and recall of categories that are on at any time in a validation recording, at the operating points of
these names."""

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


def load_run(run: Path, data: Path, cache: Path) -> tuple[RecordingsRunConfig, ClassifierHead, Manifest]:
    """Return a run's configuration, its head with the best weights in evaluation mode, and its manifest.

    The manifest has no figures or thresholds; the head is exported with it.
    """
    config = read_config(RecordingsRunConfig, run / "config.json")
    ear = OnnxModel(run / "ear").manifest
    found = find_recordings(config, data, cache)
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    labels = tuple(environment["data"]["labels"])  # as in training: folders may have been renamed since
    model = ClassifierHead(config.model, ear.output_size, labels)
    load_weights(model, run / "best.pt", Identity(RecordingsTask.name, ear.front_end))
    source = data_set_of(config)
    task = "genre" if all(recording.kind == "music" for recording in found) else "sounds"
    manifest = replace(
        describe(model, task, labels, ear.front_end, WARM_UP_STEPS),
        name=found[0].source,
        ear=ear.as_ear(),
        exclusive=True,
        trained_on=({"name": source.title, "licence": source.licence},),
    )
    return config, model.eval(), manifest


def export_run(run: Path, folder: Path) -> Manifest:
    """Export the best weights of a run into `folder`, and return the manifest, which has no thresholds or figures."""
    _, model, manifest = load_run(run, data_folder(), CACHE)
    return export(model, manifest, folder)


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported classifier of recordings by name, on the fold that `evaluation.split` names."""
    learnt = read_manifest(evaluation.model).results.get("learnt")
    config = (
        replace(evaluation.config, **learnt) if learnt else evaluation.config
    )  # a released model names its own data
    figures = RecordingsFigures(evaluation.model, config, evaluation.data, evaluation.cache, evaluation.split)
    if evaluation.predictions:
        figures.predictions(COMMAND).save(evaluation.predictions / f"{evaluation.split}.npz")
    return figures.all()


def release(run: Path, data: Path, cache: Path, folder: Path) -> Manifest:
    """Export the classifier of a run, calibrate it, choose thresholds and measure it; return the manifest.

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

    Raises
    ------
    ConfigError
        If the folder is among the models that ship, or the run had no validation fold.
    """
    if folder.resolve().is_relative_to(SHIPPED.resolve()):
        raise ConfigError(
            f"--out is {folder}, among the models that ship; expected a folder of your own: --out FOLDER"
        )
    config, model, manifest = load_run(run, data, cache)
    check_chosen(config.validation_fold)
    export(model, manifest, folder)
    temperature = RecordingsFigures(folder, config, data, cache, "validation").temperature()
    manifest = export(model, replace(manifest, temperature=temperature), folder)
    chosen = RecordingsFigures(folder, config, data, cache, "validation")
    goals = goals_by_preference(PRECISION, RECALL)
    manifest = set_points(manifest, {name: chosen.points(goal) for name, goal in goals.items()}, folder)
    learnt = {name: getattr(config, name) for name in ("data", "own_music", "fold", "validation_fold")}
    figures = RecordingsFigures(folder, config, data, cache, "test").all()
    results = {"command": f"{COMMAND} --model {folder}", "learnt": learnt, **figures}
    about = ABOUT.format(
        labels=len(model.labels),
        source=manifest.name,
        parameters=model.parameter_count,
        memory_s=config.model.memory_steps * manifest.frame_ms / 1_000,
        fold=config.fold,
        validation_fold=config.validation_fold,
        temperature=temperature,
        precision=PRECISION,
        recall=RECALL,
    )
    return finish(manifest, results, folder, about, LIMITS)


PLUGIN = Plugin(
    name="recordings",
    config=RecordingsRunConfig,
    task=RecordingsTask,
    export=export_run,
    evaluate=evaluate,
    release=release,
    input_model="ear",
)
