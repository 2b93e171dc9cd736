"""``python -m train few-shot``: measure how well taught sounds are recognised, on a held-out fold."""

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
from streamer.errors import ConfigError
from streamer.inference.onnx import OnnxModel
from train.custom_sounds.background import folds_of
from train.custom_sounds.trials import EmbeddedClip, Trial, embed_clips, run_trials
from train.loop.commands.options import ear_option
from train.loop.run import CACHE, data_folder

SHOTS = (1, 3, 5)
DRAWS = 20
FEW_WAYS = 5


def figures(embedder: Embedder, background: Background, clips: Sequence[EmbeddedClip]) -> dict[str, Any]:
    """Return how well taught sounds are recognised, by the number of examples that a sound was taught by.

    Returns
    -------
    dict
        For each number of examples, such as ``3 shown``: for each operating point, shares of clips in which a taught
        sound is reported, rightly or by mistake; and ``nearest of N``, the share of clips that are more similar to
        their own class than to the other classes of N. Each figure is a text with the mean and the deviation over
        random choices of the examples.
    """
    return {
        f"{shots} shown": _summarise(background, list(run_trials(embedder, background, clips, shots, DRAWS)))
        for shots in SHOTS
    }


def _summarise(background: Background, found: Sequence[Trial]) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for preference, point in background.operating_points.items():
        rates = [_rates(background, trial, point.on) for trial in found]
        summary[preference] = {name: _spread([rate[name] for rate in rates]) for name in rates[0]}
    rng = np.random.default_rng(0)
    classes = found[0].similarity.shape[1]
    for ways in (FEW_WAYS, classes):
        summary[f"nearest of {ways}"] = _spread([_nearest(trial, ways, rng) for trial in found])
    return summary


def _rates(background: Background, trial: Trial, on: float) -> dict[str, float]:
    """Return how often labels are on: in clips of their sound, in parts of the examples' origins, in other sound."""
    decided = background.probabilities(trial.similarity) >= on
    own, sound, new = trial.is_own, trial.truth >= 0, ~trial.same_origin[:, None]
    return {
        "clips of the sound in which it is said": float(decided[own & new].mean()),
        "other parts of what was shown": float(decided[own & ~new].mean())
        if (own & ~new).any()
        else float("nan"),
        "clips of other sounds": float(decided[sound][~own[sound]].mean()),
        "recordings of music or speech": float(decided[~sound].mean()),
        "false alarms an hour of these, a label": float(decided[~own].sum() / decided.shape[1] / trial.hours),
    }


def _nearest(trial: Trial, ways: int, rng: np.random.Generator) -> float:
    """Return the share of clips that are more similar to their own class than to `ways` - 1 random others."""
    right = []
    for scores, truth, same_origin in zip(trial.similarity, trial.truth, trial.same_origin, strict=True):
        if truth >= 0 and not same_origin:
            others = rng.permutation(np.delete(np.arange(len(scores)), truth))[: ways - 1]
            right.append(scores[truth] > scores[others].max())
    return float(np.mean(right))


def _spread(values: Sequence[float] | Array) -> str:
    return f"{np.mean(values):.4f} ± {np.std(values):.4f}"


@click.command("few-shot")
@ear_option
def few_shot_command(model: Path) -> None:
    """Teach ESC-50's classes by 1, 3 and 5 clips of the ear's test fold, score all others, and print JSON."""
    ear = OnnxModel(model)
    config = folds_of(model)
    if not config.fold:
        raise ConfigError(
            f"the ear in {model} learnt from all folds, so nothing is left to measure it on; expected --model FOLDER, "
            "the release of the ear by which it was measured, which its card names"
        )
    background = read_background(model, ear.manifest)
    embedder = Embedder(ear, background.window_steps)
    clips = embed_clips(embedder, data_folder(), CACHE, [config.fold])
    click.echo(json.dumps(figures(embedder, background, clips), indent=2))
