"""``python -m train yamnet-points FOLDER``: operating points of a sliding YAMNet.

They are chosen on validation recordings.

What it prints stands in streamer/yamnet/folder.py: whoever pulls the model has no data to choose them on.
"""

from __future__ import annotations

from pathlib import Path

import click

from train.loop.run import CACHE, data_folder
from train.tasks.gate.figures import GateFigures
from train.tasks.gate.task import GateRunConfig


@click.command("yamnet-points")
@click.argument("folder", type=click.Path(path_type=Path))
def yamnet_points_command(folder: Path) -> None:
    """Print the operating points of the model in FOLDER, chosen as the released gate's are."""
    figures = GateFigures(folder, data_folder(), CACHE, GateRunConfig().validation_fold)
    for name, (point,) in figures.points().items():
        click.echo(f"{name}: on {point.on:.2f}, off {point.off:.2f}")
