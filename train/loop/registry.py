"""The tasks that there are. A new one is a file in `train.tasks` and a line in `TASKS`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest
from train.data.recordings import Split

if TYPE_CHECKING:  # so that `python -m train --help` does without torch
    from train.loop.task import Task

TASKS: Mapping[str, str] = MappingProxyType(
    {
        "ear": "train.tasks.ear.release",
        "gate": "train.tasks.gate.release",
        "genre": "train.tasks.genre.release",
        "recordings": "train.tasks.recordings.release",
        "separation": "train.tasks.separation.release",
        "separation_cnn_lstm": "train.tasks.separation.cnn_lstm",
        "separation_offline": "train.tasks.separation.offline",
        "sounds": "train.tasks.sounds.release",
        "sounds_yamnet": "train.transfer.tuned_release",
    }
)
"""Task to the module that holds its `Plugin`, as ``PLUGIN``."""


@dataclass(frozen=True)
class Evaluation:
    """What is to be measured on what.

    Attributes
    ----------
    model : Path
        Exported or released folder.
    config : dataclass
        Of the run that the model comes from, or the default: it says what was held out.
    split : {"train", "validation", "test"}
    data, cache : Path
        Folders of the data sets and of decoded sound.
    predictions : Path or None
        Folder for what the model said of each recording; none keeps nothing.
    """

    model: Path
    config: Any
    split: Split
    data: Path
    cache: Path
    predictions: Path | None = None


@dataclass(frozen=True)
class Plugin:
    """A task, as the commands know it.

    Attributes
    ----------
    name : str
        Of the task, its runs' folder and its released model.
    config : type
        Frozen dataclass of a run, a `train.loop.folds.HoldsOut`; its ``loop`` is a `train.loop.task.LoopConfig`.
    task : callable
        ``task(config, data, cache)``, the task itself.
    export : callable
        ``export(run, folder)`` writes the graph and the manifest, without figures, and checks parity.
    evaluate : callable
        Figures of an `Evaluation`, ready for JSON.
    release : callable
        ``release(run, data, cache, folder)``: export, operating points on validation, figures on test, card.
    hears : str
        Key of the configuration that names the folder of a model that this one's hears; a run keeps a copy of it.
    needs : str
        Task that trains such a model anew for each fold of a cross-validation; `hears` is named like it.
    steps : bool
        Whether its model steps. One that does not is not exported: `Evaluation.model` is the run itself.
    """

    name: str
    config: type[Any]
    task: Callable[[Any, Path, Path], Task]
    export: Callable[[Path, Path], Manifest]
    evaluate: Callable[[Evaluation], dict[str, Any]]
    release: Callable[[Path, Path, Path, Path], Manifest]
    hears: str = ""
    needs: str = ""
    steps: bool = True


def find_plugin(name: str) -> Plugin:
    """The plug-in of a task; only its own modules are imported.

    Raises
    ------
    ConfigError
        If there is no such task; the text names those that there are.
    """
    if name not in TASKS:
        raise ConfigError(f"no task {name!r}; expected one of {', '.join(TASKS)}")
    plugin: Plugin = importlib.import_module(TASKS[name]).PLUGIN
    return plugin
