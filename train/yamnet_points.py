"""``python -m train.yamnet_points FOLDER``: operating points of a sliding YAMNet, chosen on validation recordings.

What it prints stands in streamer/yamnet/folder.py: whoever pulls the model has no data to choose them on.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from streamer.manifest import Thresholds
from train.calibration import Goal, operating_point, threshold
from train.run import CACHE, data_folder
from train.tasks.gate_figures import GateFigures

GOALS = {"precision": Goal("precision", 0.999), "recall": Goal("recall", 0.99)}
"""Over single settled steps. The balanced point is chosen as the released gate's is."""


def operating_points(folder: Path, data: Path, cache: Path) -> dict[str, Thresholds]:
    """Thresholds by preference, rounded to hundredths."""
    figures = GateFigures(folder, data, cache, "validation")
    music, other = figures.settled("music"), figures.settled("speech", "sound")
    scores = np.concatenate([music, other])
    is_music = np.arange(len(scores)) < len(music)
    points = {name: operating_point(threshold(scores, is_music, goal), music) for name, goal in GOALS.items()}
    points["balanced"] = figures.thresholds()
    return {name: Thresholds(round(point.on, 2), round(point.off, 2)) for name, point in points.items()}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path) -> None:
    """Print the operating points of the model in FOLDER."""
    for name, point in operating_points(folder, data_folder(), CACHE).items():
        click.echo(f"{name}: on {point.on}, off {point.off}")


if __name__ == "__main__":
    main()
