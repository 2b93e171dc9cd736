"""Release the sounds head from a training run: export, operating points, figures, card."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.heads import ClassifierHead
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.onnx import OnnxModel
from train.data.recordings import Split
from train.data.sets import esc50
from train.data.sets.all_sound import DEFAULT_DATA_SETS, trained_on
from train.data.sets.catalogue import DATA_SETS
from train.evaluate.operating_points import goals_by_preference
from train.export.release import ThresholdRelease, held_out
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.mixing.distillation.teacher_answers import FRONT_END
from train.tasks.clip_figures import figures_of
from train.tasks.on_ear import WARM_UP_STEPS
from train.tasks.sounds.config import SoundsRunConfig
from train.tasks.sounds.figures import SoundsFigures
from train.tasks.sounds.task import TELEPHONE_HZ, SoundsTask
from train.tasks.sounds.validation import SoundsValidation

COMMAND = "python -m train evaluate sounds"
PRECISION, RECALL = 0.9, 0.9
"""Precision and recall of labels that are on at any time in a validation clip, at the operating points of these
names."""
FALSE_AN_HOUR = MappingProxyType({"balanced": 4.0, "precision": 1.0, "recall": 20.0})
"""Most labels that begin in an hour of sound that is none of the classes, at the operating points of these names."""

ABOUT = """
The model decides every 80 ms which of ESC-50's {labels} everyday sounds there are: none, one or several. It has two
layers with {parameters:,} parameters on the embeddings of the ear (see its card), whose logits are averaged over about
1 s. It was trained from random weights, each label by itself and, where there is one, against the others. The training
data are clips as recorded and augmented, and scenes in which sounds, music and speech follow each other and mix. Steps
within 0.3 s of a change are not learnt from, except that a clip contains no class but its own.{clips} Of {others} the
model learnt that music, speech, singing, and effects whose names fit no class, are none of the classes.{telephone}

The model is calibrated on the three likeliest labels of each step of the validation fold: its logits are divided by
{temperature:.2f} and {bias:+.2f} is added. Thresholds are chosen there for each label by the clips in which it is on at
any time, and drawn towards those of all labels where it has few clips: for the best F1 (balanced), for a precision of
{precision:g}, and for a recall of {recall:g}. They are then raised until at most {balanced:g}, {precise:g} and
{recalling:g} labels begin in an hour of the sound of the validation fold that is none of the classes, where single
notes, animals and effects do not count, nor do voices and effects of Debian's packages; labels that begin there most
often are raised first.
"""
CLIPS = """ Of the
single clips of a class, {percent:.0f} % are of these data sets, where they have the class too: {titles}."""
TELEPHONE = """ Of single
clips, and of that other sound, {percent:.0f} % were heard as over a telephone, with nothing above {lowest:g} to
{highest:g} Hz."""
LIMITS = """
- The model knows the classes of ESC-50 only. Other sounds are mostly given no name, but may be taken for the nearest
  class. The clips of most classes are few: ESC-50 has 40.
- Music and speech far above a sound mask it.
- The clips were recorded and cut for the data set; at home the microphone is farther away.
- ESC-50's licence forbids commercial use, and some other data sets state no licence; they are listed above.
"""


class SoundsRelease(ThresholdRelease):
    """Makes the model folder of a sounds head from a training run.

    `ThresholdRelease` says what is written, and `train.loop.registry.Plugin.release` what the arguments are.
    """

    limits = LIMITS

    def __init__(self, run: Path, data: Path, cache: Path) -> None:
        # The ear is the run's own copy.
        self._config = dataclasses.replace(
            read_config(SoundsRunConfig, run / "config.json"), ear=str(run / "ear")
        )
        self._data, self._cache = data, cache
        ear = OnnxModel(run / "ear").manifest
        head = ClassifierHead(self._config.model, ear.output_size, esc50.classes(data))
        load_weights(head, run / "best.pt", Identity("sounds", FRONT_END.config))
        manifest = dataclasses.replace(
            describe(head, "sounds", head.labels, ear.front_end, WARM_UP_STEPS),
            ear=ear.as_ear(),
            results=held_out(self._config),
            trained_on=trained_on(dict.fromkeys((*DEFAULT_DATA_SETS, *self._learnt_beside()))),
        )
        super().__init__(head.eval(), manifest, self._config.validation_fold)

    def calibration(self, folder: Path) -> tuple[float, float]:
        return self._validation(folder).calibration()

    def points(self, folder: Path) -> Mapping[str, tuple[Thresholds, ...]]:
        clips, steps = self._measure(folder, "validation"), self._validation(folder)
        goals = goals_by_preference(PRECISION, RECALL)
        return {name: clips.points(goal, steps, FALSE_AN_HOUR[name]) for name, goal in goals.items()}

    def figures(self, folder: Path) -> dict[str, Any]:
        return {"command": COMMAND, **self._measure(folder, "test").all()}

    def about(self, manifest: Manifest) -> str:
        return ABOUT.format(
            labels=len(manifest.labels),
            parameters=self.model.parameter_count,
            temperature=manifest.temperature,
            bias=manifest.bias,
            precision=PRECISION,
            recall=RECALL,
            telephone=self._telephone(),
            clips=self._clips(),
            others=_titles(self._config.learnt(self._config.others)) or "no further data",
            balanced=FALSE_AN_HOUR["balanced"],
            precise=FALSE_AN_HOUR["precision"],
            recalling=FALSE_AN_HOUR["recall"],
        )

    def _telephone(self) -> str:
        share, (lowest, highest) = self._config.telephone_share, TELEPHONE_HZ
        return TELEPHONE.format(percent=100 * share, lowest=lowest, highest=highest) if share else ""

    def _learnt_beside(self) -> tuple[str, ...]:
        """Return the names of the data sets that the head learnt from beside the default ones."""
        return (*self._config.learnt(self._config.others), *self._config.learnt(self._config.clips))

    def _clips(self) -> str:
        titles = _titles(self._config.learnt(self._config.clips))
        return CLIPS.format(percent=100 * self._config.clip_share, titles=titles) if titles else ""

    def _measure(self, folder: Path, split: Split) -> SoundsFigures:
        return SoundsFigures(folder, self._config, self._data, self._cache, split)

    def _validation(self, folder: Path) -> SoundsValidation:
        return SoundsValidation(folder, self._config, self._data, self._cache)


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported sounds head by name, on the fold that `evaluation.split` names."""
    figures = SoundsFigures(
        evaluation.model, evaluation.config, evaluation.data, evaluation.cache, evaluation.split
    )
    return figures_of(figures, evaluation, COMMAND)


def _titles(names: Sequence[str]) -> str:
    return ", ".join(DATA_SETS[name].title for name in names)


PLUGIN = Plugin(
    name="sounds",
    config=SoundsRunConfig,
    task=SoundsTask,
    release=SoundsRelease,
    evaluate=evaluate,
    input_model="ear",
    input_task="ear",
)
