"""``python -m train cross-validate``: each fold held out in turn, and what that says of all of them."""

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
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin, find_plugin
from train.loop.run import CACHE, data_folder, find_same, note_evaluation, read_metrics

_log = logging.getLogger(__name__)


@click.command("cross-validate")
@click.argument("task")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="TOML file.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting; repeatable.")
@click.option("--fold", "folds", type=int, multiple=True, help="Only this one; repeatable.  [default: all]")
def cross_validate_command(
    task: str, config: Path | None, assignments: tuple[str, ...], folds: tuple[int, ...]
) -> None:
    """Train with each fold held out, measure each model on its fold; mean and spread as JSON.

    A fold's run is the one of that very configuration, if there is one: it goes on if it was killed, and is only
    measured if it is done. The fold before the one held out chooses weights and thresholds; with --set
    validation_fold=0 all others are learnt, and there are no figures that need thresholds. Settings of the ear that
    the sounds hear begin with ear, as in --set ear.loop.steps=4000.
    """
    plugin = find_plugin(task)
    _check_settings(plugin, assignments)
    wanted = folds or tuple(plugin.config.folds)
    for fold in wanted:
        if fold not in plugin.config.folds:
            raise ConfigError(f"task {task} has no fold {fold}; expected some of {list(plugin.config.folds)}")
    figures = {fold: _of_fold(plugin, fold, config, assignments) for fold in wanted}
    click.echo(json.dumps({"folds": list(figures), **pooled(figures)}, indent=2))


def _check_settings(plugin: Plugin, assignments: Sequence[str]) -> None:
    """Refuse settings that each fold has its own of."""
    for text in assignments:
        key, _, value = text.partition("=")
        if key == "fold" or key == plugin.needs or (key == "validation_fold" and value.strip() != "0"):
            raise ConfigError(
                f"got --set {text}; expected none: folds are named by --fold, the one before it chooses (or none, by "
                "validation_fold=0), and what a model hears is trained with it"
            )


def _of_fold(plugin: Plugin, fold: int, path: Path | None, assignments: Sequence[str]) -> dict[str, Any]:
    """The figures of one fold, by a run that has not heard it."""
    below = f"{plugin.needs}."
    own = [text for text in assignments if not (plugin.needs and text.startswith(below))]
    config = held_out(plugin, read_config(plugin.config, path, own), fold)
    if plugin.needs:
        needed = find_plugin(plugin.needs)
        theirs = [text.removeprefix(below) for text in assignments if text not in own]
        of_needed = read_config(needed.config, None, theirs)
        folds = {"fold": config.fold, "validation_fold": config.validation_fold}
        run = trained(needed, dataclasses.replace(of_needed, **folds))
        needed.export(run, run / "exported")
        config = dataclasses.replace(config, **{plugin.needs: str(run / "exported")})
    return measured(plugin, trained(plugin, config), config)


def held_out(plugin: Plugin, config: Any, fold: int) -> Any:
    """A configuration that holds out a fold, and the one before it to choose by, unless it wants none."""
    chooses = (fold - 2) % len(plugin.config.folds) + 1 if config.validation_fold else 0
    return dataclasses.replace(config, fold=fold, validation_fold=chooses)


def trained(plugin: Plugin, config: Any) -> Path:
    """The finished run of a configuration: as it is, gone on with, or made."""
    from train.loop.launch import launch

    run = find_same(plugin.name, config)
    if run and (noted := read_metrics(run)) and noted[-1]["step"] == config.loop.steps:
        _log.info("%s is done", run)
        return run
    return launch(plugin, config, data_folder(), CACHE, run)


def measured(plugin: Plugin, run: Path, config: Any) -> dict[str, Any]:
    """Figures of a run's exported model on its test fold, with thresholds where there is a fold to choose them on."""
    folder = run / ("released" if config.validation_fold else "exported")
    if config.validation_fold:
        plugin.release(run, data_folder(), CACHE, folder)
    else:
        plugin.export(run, folder)
    asked = Evaluation(folder, config, "test", data_folder(), CACHE, run / "predictions")
    figures = plugin.evaluate(asked)
    note_evaluation(run, "test", figures)
    _log.info("%s is measured", run)
    return figures


def pooled(figures: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Mean and sample standard deviation of every number that all of some folds have.

    A part that some folds lack is of the others alone; a number that some of these lack is left out: it is one of
    the worst few, which have no mean.

    Parameters
    ----------
    figures : mapping of int to mapping
        By fold, alike in form.

    Returns
    -------
    dict
        Alike in form; a number is ``{"mean", "spread", "by fold"}``, of one fold without ``spread``. Of text, only
        ``what`` is kept.
    """
    together: dict[str, Any] = {}
    for key in dict.fromkeys(key for found in figures.values() for key in found):
        values = {fold: found[key] for fold, found in figures.items() if key in found}
        if all(isinstance(value, Mapping) for value in values.values()):
            together[key] = pooled(values)
        elif key == "what":
            together[key] = next(iter(values.values()))
        elif len(values) == len(figures) and all(isinstance(value, int | float) for value in values.values()):
            together[key] = _spread(values)
    return together


def _spread(values: Mapping[int, float]) -> dict[str, Any]:
    several = {"spread": round(statistics.stdev(values.values()), 4)} if len(values) > 1 else {}
    by_fold = {str(fold): value for fold, value in values.items()}
    return {"mean": round(statistics.fmean(values.values()), 4), **several, "by fold": by_fold}
