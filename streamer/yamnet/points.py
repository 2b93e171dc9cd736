"""Read the operating points of YAMNet's labels, which ``python -m train yamnet-points`` chose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from streamer.inference.manifest_parts import Thresholds


@dataclass(frozen=True)
class Points:
    """Operating points of one training of YAMNet, each with thresholds by the preference that they are for.

    Attributes
    ----------
    gate : dict of str to Thresholds
        Thresholds of ``Music`` as the gate, chosen on single steps.
    others : dict of str to Thresholds
        Thresholds of labels that were not measured, chosen on all measured ones together.
    measured : dict of str to dict
        Thresholds of each measured label, by its name.
    """

    gate: dict[str, Thresholds]
    others: dict[str, Thresholds]
    measured: dict[str, dict[str, Thresholds]]

    def for_labels(self, labels: Sequence[str]) -> dict[str, tuple[Thresholds, ...]]:
        """Return the thresholds of some labels, in their order, by preference."""
        return {
            preference: tuple(self.measured.get(label, self.others)[preference] for label in labels)
            for preference in self.others
        }


def read_points(relu_max: float) -> Points:
    """Return the operating points of the training that cuts its activations at `relu_max`: 6, or infinity for none."""
    content = (files("streamer") / "data" / "yamnet-points.json").read_text(encoding="utf-8")
    stored = json.loads(content)[training_of(relu_max)]
    measured = {label: _thresholds(points) for label, points in stored["labels"].items()}
    return Points(_thresholds(stored["gate"]), _thresholds(stored["others"]), measured)


def training_of(relu_max: float) -> str:
    """Return the name of a training of YAMNet in the file of points, by the upper limit of its activations."""
    return "relu6" if relu_max == 6.0 else "relu"


def _thresholds(points: dict[str, Any]) -> dict[str, Thresholds]:
    return {preference: Thresholds(*point) for preference, point in points.items()}
