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
from train.export.to_onnx import describe, export
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.mixing.distillation.teacher_answers import FRONT_END
from train.mixing.patch_embeddings import TRAININGS
from train.tasks.clip_figures import figures_of
from train.tasks.sounds.figures import SoundsFigures
from train.transfer.tuned import TunedRunConfig, TunedTask, tuned_network
from train.yamnet.npz import read_npz

COMMAND = "python -m train evaluate sounds_yamnet"


class TunedRelease:
    """Fine-tuned YAMNet of a run. It is exported into a folder of the user's own; its release is refused.

    Parameters
    ----------
    run : Path
        Folder of the run.
    data, cache : Path
        Folder of the data sets, with YAMNet's published weights, and folder of all caches.
    """

    def __init__(self, run: Path, data: Path, cache: Path) -> None:
        del cache
        self._run, self._data = run, data

    def export(self, folder: Path) -> Manifest:
        """Export the best weights of the run into `folder`; return the manifest, which has no thresholds or figures.

        Raises
        ------
        ConfigError
            If the folder is among the released models.
        """
        if folder.resolve().is_relative_to(SHIPPED.resolve()):
            raise _refusal(f"--out is {folder}")
        config = read_config(TunedRunConfig, self._run / "config.json")
        classes = esc50.classes(self._data)
        network = tuned_network(read_npz(self._data / TRAININGS[config.weights]).relu_max, len(classes))
        load_weights(network, self._run / "best.pt", Identity(TunedTask.name, FRONT_END.config))
        model = SlidingYAMNet(network.eval(), config.hop_frames)
        manifest = dataclasses.replace(
            describe(model, "sounds", classes, FRONT_END.config, PATCH_FRAMES),
            name=TunedTask.name,
            exclusive=True,
            trained_on=(
                {"name": "AudioSet", "licence": LICENCE},
                {"name": "ESC-50", "licence": esc50.LICENCE},
            ),
        )
        return export(model, manifest, folder)

    def release(self, folder: Path) -> NoReturn:
        """Refuse to release weights that were fine-tuned from YAMNet.

        Raises
        ------
        ConfigError
            Always.
        """
        del folder
        raise _refusal(f"run {self._run}")


def evaluate(asked: Evaluation) -> dict[str, Any]:
    """Return the figures of an exported model by name, measured like those of the released sounds head."""
    figures = SoundsFigures(asked.model, asked.config, asked.data, asked.cache, asked.split)
    return figures_of(figures, asked, COMMAND)


def _refusal(what: str) -> ConfigError:
    return ConfigError(
        f"{what}: weights fine-tuned from YAMNet do not ship, expected ones that this project trained from random "
        "initialisation; keep them for yourself: python -m train export sounds_yamnet --out FOLDER"
    )


PLUGIN = Plugin(
    name="sounds_yamnet",
    config=TunedRunConfig,
    task=TunedTask,
    release=TunedRelease,
    evaluate=evaluate,
)
