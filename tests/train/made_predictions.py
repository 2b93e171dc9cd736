"""Predictions as evaluations make them, of seeded numbers."""

from __future__ import annotations

import numpy as np

from train.evaluate.predictions import Predictions


def choice(fold: int = 1, clips: int = 40, seed: int = 0) -> Predictions:
    """Four sounds in clips of 12 steps of 0.5 s, some shorter; a model that is mostly right, more so with time."""
    rng = np.random.default_rng((seed, fold))
    truth = np.arange(clips) % 4
    logits = rng.normal(0.0, 2.0, (clips, 12, 4)) + 1.5 * np.eye(4)[truth][:, None]
    scores = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    scores[::5, 8:] = np.nan
    return Predictions(
        task="sounds",
        model="toy",
        labels=("cat", "cow", "dog", "hen"),
        clips=tuple(f"toy/{fold}-{n}" for n in range(clips)),
        truth=truth,
        folds=np.full(clips, fold),
        step_s=0.5,
        scores=scores.astype(np.float32),
        command=f"python -m train evaluate sounds --run fold{fold}",
    )


def detection(clips: int = 30, seed: int = 0) -> Predictions:
    """A gate on clips of 20 steps of 0.1 s; the first step of each is not judged."""
    rng = np.random.default_rng(seed)
    music = np.arange(clips) % 2
    logits = rng.normal(0.0, 1.0, (clips, 20, 1)) + 3.0 * music[:, None, None] - 1.5
    truth = np.repeat(music[:, None], 20, axis=1).astype(np.int8)
    truth[:, 0] = -1
    return Predictions(
        task="gate",
        model="toy",
        labels=("music",),
        clips=tuple(f"{'gtzan' if m else 'esc50'}/{n}" for n, m in enumerate(music)),
        truth=music - 1,
        folds=1 + np.arange(clips) // 10,
        step_s=0.1,
        scores=(1 / (1 + np.exp(-logits))).astype(np.float32),
        command="python -m train evaluate gate",
        step_truth=truth,
    )


def toy_clips(*rows, truth=(0, 1)):
    """Clips of two labels from the scores of the first; NaN ends one."""
    first = np.array(rows, np.float32)
    scores = np.stack([first, 1 - first], axis=2)
    fields = {"task": "toy", "model": "toy", "labels": ("a", "b"), "step_s": 0.5, "command": "none"}
    truth = np.array(truth)
    clips = tuple(f"toy/{n}" for n in range(len(rows)))
    return Predictions(clips=clips, truth=truth, folds=np.arange(len(rows)), scores=scores, **fields)
