"""``python -m train yamnet-points TRAINING FOLDER``: choose operating points of YAMNet's labels, and store them.

They are stored in the package, since users who pull the model have no data to choose them on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from streamer.arrays import Array
from streamer.inference.manifest_parts import Thresholds
from train.evaluate.operating_points import (
    Goal,
    choose_threshold,
    goals_by_preference,
    operating_point,
    operating_points,
    order_points,
)
from train.export.yamnet_graph import SHIPPED
from train.loop.run import CACHE, data_folder
from train.tasks.gate.config import GateRunConfig
from train.tasks.gate.figures import GateFigures
from train.transfer.audioset_labels import KIND_LABELS, MAY_SOUND, naming_labels
from train.transfer.tagger import TaggedClips, clips_of_folds, tag

POINTS = SHIPPED.with_name("yamnet-points.json")
CHOSEN_ON = (1, 2, 3, 4)
"""Folds on which thresholds are chosen; fold 5 measures them."""
PRECISION, RECALL = 0.9, 0.9
"""Precision and recall of labels that are on at any time in a clip, at the operating points of these names."""


@click.command("yamnet-points")
@click.argument("training", type=click.Choice(["relu", "relu6"]))
@click.argument("folder", type=click.Path(path_type=Path))
def yamnet_points_command(training: str, folder: Path) -> None:
    """Choose thresholds of the YAMNet in FOLDER, whose activation is TRAINING, and store them in the package.

    Those of the gate, and of the label Music, are chosen on single steps of the gate's validation fold; those of other
    labels on clips of ESC-50, music, speech and singing. Like those of released heads they are for the best F1, for a
    precision and for a recall.
    """
    data = data_folder()
    found = GateFigures(folder, data, CACHE, GateRunConfig().validation_fold).points()
    gate = {name: point for name, (point,) in found.items()}
    others, labels = choose_points(tag(folder, clips_of_folds(data, CACHE, CHOSEN_ON), CACHE))
    labels["Music"] = gate
    stored = json.loads(POINTS.read_text(encoding="utf-8"))
    stored[training] = {
        "gate": {name: _rounded(point) for name, point in gate.items()},
        "others": {name: _rounded(point) for name, point in others.items()},
        "labels": {
            label: {name: _rounded(point) for name, point in points.items()}
            for label, points in labels.items()
        },
    }
    POINTS.write_text(_text(stored), encoding="utf-8")
    click.echo(f"{POINTS}: {len(labels)} labels of {training}")


def choose_points(clips: TaggedClips) -> tuple[dict[str, Thresholds], dict[str, dict[str, Thresholds]]]:
    """Return thresholds by preference: those for labels that are not measured, and those of each measured label.

    They are for the highest score in a clip, since a sound may be in its clip once. Those of speech are for single
    steps: its highest scores tell all clips apart, so that the lowest of them, 0.99, would be the threshold.

    Parameters
    ----------
    clips : TaggedClips
        Clips to choose on; each class and kind that has a label must be among them.
    """
    names = naming_labels()
    labels = tuple(names.values())
    columns = [clips.labels.index(label) for label in labels]
    truth = clips.groups[:, None] == np.array(list(names))
    is_open = _is_open(clips.groups, labels)
    scores = np.where(is_open, 0.0, clips.highest[:, columns])
    positives = [_sounding(clips, n, rows) for n, rows in zip(columns, truth.T, strict=True)]
    positives.append(np.concatenate(positives))
    found: dict[str, list[Thresholds]] = {}
    for preference, goal in goals_by_preference(PRECISION, RECALL).items():
        on = [
            _threshold_of_steps(clips, n, rows, open_, goal) if label == KIND_LABELS["speech"] else point.on
            for label, n, rows, open_, point in zip(
                labels, columns, truth.T, is_open.T, operating_points(scores, truth, goal), strict=True
            )
        ]
        common = choose_threshold(scores.ravel(), truth.ravel(), goal)
        found[preference] = [operating_point(*pair) for pair in zip([*on, common], positives, strict=True)]
    ordered = order_points(found)
    measured = {
        label: {name: points[n] for name, points in ordered.items()} for n, label in enumerate(labels)
    }
    return {name: points[-1] for name, points in ordered.items()}, measured


def _is_open(groups: Array, labels: tuple[str, ...]) -> Array:
    """Return where a clip counts neither for nor against a label, bool of shape (clips, labels)."""
    return np.stack([np.isin(groups, sorted(MAY_SOUND.get(label, ()))) for label in labels], axis=1)


def _threshold_of_steps(clips: TaggedClips, column: int, rows: Array, is_open: Array, goal: Goal) -> float:
    """Return the threshold of a label for its scores at audible steps of the clips in `rows`, against other clips."""
    positive, negative = _sounding(clips, column, rows), _sounding(clips, column, ~rows & ~is_open)
    truth = np.repeat([True, False], [len(positive), len(negative)])
    return choose_threshold(np.concatenate([positive, negative]), truth, goal)


def _sounding(clips: TaggedClips, column: int, rows: Array) -> Array:
    """Return the scores of a label at the audible steps of the clips in `rows`."""
    return np.concatenate([clips.audible[n][:, column] for n in np.flatnonzero(rows)])


def _rounded(point: Thresholds) -> list[float]:
    # Significant digits, not decimals: a label whose `off` is 0 would never end.
    return [float(f"{point.on:.4g}"), float(f"{point.off:.4g}")]


def _text(stored: Mapping[str, Any]) -> str:
    """Return the points as JSON with a line for each label."""
    parts = []
    for training, points in stored.items():
        rows = ",\n".join(
            f"   {json.dumps(label)}: {json.dumps(own)}" for label, own in points["labels"].items()
        )
        parts.append(
            f' "{training}": {{\n  "gate": {json.dumps(points["gate"])},\n  "others": {json.dumps(points["others"])},\n'
            f'  "labels": {{\n{rows}\n  }}\n }}'
        )
    return "{\n" + ",\n".join(parts) + "\n}\n"
