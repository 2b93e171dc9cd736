"""Measure what a row of a model's call costs, by the number of rows in the call; beside another build's models.

python -m benchmarks.calls [--rows 1 2 4 ...] [--models gate ...] [--other FOLDER] [--out FILE] [--smoke]

A row is a step of one stream. Calls of the two builds take turns, on noise. Figures are processor time, the median over
the rounds. ``--other`` is a folder of released models, such as ``models/released``
in a worktree of another revision; the ratio is that of the models here to those.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import in_turn, machine, one_thread, parser, write
from streamer.bench.measure import Stepped
from streamer.inference.model_folders import released_folder
from streamer.inference.onnx import OnnxModel

MODELS = ("gate", "genre", "ear", "sounds", "separation")
ROWS = (1, 2, 4, 8, 16, 32, 64)
ROUNDS = 301
HERE, OTHER = "here", "other"


def measure(folders: Mapping[str, Path], rows: Sequence[int], rounds: int) -> dict[str, Any]:
    """Return microseconds of a core for a row by the number of rows, and the ratio of two builds if both are given.

    Parameters
    ----------
    folders : mapping of str to Path
        Folder of the same model in each build, by the build's name.
    rows : sequence of int
        Numbers of rows in a call.
    rounds : int
        Number of measurements of each call.
    """
    models = {build: OnnxModel(folder) for build, folder in folders.items()}
    found: dict[str, Any] = {}
    for count in rows:
        calls = {}
        for build, model in models.items():
            shape = (count, model.manifest.hop_frames, model.manifest.input_size)
            x = np.random.default_rng(0).standard_normal(shape, np.float32)
            calls[build] = partial(Stepped(model, count).step, x)
        # Single calls alternate, so that a slow moment of the machine meets both builds. Calls of other lengths do not
        # take part: long ones would empty the caches for short ones.
        times_s = in_turn(calls, rounds, 0.0, time.process_time)
        median_s = {build: statistics.median(times) for build, times in times_s.items()}
        found[str(count)] = {"us_per_row": round(1e6 * median_s[HERE] / count, 1)}
        if OTHER in folders:
            found[str(count)]["ratio"] = round(median_s[HERE] / median_s[OTHER], 3)
    return found


def _arguments() -> argparse.Namespace:
    made = parser(__doc__ or "")
    made.add_argument("--rows", type=int, nargs="+", default=ROWS, help="numbers of rows in a call")
    made.add_argument("--models", nargs="+", default=MODELS, help="names of released models")
    made.add_argument("--other", type=Path, help="folder of another build's released models")
    return made.parse_args()


def main() -> None:
    asked = _arguments()
    found = {}
    with one_thread():
        for name in asked.models:
            folders = {HERE: released_folder() / name}
            if asked.other is not None:
                folders[OTHER] = asked.other / name
            found[name] = measure(folders, asked.rows, 1 if asked.smoke else ROUNDS)
            for count, figures in found[name].items():
                ratio = f", {figures['ratio']:.2f} of the other" if "ratio" in figures else ""
                print(f"{name}, {count} rows: {figures['us_per_row']:g} us a row{ratio}")
    write({"machine": machine(["numpy", "onnxruntime"]), "models": found}, asked.out)


if __name__ == "__main__":
    main()
