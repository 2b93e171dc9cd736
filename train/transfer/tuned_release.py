"""Export of a fine-tuned YAMNet into a folder of the user's own. Its release is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NoReturn

from models.yamnet import SlidingYAMNet
from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest
from streamer.yamnet.weights import LICENCE, PATCH_FRAMES
from train.data.sets import esc50
from train.export.release import SHIPPED
from train.export.to_onnx import describe
from train.export.to_onnx import export as export_model
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.loop.run import data_folder
from train.mixing.distillation import FRONT_END
from train.tasks.sounds.figures import SoundsFigures
from train.transfer.embeddings import TRAININGS
from train.transfer.tuned import TunedRunConfig, TunedTask, tuned_network
from train.yamnet.npz import read_npz

COMMAND = "python -m train evaluate sounds_yamnet"


def export(run: Path, folder: Path) -> Manifest:
    """Export the best weights of a run into `folder`, and return the manifest, which has no thresholds or figures.

    Raises
    ------
    ConfigError
        If the folder is among the released models.
    """
    if folder.resolve().is_relative_to(SHIPPED.resolve()):
        raise _refusal(f"--out is {folder}")
    config = read_config(TunedRunConfig, run / "config.json")
    classes = esc50.classes(data_folder())
    network = tuned_network(read_npz(data_folder() / TRAININGS[config.weights]).relu_max, len(classes))
    load_weights(network, run / "best.pt", Identity(TunedTask.name, FRONT_END.config))
    model = SlidingYAMNet(network.eval(), config.hop_frames)
    described = dataclasses.replace(
        describe(model, "sounds", classes, FRONT_END.config, PATCH_FRAMES),
        name=TunedTask.name,
        exclusive=True,
        trained_on=(
            {"name": "AudioSet", "licence": LICENCE},
            {"name": "ESC-50", "licence": esc50.LICENCE},
        ),
    )
    return export_model(model, described, folder)


def evaluate(asked: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported model by name, measured like those of the released sounds head."""
    figures = SoundsFigures(asked.model, asked.config, asked.data, asked.cache, asked.split)
    if asked.predictions:
        figures.predictions(COMMAND).save(asked.predictions / f"{asked.split}.npz")
    return figures.all()


def release(run: Path, data: Path, cache: Path, folder: Path) -> NoReturn:
    """Refuse to release weights that were fine-tuned from YAMNet.

    Raises
    ------
    ConfigError
        Always.
    """
    del data, cache, folder
    raise _refusal(f"run {run}")


def _refusal(what: str) -> ConfigError:
    return ConfigError(
        f"{what}: weights fine-tuned from YAMNet do not ship, expected ones that this project trained from random "
        "initialisation; keep them for yourself: python -m train export sounds_yamnet --out FOLDER"
    )


PLUGIN = Plugin(
    name="sounds_yamnet",
    config=TunedRunConfig,
    task=TunedTask,
    export=export,
    evaluate=evaluate,
    release=release,
)
