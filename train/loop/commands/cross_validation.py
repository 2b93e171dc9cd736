"""``python -m train cross-validate``: train with each fold held out in turn, and pool the figures."""

from __future__ import annotations

import dataclasses
import json
import logging
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from streamer.errors import ConfigError
from train.loop.commands.options import config_option, set_option
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin, find_plugin
from train.loop.run import CACHE, data_folder, find_same, note_evaluation, read_metrics

_log = logging.getLogger(__name__)


@click.command("cross-validate")
@click.argument("task")
@config_option
@set_option
@click.option(
    "--fold", "folds", type=int, multiple=True, help="Hold out only this fold; repeatable.  [default: each]"
)
def cross_validate_command(
    task: str, config: Path | None, assignments: tuple[str, ...], folds: tuple[int, ...]
) -> None:
    """Train with each fold held out in turn, measure each model on its fold; print mean and spread as JSON.

    If a run with the same configuration exists, it is used: it is resumed if it was interrupted, and only measured
    if it is finished. The fold before the held-out one chooses weights and thresholds. With --set
    validation_fold=0 all other folds are learnt, and figures that need thresholds are left out. Settings of the ear
    that the sounds are trained on begin with ear, as in --set ear.loop.steps=4000.
    """
    plugin = find_plugin(task)
    _check_settings(plugin, assignments)
    wanted = folds or tuple(plugin.config.folds)
    for fold in wanted:
        if fold not in plugin.config.folds:
            raise ConfigError(f"task {task} has no fold {fold}; expected some of {list(plugin.config.folds)}")
    figures = {fold: _measure_fold(plugin, fold, config, assignments) for fold in wanted}
    click.echo(json.dumps({"folds": list(figures), **pool_figures(figures)}, indent=2))


def _check_settings(plugin: Plugin, assignments: Sequence[str]) -> None:
    """Refuse settings that differ from fold to fold."""
    for text in assignments:
        key, _, value = text.partition("=")
        if key == "fold" or key == plugin.input_task or (key == "validation_fold" and value.strip() != "0"):
            raise ConfigError(
                f"got --set {text}; expected none: folds are named by --fold, the one before it chooses (or none, by "
                "validation_fold=0), and the model below a head is trained with it"
            )


def _measure_fold(plugin: Plugin, fold: int, path: Path | None, assignments: Sequence[str]) -> dict[str, Any]:
    """Return the figures of one fold, by a run that has not learnt from it."""
    below = f"{plugin.input_task}."
    own = [text for text in assignments if not (plugin.input_task and text.startswith(below))]
    config = hold_out(plugin, read_config(plugin.config, path, own), fold)
    if plugin.input_task:
        source = find_plugin(plugin.input_task)
        theirs = [text.removeprefix(below) for text in assignments if text not in own]
        source_config = read_config(source.config, None, theirs)
        folds = {"fold": config.fold, "validation_fold": config.validation_fold}
        run = train_or_resume(source, dataclasses.replace(source_config, **folds))
        source.release(run, data_folder(), CACHE).export(run / "exported")
        config = dataclasses.replace(config, **{plugin.input_task: str(run / "exported")})
    return measure_run(plugin, train_or_resume(plugin, config), config)


def hold_out(plugin: Plugin, config: Any, fold: int) -> Any:
    """Return a copy of `config` that holds out `fold` as the test fold, and validates on the fold before it.

    If `config` has no validation fold, neither has the copy.
    """
    # The fold before, counted from 1; before the first one comes the last.
    chooses = (fold - 2) % len(plugin.config.folds) + 1 if config.validation_fold else 0
    return dataclasses.replace(config, fold=fold, validation_fold=chooses)


def train_or_resume(plugin: Plugin, config: Any) -> Path:
    """Return the folder of a finished run of `config`: an existing run, resumed if need be, or a new one."""
    from train.loop.commands.launch import launch

    run = find_same(plugin.name, config)
    if run and (noted := read_metrics(run)) and noted[-1]["step"] == config.loop.steps:
        _log.info("%s is done", run)
        return run
    return launch(plugin, config, data_folder(), CACHE, run)


def measure_run(plugin: Plugin, run: Path, config: Any) -> dict[str, Any]:
    """Return the figures of a run's model on its test fold, by name, and note them in the run's ``evaluation.json``.

    With a validation fold the model is released, with thresholds; without one it is only exported, and figures that
    need thresholds are left out. A model that does not step is measured as it is.
    """
    folder = run if not plugin.steps else _exported(plugin, run, config)
    asked = Evaluation(folder, config, "test", data_folder(), CACHE, run / "predictions")
    figures = plugin.evaluate(asked)
    note_evaluation(run, "test", figures)
    _log.info("%s is measured", run)
    return figures


def _exported(plugin: Plugin, run: Path, config: Any) -> Path:
    """Release or export the model of a run below the run's folder, and return where to."""
    folder = run / ("released" if config.validation_fold else "exported")
    model = plugin.release(run, data_folder(), CACHE)
    if config.validation_fold:
        model.release(folder)
    else:
        model.export(folder)
    return folder


def pool_figures(figures: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean and the sample standard deviation, over the folds, of every number that all folds have.

    A table that some folds lack is pooled over the folds that have it. Within such a table, a number that some of these
    folds lack is left out: it belongs to a list of the worst few, which have no mean.

    Parameters
    ----------
    figures : mapping of int to mapping
        Figures of each fold, by the number of the fold: tables of numbers, texts and further tables.

    Returns
    -------
    dict
        Figures of the same form. A number becomes ``{"mean", "spread", "by fold"}``, without ``spread`` if there is
        only one fold. Texts are left out except ``what``.
    """
    together: dict[str, Any] = {}
    for key in dict.fromkeys(key for found in figures.values() for key in found):
        values = {fold: found[key] for fold, found in figures.items() if key in found}
        if all(isinstance(value, Mapping) for value in values.values()):
            together[key] = pool_figures(values)
        elif key == "what":
            together[key] = next(iter(values.values()))
        elif len(values) == len(figures) and all(isinstance(value, int | float) for value in values.values()):
            together[key] = _spread(values)
    return together


def _spread(values: Mapping[int, float]) -> dict[str, Any]:
    several = {"spread": round(statistics.stdev(values.values()), 4)} if len(values) > 1 else {}
    by_fold = {str(fold): value for fold, value in values.items()}
    return {"mean": round(statistics.fmean(values.values()), 4), **several, "by fold": by_fold}
