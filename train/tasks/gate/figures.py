"""Figures of an exported gate on held-out sound, stepped like live listening."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logit

from streamer.arrays import Array
from streamer.inference.manifest_parts import Thresholds
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.data.sets.all_sound import unambiguous_recordings
from train.evaluate.calibration import fit_sigmoid_temperature
from train.evaluate.metrics.detection import DetectorScores
from train.evaluate.operating_points import goals_by_preference, operating_points
from train.evaluate.predictions import Predictions, stacked
from train.evaluate.stepped_scores import SteppedScorer
from train.tasks.clip_figures import with_descriptions
from train.tasks.gate.mixtures import SETTLED_S, Mixtures, rounded
from train.tasks.gate.patches import Patches

PRECISION, RECALL = 0.999, 0.99
"""Precision and recall of single settled steps on the validation fold, at the operating points of these names."""


@dataclass(frozen=True)
class ScoredRecording:
    """A recording with the gate's scores, step by step.

    Attributes
    ----------
    recording : Recording
        Recording that was scored.
    scores : float32 array, shape (steps,)
        Probability of music at each step.
    audible : bool array, shape (steps,)
        Whether the recording is audible at a step.
    first_settled : int
        Index of the first settled step: scores of earlier steps are not counted, since the state is still fresh.
    """

    recording: Recording
    scores: Array
    audible: Array
    first_settled: int

    @property
    def settled(self) -> Array:
        """Scores of the audible steps from `first_settled` on."""
        return self.scores[self.first_settled :][self.audible[self.first_settled :]]


class GateFigures:
    """Figures of an exported gate on the recordings of one fold.

    Methods that return figures have noun phrases as docstrings, which are their descriptions in the manifest.

    Parameters
    ----------
    folder : Path
        Folder of the exported model.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    fold : int
        Fold to measure on, 1 to 5.
    """

    def __init__(self, folder: Path, data: Path, cache: Path, fold: int) -> None:
        self._scorer = SteppedScorer.of(folder, "gate")
        self._sounds = SoundCache(unambiguous_recordings(data, cache, [fold]), cache)
        self._scored = self._score_recordings()

    @property
    def _on(self) -> float:
        return self._scorer.manifest.thresholds()[0].on

    @property
    def _decides(self) -> bool:
        return bool(self._scorer.manifest.operating_points)

    @property
    def first_settled(self) -> int:
        """Index of the first settled step of a clip: the first one after `SETTLED_S` seconds."""
        return round(SETTLED_S / self._scorer.step_s)

    def score(self, sound: Array) -> Array:
        """Return the probabilities of music, shape (batch, steps), for sounds of one length, shape (batch, samples)."""
        return self._scorer.scores(sound)[:, :, 0]

    def score_all(self, sounds: Sequence[Array]) -> list[Array]:
        """Return the probabilities of music, shape (steps,), for each of several sounds, in the order given."""
        return [scores[:, 0] for scores in self._scorer.all_scores(sounds)]

    def points(self) -> dict[str, tuple[Thresholds, ...]]:
        """Return the operating points by name, each with the thresholds of the label music.

        They are chosen on the settled steps of the fold: for the best F1, for a precision of `PRECISION` and for a
        recall of `RECALL`.
        """
        scores, truth = self._settled_with_truth()
        return {
            name: tuple(operating_points(scores[:, None], truth[:, None], goal))
            for name, goal in goals_by_preference(PRECISION, RECALL).items()
        }

    def temperature(self) -> float:
        """Return the number by which logits must be divided so that scores of settled steps are true probabilities."""
        scores, truth = self._settled_with_truth()
        clipped = np.clip(scores, 1e-6, 1 - 1e-6)
        return fit_sigmoid_temperature(logit(clipped), truth.astype(int))

    def _settled_with_truth(self) -> tuple[Array, Array]:
        """Return settled scores, and whether each is of music."""
        music, other = self.settled("music"), self.settled("speech", "sound")
        return np.concatenate([music, other]), np.repeat([True, False], [len(music), len(other)])

    def predictions(self, command: str) -> Predictions:
        """Return the scores of music, and the truth, at each step of every recording but solo singing.

        `command` is noted as the command that gives them.
        """
        manifest = self._scorer.manifest
        scored = [s for s in self._scored if s.recording.kind != "singing" and len(s.scores)]
        scores = stacked([s.scores[:, None] for s in scored])
        step_truth = np.full(scores.shape[:2], -1, np.int8)  # -1: not counted
        for row, s in zip(step_truth, scored, strict=True):
            row[: len(s.audible)][s.audible] = s.recording.kind == "music"
            row[: self.first_settled] = -1
        return Predictions(
            task="gate",
            model=manifest.name,
            labels=manifest.labels[:1],
            clips=tuple(f"{s.recording.source}/{s.recording.name}" for s in scored),
            truth=np.array([0 if s.recording.kind == "music" else -1 for s in scored]),
            folds=np.array([s.recording.fold for s in scored]),
            step_s=self._scorer.step_s,
            scores=scores,
            command=command,
            step_truth=step_truth,
        )

    def all(self) -> dict[str, Any]:
        """Return all figures by name, for the manifest; for a model without thresholds, those that need none."""
        patches, mixtures = Patches(self._scorer, self._sounds), Mixtures(self._scorer, self._sounds)
        figures: dict[str, Callable[[], Mapping[str, Any]]] = {
            "recordings": self.recordings,
            "steps": self.steps,
            "patches": patches.ranking,
            "music under speech, at 1 % false": mixtures.under_speech_at_equal_alarms,
        }
        if self._decides:
            figures |= {
                "patches at on": patches.at_on,
                "music found": self.found,
                "false alarms": self.false_alarms,
                "worst sounds": self.worst_sounds,
                "music under speech": mixtures.under_speech,
                "delays": mixtures.delays,
                "levels": patches.levels,
            }
        return with_descriptions(figures)

    def recordings(self) -> dict[str, int]:
        """Number of recordings measured, by data set and kind."""
        return dict(sorted(Counter(f"{s.recording.source} {s.recording.kind}" for s in self._scored).items()))

    def steps(self) -> dict[str, float]:
        """Single settled steps: all music against speech and sounds.

        Returns
        -------
        dict
            ``auc``, the area under the ROC curve; ``tpr_at_1pc_fpr``, the share of steps with music that score above 99
            % of the other steps.
        """
        steps = DetectorScores(self.settled("music"), self.settled("speech", "sound"))
        return rounded({"auc": steps.auc(), "tpr_at_1pc_fpr": steps.tpr_at_fpr(0.01)})

    def found(self) -> dict[str, float]:
        """Share of settled steps at or above ``on``, by data set; MIR-1K's solo voice is for information.

        Returns
        -------
        dict
            Share, 0 to 1, of the settled steps of music, by the name of the data set; for MIR-1K with the category, as
            in ``mir1k voice``.
        """
        return self._shares_by(
            lambda r: (
                f"{r.source} {r.category}" if r.source == "mir1k" else r.source if r.kind == "music" else None
            )
        )

    def false_alarms(self) -> dict[str, float]:
        """Share of settled steps at or above ``on``, by data set, and after digital silence.

        Returns
        -------
        dict
            Share of the settled steps of speech and everyday sound, 0 to 1, by the name of the data set; ``silence``
            for digital silence.
        """
        silent = self.score(np.zeros((1, 20 * RATE_HZ), np.float32))[0]
        shares = self._shares_by(lambda r: r.source if r.kind in ("speech", "sound") else None)
        return {**shares, "silence": round(float(np.mean(silent >= self._on)), 4)}

    def worst_sounds(self, count: int = 10) -> dict[str, float]:
        """The classes of ESC-50 with the most false alarms: share of settled steps.

        Returns
        -------
        dict
            Share of the settled steps of a class that score at or above ``on``, by the name of the class, the highest
            first.
        """
        shares = self._shares_by(lambda r: r.category if r.kind == "sound" else None)
        return dict(sorted(shares.items(), key=lambda item: -item[1])[:count])

    def _score_recordings(self) -> list[ScoredRecording]:
        sounds = self._sounds.sounds
        scored = []
        for recording, sound, scores in zip(
            self._sounds.recordings, sounds, self.score_all(sounds), strict=True
        ):
            audible = self._scorer.audible_steps(sound)
            scored.append(
                ScoredRecording(recording, scores[: len(audible)], audible[: len(scores)], self.first_settled)
            )
        return scored

    def settled(self, *kinds: str) -> Array:
        """Return the scores of the settled, audible steps of all recordings of some kinds, shape (steps,)."""
        return np.concatenate([s.settled for s in self._scored if s.recording.kind in kinds])

    def _shares_by(self, name: Callable[[Recording], str | None]) -> dict[str, float]:
        """Return the share of settled steps at or above ``on`` for groups of recordings.

        `name` returns the name of a recording's group, or None to leave it out.
        """
        groups = defaultdict(list)
        for scored in self._scored:
            group = name(scored.recording)
            if group is not None:
                groups[group].append(scored.settled)
        return rounded(
            {group: float(np.mean(np.concatenate(v) >= self._on)) for group, v in sorted(groups.items())}
        )
