"""``python -m train transfer TASK``: accuracy of classifiers on YAMNet's frozen embeddings."""

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
"""Module that measures each task: its function ``figures(data, cache)`` returns the figures by name."""


@click.command("transfer")
@click.argument("task", type=click.Choice(list(MEASURES)))
def transfer_command(task: str) -> None:
    """Measure classifiers on YAMNet's embeddings, its weights as published, on TASK; print figures as JSON.

    The figures are for comparison with the released model of TASK.
    """
    measure = import_module(MEASURES[task])  # imported here, so that --help does not import torch
    click.echo(json.dumps(measure.figures(data_folder(), CACHE), indent=2))
