"""From a configuration to a trained run."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError
from streamer.inference.model_folders import read_manifest
from train.loop.distributed import joined
from train.loop.registry import Plugin
from train.loop.run import current_commit, new_run, write_config, write_environment
from train.loop.train_loop import train

_log = logging.getLogger(__name__)


def launch(
    plugin: Plugin, config: Any, data: Path, cache: Path, resume: Path | None = None, name: str = ""
) -> Path:
    """Train a task in a new run, or go on with one.

    Parameters
    ----------
    plugin : Plugin
    config : dataclass
        Of the run, `plugin.config`.
    data, cache : Path
        Folders of the data sets and of decoded sound.
    resume : Path, optional
        The run to go on with; only its ``loop`` may have been changed since.
    name : str
        Of a new run's folder in ``runs/TASK``; empty takes the time and a hash.

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    ConfigError
        If the configuration is not the run's, or a run has that name.
    TrainingError, ModelError
        As `train.loop.train_loop.train`.
    """
    if resume:
        _check_same(resume, config)
    heard = Path(getattr(config, plugin.hears)) if plugin.hears else None
    if resume and heard:
        _check_same_heard(resume / plugin.hears, heard)
    with joined(config.loop.device) as ranks:
        task = plugin.task(config, data, cache)
        folder = ranks.agree(lambda: resume or new_run(plugin.name, config, name))
        if ranks.first:
            write_config(folder, config)
            if heard and not (folder / plugin.hears).is_dir():  # by the release another may lie there
                shutil.copytree(heard, folder / plugin.hears)
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
    """All but how long and fast it learns must be as the run began, or its weights would mean something else."""
    begun = _flat(json.loads((run / "config.json").read_text(encoding="utf-8")))
    given = _flat(json.loads(json.dumps(asdict(config))))
    for key in sorted(begun.keys() | given.keys()):
        if not key.startswith("loop.") and begun.get(key) != given.get(key):
            raise ConfigError(
                f"run {run} began with {key} = {begun.get(key)!r}, got {given.get(key)!r}; only loop.* may change on "
                "--resume: start a new run"
            )


def _check_same_heard(kept: Path, given: Path) -> None:
    """What a run learnt on must be what it goes on with."""
    if kept.is_dir() and read_manifest(kept).sha256 != read_manifest(given).sha256:
        raise ConfigError(
            f"{given} holds another model than the run learnt on, which is kept in {kept}; start a new run"
        )


def _flat(content: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{where}{key}.") if isinstance(value, Mapping) else {where + key: value}
    return flat
