"""Start or resume the training of a configuration."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError
from streamer.inference.model_folders import read_manifest
from train.loop.config import flatten
from train.loop.distributed import join_processes
from train.loop.registry import Plugin
from train.loop.run import current_commit, new_run, write_config, write_environment
from train.loop.train_loop import train

_log = logging.getLogger(__name__)


def launch(
    plugin: Plugin, config: Any, data: Path, cache: Path, resume: Path | None = None, name: str = ""
) -> Path:
    """Train a task in a new run, or resume the training of a run; return the run's folder.

    Parameters
    ----------
    plugin : Plugin
        Task to train.
    config : dataclass
        Configuration of the run, a `plugin.config`.
    data, cache : Path
        Folders of the data sets and of decoded sound.
    resume : Path, optional
        Run to resume; only ``loop`` may differ from its configuration.
    name : str
        Name of a new run's folder in ``runs/TASK``; empty takes the time and a hash.

    Returns
    -------
    Path
        Folder of the run.

    Raises
    ------
    ConfigError
        If the configuration differs from the resumed run's, or a run has that name already.
    TrainingError, ModelError
        If `train.loop.train_loop.train` fails.
    """
    if resume:
        _check_same(resume, config)
    input_model = Path(getattr(config, plugin.input_model)) if plugin.input_model else None
    if resume and input_model:
        _check_same_model(resume / plugin.input_model, input_model)
    with join_processes(config.loop.device) as ranks:
        task = plugin.task(config, data, cache)
        folder = ranks.agree(lambda: resume or new_run(plugin.name, config, name))
        if ranks.first:
            write_config(folder, config)
            if input_model and not (folder / plugin.input_model).is_dir():
                # A copy, because the folder may hold another model by the time of the release.
                shutil.copytree(input_model, folder / plugin.input_model)
            computing = {
                "device": ranks.device_name,
                "processes": ranks.world,
                "threads": config.loop.threads,
            }
            write_environment(folder, current_commit(), computing, task.data_hash())
            _log.info("run %s", folder)
        train(task, config.loop, folder, ranks)
    return folder


def _check_same(run: Path, config: Any) -> None:
    """Refuse a configuration that differs from the run's in more than the settings of the loop."""
    begun = flatten(json.loads((run / "config.json").read_text(encoding="utf-8")))
    # Through JSON, so that tuples become lists as in the file.
    given = flatten(json.loads(json.dumps(asdict(config))))
    for key in sorted(begun.keys() | given.keys()):
        if not key.startswith("loop.") and begun.get(key) != given.get(key):
            raise ConfigError(
                f"run {run} began with {key} = {begun.get(key)!r}, got {given.get(key)!r}; only loop.* may change on "
                "--resume: start a new run"
            )


def _check_same_model(kept: Path, given: Path) -> None:
    """Refuse an input model other than the one that the run has learnt on."""
    if kept.is_dir() and read_manifest(kept).sha256 != read_manifest(given).sha256:
        raise ConfigError(
            f"{given} holds another model than the run learnt on, which is kept in {kept}; start a new run"
        )
