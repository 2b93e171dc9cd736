"""Table of the tasks. A new task is a folder in `train.tasks` and a row of `TASKS`."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import read_manifest
from train.data.recordings import Split

if TYPE_CHECKING:  # `python -m train --help` must not import torch, which takes seconds
    from train.loop.task import Task

TASKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ear": ("train.tasks.ear.release", "the embedding model"),
        "gate": ("train.tasks.gate.release", "the gate, for music, speech and singing"),
        "generator": ("train.tasks.reference.generator", "a generator of music of a genre, by likelihood"),
        "generator_adversarial": (
            "train.tasks.reference.generator_adversarial",
            "the generator of music against a discriminator",
        ),
        "genre": ("train.tasks.genre.release", "the head for genres of music"),
        "music_tags": ("train.tasks.music_tags.release", "the genre network, by a tagger of music"),
        "recordings": ("train.tasks.recordings.release", "a head for any recordings, such as your own"),
        "separation": ("train.tasks.separation.release", "the separation of voice and accompaniment"),
        "separation_cnn_lstm": ("train.tasks.separation.cnn_lstm", "a separation by another network"),
        "separation_gru": ("train.tasks.separation.gru", "a separation by stacked GRUs"),
        "separation_offline": ("train.tasks.separation.offline", "a separation that needs the whole song"),
        "sounds": ("train.tasks.sounds.release", "the head for everyday sounds"),
        "sounds_yamnet": ("train.transfer.tuned_release", "YAMNet, fine-tuned for everyday sounds"),
    }
)
"""Module of each task, which holds the task's `Plugin` as ``PLUGIN``, and what the task trains, in plain words."""


@dataclass(frozen=True)
class Evaluation:
    """Request to measure a model on held-out data.

    Attributes
    ----------
    model : Path
        Folder of an exported or released model.
    config : dataclass
        Configuration of the model's run, or the default one: it names the folds that were held out.
    split : {"train", "validation", "test"}
        Part of the data to measure on.
    data, cache : Path
        Folders of the data sets and of decoded sound.
    predictions : Path or None
        Folder to write the model's scores of each recording to; with None they are not written.
    """

    model: Path
    config: Any
    split: Split
    data: Path
    cache: Path
    predictions: Path | None = None


class Release(Protocol):
    """Trained model of a run on its way into a folder; `train.export.release` has the steps that all tasks share."""

    def export(self, folder: Path) -> Manifest:
        """Write the graph and the manifest without thresholds and figures into `folder`; return the manifest.

        The graph is compared with the torch model.
        """
        ...

    def release(self, folder: Path) -> Manifest:
        """Export into `folder`, choose thresholds on the validation fold, measure on the test fold, write the card.

        The manifest is returned.
        """
        ...


@dataclass(frozen=True)
class Plugin:
    """Task with the functions that the commands of ``python -m train`` call.

    Attributes
    ----------
    name : str
        Name of the task, of its folder of runs and of its released model.
    config : type
        Frozen dataclass with a run's settings, a `train.loop.folds.HoldsOut`; its ``loop`` is a
        `train.loop.task.LoopConfig`.
    task : callable
        Function or class that makes the task: ``task(config, data, cache)`` returns a `train.loop.task.Task`.
    release : callable
        Class or function ``release(run, data, cache)``, which returns the `Release` of a run. Its arguments are the
        folders of the run, of the data sets and of all caches.
    evaluate : callable
        Function that returns the figures of an `Evaluation`, ready for JSON.
    input_model : str
        Key of the configuration that names the folder of the input model, whose output the model of this task takes; a
        run keeps a copy of the folder. It is empty if there is no such model.
    input_task : str
        Task that trains the input model for each fold of a cross-validation; `input_model` has the same name. It is
        empty if the input model is not trained anew.
    steps : bool
        Whether the task's model steps through a stream. A model that does not is not exported: `Evaluation.model` is
        then the folder of the run.
    """

    name: str
    config: type[Any]
    task: Callable[[Any, Path, Path], Task]
    release: Callable[[Path, Path, Path], Release]
    evaluate: Callable[[Evaluation], dict[str, Any]]
    input_model: str = ""
    input_task: str = ""
    steps: bool = True


def find_plugin(name: str) -> Plugin:
    """Return the plug-in of the task with a name. Only the modules of that task are imported.

    Raises
    ------
    ConfigError
        If there is no such task; the text lists the tasks.
    """
    if name not in TASKS:
        raise ConfigError(f"no task {name!r}; expected one of {', '.join(TASKS)}")
    plugin: Plugin = importlib.import_module(TASKS[name][0]).PLUGIN
    return plugin


def released_config(plugin: Plugin, released: Path) -> Any:
    """Return the task's configuration with the data and folds that a released model held out, by its manifest."""
    held_out = read_manifest(released).results.get("held out", {})
    return dataclasses.replace(
        plugin.config(), **{key: found for key, found in held_out.items() if key != "what"}
    )
