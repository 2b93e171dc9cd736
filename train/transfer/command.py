"""``python -m train transfer TASK``: what YAMNet's frozen embeddings are worth, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import click

from train.loop.run import CACHE, data_folder

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "sounds": "train.transfer.sounds",
        "genre": "train.transfer.genre",
        "gate": "train.transfer.gate",
    }
)
"""Task to the module with its ``figures(data, cache)``."""


@click.command("transfer")
@click.argument("task", type=click.Choice(list(MEASURES)))
def transfer_command(task: str) -> None:
    """Measure classifiers on YAMNet's frozen embeddings on what TASK is measured on; figures as JSON."""
    measure = import_module(MEASURES[task])  # here, so that --help does without torch
    click.echo(json.dumps(measure.figures(data_folder(), CACHE), indent=2))
