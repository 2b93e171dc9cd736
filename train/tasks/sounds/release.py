"""Release the sounds head from a training run: export, operating points, figures, card."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from models.heads import ClassifierHead
from streamer.inference.manifest import Manifest
from streamer.inference.onnx import OnnxModel
from train.data.sets import esc50
from train.data.sets.all_sound import trained_on
from train.evaluate.calibration import goals_by_preference
from train.export.release import check_chosen, finish, held_out, set_points
from train.export.to_onnx import describe, export
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.loop.run import data_folder
from train.mixing.distillation import FRONT_END
from train.tasks.on_ear import WARM_UP_STEPS
from train.tasks.sounds.figures import SoundsFigures
from train.tasks.sounds.task import SoundsRunConfig, SoundsTask
from train.tasks.sounds.validation import SoundsValidation

COMMAND = "python -m train evaluate sounds"
PRECISION, RECALL = 0.9, 0.9
"""Precision and recall of labels that are on at any time in a validation clip, at the operating points of these
names."""

ABOUT = """
The model decides every 80 ms which of ESC-50's {labels} everyday sounds there are: none, one or several. It has two
layers with {parameters:,} parameters on the embeddings of the ear (see its card), whose logits are averaged over about
1 s. It was trained from random weights, each label by itself and, where there is one, against the others. The training
data are clips as recorded and augmented, and scenes in which sounds, music and speech follow each other and mix. Steps
within 0.3 s of a change are not learnt from, except that a clip contains no class but its own.

The model is calibrated on the three likeliest labels of each step of the validation fold: its logits are divided by
{temperature:.2f} and {bias:+.2f} is added. Thresholds are chosen there for each label by the clips in which it is on at
any time, and drawn towards those of all labels where it has few clips: for the best F1 (balanced), for a precision of
{precision:g}, and for a recall of {recall:g}.
"""
LIMITS = """
- The model knows the classes of ESC-50 only: other sounds may be taken for the nearest class. 40 clips of a class are
  few.
- Music and speech far above a sound mask it.
- The clips were recorded and cut for the data set; at home the microphone is farther away.
- ESC-50's licence forbids commercial use.
"""


def load_run(run: Path, labels: tuple[str, ...]) -> ClassifierHead:
    """Return the sounds head, for the classes `labels`, with the best weights of a run, in evaluation mode."""
    config = _config(run)
    model = ClassifierHead(config.model, OnnxModel(Path(config.ear)).manifest.output_size, labels)
    load_weights(model, run / "best.pt", Identity("sounds", FRONT_END.config))
    return model.eval()


def export_run(run: Path, folder: Path) -> Manifest:
    """Export the best weights of a run into `folder`, and return the manifest, which has no thresholds or figures."""
    config = _config(run)
    return _exported(load_run(run, esc50.classes(data_folder())), config, folder, 1.0, 0.0)


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported sounds head by name, on the fold that `evaluation.split` names."""
    figures = SoundsFigures(
        evaluation.model, evaluation.config, evaluation.data, evaluation.cache, evaluation.split
    )
    if evaluation.predictions:
        figures.predictions(COMMAND).save(evaluation.predictions / f"{evaluation.split}.npz")
    return figures.all()


def release(run: Path, data: Path, cache: Path, folder: Path) -> Manifest:
    """Export the sounds head of a run, calibrate it, choose thresholds and measure it; return the manifest.

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
    config = _config(run)
    check_chosen(config.validation_fold)
    model = load_run(run, esc50.classes(data))
    _exported(model, config, folder, 1.0, 0.0)
    # Calibrated by a first export, since scores are those of the exported graph; thresholds then hold for the second.
    temperature, bias = SoundsValidation(folder, config, data, cache).calibration()
    manifest = _exported(model, config, folder, temperature, bias)
    clips = SoundsFigures(folder, config, data, cache, "validation")
    steps = SoundsValidation(folder, config, data, cache)
    goals = goals_by_preference(PRECISION, RECALL)
    manifest = set_points(manifest, {name: clips.points(goal, steps) for name, goal in goals.items()}, folder)
    results = {"command": COMMAND, **SoundsFigures(folder, config, data, cache, "test").all()}
    return finish(manifest, results, folder, _about(model, manifest), LIMITS)


def _config(run: Path) -> SoundsRunConfig:
    """Read a run's configuration, with the run's own copy of the ear."""
    return dataclasses.replace(read_config(SoundsRunConfig, run / "config.json"), ear=str(run / "ear"))


def _exported(
    model: ClassifierHead, config: SoundsRunConfig, folder: Path, temperature: float, bias: float
) -> Manifest:
    ear = OnnxModel(Path(config.ear)).manifest
    manifest = dataclasses.replace(
        describe(model, "sounds", model.labels, ear.front_end, WARM_UP_STEPS),
        ear=ear.as_ear(),
        temperature=temperature,
        bias=bias,
        results=held_out(config),
        trained_on=trained_on(),
    )
    return export(model, manifest, folder)


def _about(model: ClassifierHead, manifest: Manifest) -> str:
    return ABOUT.format(
        labels=len(model.labels),
        parameters=model.parameter_count,
        temperature=manifest.temperature,
        bias=manifest.bias,
        precision=PRECISION,
        recall=RECALL,
    )


PLUGIN = Plugin(
    name="sounds",
    config=SoundsRunConfig,
    task=SoundsTask,
    export=export_run,
    evaluate=evaluate,
    release=release,
    input_model="ear",
    input_task="ear",
)
