"""Release the ear from a training run: export, figures, card."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.ear import Ear
from streamer.dsp.log_mel import LogMelConfig
from streamer.inference.manifest import Manifest
from train.data.sets.all_sound import trained_on
from train.data.sets.catalogue import DATA_SETS, TEACHERS
from train.export.release import MeasuredRelease, held_out
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.mixing.distillation.teacher_answers import FRONT_END
from train.tasks.ear.config import EarRunConfig
from train.tasks.ear.figures import figures
from train.tasks.ear.task import EarTask

WARM_UP_FRAMES = 48
"""Frames before the first decision, half a second: until then the zero state of the start dominates the output."""
COMMAND = "python -m train evaluate ear"

ABOUT = """
The ear turns sound into an embedding of {embedding} numbers every 80 ms, which the heads take as input. It is a causal
MobileNet with {parameters:,} parameters. It was trained from {began} to predict three things: the outputs of two
trainings of YAMNet every 0.48 s (the embedding of one, and the mean of their logits), the class of everyday sound, and
whether there is music. It contains no weights of YAMNet.

Its training data are {variants} versions of each clip of {sounds} (as recorded; faster, slower, shifted, in rooms,
through microphones, codecs and noise), {scenes} scenes of each fold, made of music, speech and everyday sounds one
after the other and mixed, and {excerpts} excerpts of each hour of all other recordings. In a batch, half are clips of
everyday sound. Of all examples, {mixed:.0%} are mixed with another one, a clip with a clip and any other at another
speed and pitch with any, and the teachers answer to each mixture; stripes are masked. Held out: {held_out}. The folds
are ESC-50's own; duplicates in GTZAN, singers of MIR-1K, speakers of TSP and packages of Debian are each in one fold.
"""
LIMITS = """
- The ear knows only what its teachers know: its embeddings of sound unlike its training data are guesses.
- It forgets what is older than about 2 s.
"""
UNFREE = "- Not every use is allowed, or none is said to be, by the licences of {titles}.\n"


def limits(data: Sequence[str]) -> str:
    """Return the limits of an ear that learnt from the data sets with some names, a list in Markdown."""
    unfree = [DATA_SETS[name].title for name in data if not DATA_SETS[name].is_free]
    return LIMITS + (UNFREE.format(titles=", ".join(unfree)) if unfree else "")


class EarRelease(MeasuredRelease):
    """Makes the model folder of an ear from a training run.

    `MeasuredRelease` says what is written, and `train.loop.registry.Plugin.release` what the arguments are.
    """

    def __init__(self, run: Path, data: Path, cache: Path) -> None:
        self._config, self._data, self._cache = read_config(EarRunConfig, run / "config.json"), data, cache
        ear = Ear(self._config.model)
        load_weights(ear, run / "best.pt", Identity("ear", FRONT_END.config), prefix="ear.")
        front_end = LogMelConfig(mel_bands=ear.config.mel_bands)
        sets = trained_on(self._config.learnt_data)
        manifest = dataclasses.replace(
            describe(ear, "ear", (), front_end, WARM_UP_FRAMES, ear.config.embedding),
            results=held_out(self._config),
            trained_on=(*sets, dict(TEACHERS["yamnet"])),
        )
        super().__init__(ear.eval(), manifest)

    def figures(self, folder: Path) -> dict[str, Any]:
        return {"command": COMMAND, **figures(folder, self._config, self._data, self._cache, "test")}

    @property
    def limits(self) -> str:
        return limits(self._config.learnt_data)

    def about(self, manifest: Manifest) -> str:
        config = self._config
        held_out = f"fold {config.fold} for the figures"
        if config.validation_fold:
            held_out += f", fold {config.validation_fold} to choose the weights"
        return ABOUT.format(
            embedding=manifest.embedding_size,
            parameters=self.model.parameter_count,
            variants=config.lessons.variants,
            sounds=DATA_SETS[config.named_sounds].title,
            scenes=config.lessons.scenes,
            excerpts=config.lessons.excerpts_per_hour,
            mixed=config.mixed,
            began="the weights of an earlier ear with the same held-out folds"
            if config.begin
            else "random weights",
            held_out=held_out,
        )


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported ear by name, on the fold that `evaluation.split` names."""
    return figures(evaluation.model, evaluation.config, evaluation.data, evaluation.cache, evaluation.split)


PLUGIN = Plugin(name="ear", config=EarRunConfig, task=EarTask, release=EarRelease, evaluate=evaluate)
