"""From a training run of the ear to its released folder: export, figures, card."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from models.ear import Ear
from streamer.dsp.log_mel import LogMelConfig
from streamer.inference.manifest import Manifest
from train.data.sets.all_sound import trained_on
from train.export.release import finish, held_out
from train.export.to_onnx import describe, export
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.tasks.ear.figures import figures
from train.tasks.ear.task import FRONT_END, EarRunConfig, EarTask

WARM_UP_FRAMES = 48
"""Half a second: sooner the network has heard more of its own zero state than of the world."""
COMMAND = "python -m train evaluate ear"

ABOUT = """
Gives {embedding} numbers every 80 ms that say what sounds; the heads of the program listen to them. A causal
MobileNet of {parameters:,} parameters. Trained from random weights to predict what two trainings of YAMNet say of
5 s of sound each 0.48 s (the embedding of one, and the mean of their logits), which everyday sound it
is, and whether music sounds. YAMNet's weights are no part of it.

It learnt from {variants} versions of each clip of ESC-50 (as recorded; faster, slower, elsewhere, in rooms, through
microphones, codecs and noise) and {scenes} scenes of each fold, made of music, speech and everyday sounds one after the
other and mixed; half of the clips of everyday sound in a batch are mixed with another, and stripes are masked.
Held out: {held_out}. The folds are ESC-50's own; GTZAN's by group of one recording, MIR-1K's by singer,
TSP's by speaker.
"""
LIMITS = """
- It knows what its teacher knows, and was taught on about six hours of sound: embeddings of sound unlike music,
  speech and ESC-50's classes are guesses.
- What is older than about 2 s is forgotten.
- The training sets are for research, and ESC-50's licence forbids commercial use.
"""


def load_run(run: Path) -> Ear:
    """The ear with the best weights of a run, ready to use."""
    model = Ear(read_config(EarRunConfig, run / "config.json").model)
    load_weights(model, run / "best.pt", Identity("ear", FRONT_END.config), prefix="ear.")
    return model.eval()


def export_run(run: Path, folder: Path) -> Manifest:
    """Export a run's best weights without figures into `folder`."""
    config, model = read_config(EarRunConfig, run / "config.json"), load_run(run)
    front_end = LogMelConfig(mel_bands=model.config.mel_bands)
    described = dataclasses.replace(
        describe(model, "ear", (), front_end, WARM_UP_FRAMES, model.config.embedding),
        results=held_out(config),
        trained_on=(*trained_on(config.data), {"name": "what YAMNet says of them", "licence": "Apache-2.0"}),
    )
    return export(model, described, folder)


def evaluate(asked: Evaluation) -> dict[str, Any]:
    """Figures of an exported ear."""
    return figures(asked.model, asked.config, asked.data, asked.cache, asked.split)


def release(run: Path, data: Path, cache: Path, folder: Path) -> Manifest:
    """Export a run's best weights, measure on the test fold, write the card.

    Parameters
    ----------
    run : Path
        With ``config.json`` and ``best.pt``.
    data, cache : Path
        Folders of the data sets and of what is made of them.
    folder : Path
        Takes ``model.onnx``, ``manifest.json`` and ``card.md``.
    """
    config = read_config(EarRunConfig, run / "config.json")
    manifest = export_run(run, folder)
    results = {"command": COMMAND, **figures(folder, config, data, cache, "test")}
    return finish(manifest, results, folder, _about(load_run(run), config), LIMITS)


def _about(model: Ear, config: EarRunConfig) -> str:
    held_out = f"fold {config.fold} for the figures"
    if config.validation_fold:
        held_out += f", fold {config.validation_fold} to choose the weights"
    return ABOUT.format(
        embedding=model.config.embedding,
        parameters=model.parameter_count,
        variants=config.lessons.variants,
        scenes=config.lessons.scenes,
        held_out=held_out,
    )


PLUGIN = Plugin(
    name="ear", config=EarRunConfig, task=EarTask, export=export_run, evaluate=evaluate, release=release
)
