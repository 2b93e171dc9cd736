"""``python -m train yamnet-points FOLDER``: choose operating points of a sliding YAMNet on validation data.

Its output was copied into streamer/yamnet/folder.py, since users who pull that model have no data to choose them on.
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
    """Choose thresholds of a sliding YAMNet in FOLDER on the gate's validation fold, and print them.

    The thresholds are chosen like those of the released gate: for the best F1, for a precision and for a recall.
    """
    figures = GateFigures(folder, data_folder(), CACHE, GateRunConfig().validation_fold)
    for name, (point,) in figures.points().items():
        click.echo(f"{name}: on {point.on:.2f}, off {point.off:.2f}")
