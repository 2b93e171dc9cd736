"""``python -m train few-shot``: how well taught sounds are recognised.

The recordings are such as the ear never heard.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from streamer.arrays import Array
from streamer.custom_sounds.background import Background, read_background
from streamer.custom_sounds.embedder import Embedder
from streamer.inference.onnx import OnnxModel
from train.custom_sounds.trials import Clip, Trial, clips_of, trials
from train.loop.run import CACHE, data_folder

SHOTS = (1, 3, 5)
DRAWS = 20
FEW_WAYS = 5


def figures(hearer: Embedder, background: Background, clips: Sequence[Clip]) -> dict[str, Any]:
    """Every figure, by how many clips of each class are shown: mean and deviation over random choices of those."""
    return {
        f"{shots} shown": _of_trials(background, list(trials(hearer, background, clips, shots, DRAWS)))
        for shots in SHOTS
    }


def _of_trials(background: Background, found: Sequence[Trial]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for preference, point in background.operating_points.items():
        rates = [_rates(background, trial, point.on) for trial in found]
        told[preference] = {name: _spread([rate[name] for rate in rates]) for name in rates[0]}
    rng = np.random.default_rng(0)
    classes = found[0].similar.shape[1]
    for ways in (FEW_WAYS, classes):
        told[f"nearest of {ways}"] = _spread([_nearest(trial, ways, rng) for trial in found])
    return told


def _rates(background: Background, trial: Trial, on: float) -> dict[str, float]:
    said = background.probabilities(trial.similar) >= on
    own, sound, new = trial.is_own, trial.truth >= 0, ~trial.akin[:, None]
    return {
        "clips of the sound in which it is said": float(said[own & new].mean()),
        "other parts of what was shown": float(said[own & ~new].mean())
        if (own & ~new).any()
        else float("nan"),
        "clips of other sounds": float(said[sound][~own[sound]].mean()),
        "recordings of music or speech": float(said[~sound].mean()),
        "false alarms an hour of these, a label": float(said[~own].sum() / said.shape[1] / trial.hours),
    }


def _nearest(trial: Trial, ways: int, rng: np.random.Generator) -> float:
    """Share of the clips that are more similar to their own class than to `ways` - 1 others, drawn for each clip."""
    right = []
    for scores, truth, akin in zip(trial.similar, trial.truth, trial.akin, strict=True):
        if truth >= 0 and not akin:
            others = rng.permutation(np.delete(np.arange(len(scores)), truth))[: ways - 1]
            right.append(scores[truth] > scores[others].max())
    return float(np.mean(right))


def _spread(values: Sequence[float] | Array) -> str:
    return f"{np.mean(values):.4f} ± {np.std(values):.4f}"


@click.command("few-shot")
@click.option(
    "--model", type=click.Path(path_type=Path), default=Path("models/released/ear"), show_default=True
)
@click.option("--fold", type=int, default=5, show_default=True, help="Clips are shown and asked of this one.")
def few_shot_command(model: Path, fold: int) -> None:
    """Teach each class of ESC-50 from a few clips of a held-out fold and ask about all others; figures as JSON."""
    ear = OnnxModel(model)
    background = read_background(model, ear.manifest)
    hearer = Embedder(ear, background.window_steps)
    click.echo(
        json.dumps(figures(hearer, background, clips_of(hearer, data_folder(), CACHE, [fold])), indent=2)
    )
