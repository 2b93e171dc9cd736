"""Scores of an exported gate on scenes of one fold, by which it is calibrated and thresholds are chosen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from scipy.special import expit, logit

from streamer.arrays import Array
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.onnx import OnnxModel
from train.evaluate.calibration import fit_sigmoid_temperature
from train.evaluate.operating_points import Goal, choose_threshold
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.mixing.scene_frames import SceneFrames

FALSE_SHARES: Mapping[str, float] = MappingProxyType({"balanced": 0.01, "precision": 0.001, "recall": 0.03})
"""Largest share of the settled time without a label that may be called by it, at each operating point."""
OFF_ODDS = 3.0
"""Odds of the threshold ``on`` divided by those of ``off``, for each label.

With larger odds a label that has begun stays on where it should not. The hold times keep decisions from flapping."""
SETTLED_S = 1.0
"""Time after a change, and after the start, from which a step counts as settled."""
BATCH = 64
"""Number of scenes that the model steps through at once."""


class SceneScores:
    """Scores of an exported gate, and the truth, at the settled steps of scenes.

    Parameters
    ----------
    folder : Path
        Folder of the model.
    scenes : SceneFrames
        Scenes, as frames of the model's front end.

    Attributes
    ----------
    scores : float32 array, shape (scenes, steps, labels)
        Probabilities.
    truth : int8 array, shape (scenes, steps, labels)
        Whether each label is present, as in `train.mixing.presence`; `IGNORE` where a step is not settled.
    """

    def __init__(self, folder: Path, scenes: SceneFrames) -> None:
        model = OnnxModel(folder)
        parts = np.array_split(scenes.frames, -(-len(scenes.frames) // BATCH))
        heard = [model.step(part.astype(np.float32), model.init(len(part)))[0] for part in parts]
        self.scores: Array = np.concatenate(heard)
        step_s = model.manifest.hop_frames * model.manifest.frame_ms / 1_000
        self.truth: Array = settled(np.asarray(scenes.present), round(SETTLED_S / step_s))

    def temperature(self) -> float:
        """Return the number by which logits must be divided so that scores of settled steps are true probabilities."""
        known = self.truth != IGNORE
        logits = logit(np.clip(self.scores[known], 1e-6, 1 - 1e-6))
        return fit_sigmoid_temperature(logits, (self.truth[known] == PRESENT).astype(int))

    def points(self) -> dict[str, tuple[Thresholds, ...]]:
        """Return the operating points by name, each with the thresholds of all labels; see `FALSE_SHARES`."""
        return {name: self._point(Goal("false_positives", share)) for name, share in FALSE_SHARES.items()}

    def of_label(self, number: int) -> tuple[Array, Array]:
        """Return the scores of a label at settled steps with it, and at those without, each of shape (steps,)."""
        scores, truth = self.scores[:, :, number], self.truth[:, :, number]
        return scores[truth == PRESENT], scores[truth == OTHER]

    def _point(self, goal: Goal) -> tuple[Thresholds, ...]:
        points = []
        for number in range(self.scores.shape[2]):
            positive, negative = self.of_label(number)
            scores = np.concatenate([positive, negative])
            on = choose_threshold(scores, np.arange(len(scores)) < len(positive), goal)
            points.append(Thresholds(on, float(expit(logit(on) - np.log(OFF_ODDS)))))
        return tuple(points)


def settled(present: Array, steps: int) -> Array:
    """Return labels of steps in which those are `IGNORE` that follow another label within `steps` steps.

    Parameters
    ----------
    present : int8 array, shape (scenes, steps, labels)
        Labels of steps; a start counts as a change.
    steps : int
        Number of steps that must have had the same label before.
    """
    same = np.zeros(present.shape, bool)
    before = np.lib.stride_tricks.sliding_window_view(present, steps + 1, axis=1)
    same[:, steps:] = (before == before[..., -1:]).all(axis=-1)
    return np.where(same, present, IGNORE).astype(np.int8)
