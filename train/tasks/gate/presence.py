"""Figures of each label of an exported gate on held-out recordings, second by second, and on scenes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array
from train.data.cache import SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.evaluate.metrics.detection import DetectorScores
from train.evaluate.stepped_scores import SteppedScorer
from train.mixing.presence import IGNORE, NAMES, OTHER, PRESENT, presence_of, singing_of_song, without_pauses
from train.mixing.scene_frames import SceneFrames
from train.tasks.clip_figures import with_descriptions
from train.tasks.gate.mixtures import rounded
from train.tasks.gate.scene_scores import SETTLED_S, SceneScores


@dataclass(frozen=True)
class ScoredSeconds:
    """Scores of the whole seconds of a recording, but for the first.

    Attributes
    ----------
    recording : Recording
        Recording that was scored.
    scores : float32 array, shape (seconds, 3)
        Mean probability of each label over the steps that end in a second.
    present : int8 array, shape (seconds, 3)
        Labels of the seconds, as in `train.mixing.presence`; `IGNORE` where the label changes within a second.
    """

    recording: Recording
    scores: Array
    present: Array


class PresenceFigures:
    """Figures of each label of an exported gate on the recordings and the scenes of one fold.

    Methods that return figures have noun phrases as docstrings, which are their descriptions in the manifest.

    Parameters
    ----------
    folder : Path
        Folder of the model.
    sounds : SoundCache
        Recordings of the fold.
    scenes : SceneFrames
        Scenes of the fold, as frames of the model's front end.
    """

    def __init__(self, folder: Path, sounds: SoundCache, scenes: SceneFrames) -> None:
        self._scorer = SteppedScorer.of(folder)
        self._sounds = sounds
        self._scenes = SceneScores(folder, scenes)
        self._scored = self._score_recordings()

    def all(self) -> dict[str, Any]:
        """Return all figures by name, for the manifest; for a model without thresholds, those that need none."""
        figures: dict[str, Callable[[], Mapping[str, Any]]] = {
            "recordings with labels": self.recordings,
            "seconds": self.seconds,
            "scenes": self.scenes,
        }
        if self._scorer.manifest.operating_points:
            figures |= {
                "seconds at on": self.seconds_at_on,
                "labels found": self.found,
                "labels said falsely": self.false_alarms,
            }
        return with_descriptions(figures)

    def recordings(self) -> dict[str, int]:
        """Number of recordings measured second by second, by data set and kind."""
        return dict(sorted(Counter(f"{s.recording.source} {s.recording.kind}" for s in self._scored).items()))

    def seconds(self) -> dict[str, float]:
        """Seconds of recordings with a label against those without, by the mean score of a second.

        Returns
        -------
        dict
            For each label, such as ``music``: ``music auc``, area under the ROC curve, and ``music tpr_at_1pc_fpr``,
            share of the seconds with it that score above 99 % of the others.
        """
        return _ranking(self._of_label)

    def scenes(self) -> dict[str, float]:
        """Settled steps of scenes, in which sounds follow each other and mix, with a label against those without.

        Returns
        -------
        dict
            As of `seconds`.
        """
        return _ranking(self._scenes.of_label)

    def seconds_at_on(self) -> dict[str, float]:
        """Seconds of recordings that score at or above ``on``: F1, and share of those with and without the label.

        Returns
        -------
        dict
            ``music f1``, ``music tpr`` and ``music fpr``, and the same for the other labels.
        """
        found = {}
        for number, label in enumerate(NAMES):
            positive, negative = self._of_label(number)
            on = self._on(number)
            found[f"{label} f1"] = DetectorScores(positive, negative).f1(on)
            found[f"{label} tpr"] = float(np.mean(positive >= on))
            found[f"{label} fpr"] = float(np.mean(negative >= on))
        return rounded(found)

    def found(self) -> dict[str, float]:
        """Share of the seconds with a label that score at or above ``on``, by label and data set."""
        return self._shares(PRESENT)

    def false_alarms(self) -> dict[str, float]:
        """Share of the seconds without a label that score at or above ``on``, by label and data set."""
        return self._shares(OTHER)

    def _on(self, number: int) -> float:
        return self._scorer.manifest.thresholds()[number].on

    def _of_label(self, number: int) -> tuple[Array, Array]:
        """Return the scores of a label in seconds with it, and in those without, each of shape (seconds,)."""
        scores = np.concatenate([s.scores[:, number] for s in self._scored])
        present = np.concatenate([s.present[:, number] for s in self._scored])
        return scores[present == PRESENT], scores[present == OTHER]

    def _shares(self, wanted: int) -> dict[str, float]:
        """Return the shares of seconds at or above ``on``, of those whose label is `wanted`, by label and data set."""
        groups: dict[str, list[Array]] = defaultdict(list)
        for number, label in enumerate(NAMES):
            for s in self._scored:
                of_label = s.scores[s.present[:, number] == wanted, number]
                if len(of_label):
                    groups[f"{label}, {s.recording.source} {s.recording.kind}"].append(
                        of_label >= self._on(number)
                    )
        return rounded({name: float(np.mean(np.concatenate(on))) for name, on in groups.items()})

    def _score_recordings(self) -> list[ScoredSeconds]:
        recordings, sounds = self._sounds.recordings, self._sounds.sounds
        places = {(r.source, r.name): index for index, r in enumerate(recordings)}
        step, scored = self._scorer.step_samples, []
        for recording, sound, scores in zip(recordings, sounds, self._scorer.all_scores(sounds), strict=True):
            voice = places.get((recording.source, recording.name.removesuffix("sum") + "voice"))
            present = _present(recording, sound, None if voice is None else sounds[voice])
            of_steps = present[:, step - 1 :: step].T[: len(scores)]
            second = (np.arange(len(of_steps)) + 1) * step // RATE_HZ
            scored.append(_by_second(recording, scores[: len(of_steps)], of_steps, second))
        return scored


def _present(recording: Recording, sound: Array, voice: Array | None) -> Array:
    """Return the labels of each sample of a recording, shape (3, samples); `voice` is that of a song alone."""
    present = np.repeat(np.array(presence_of(recording), np.int8)[:, None], len(sound), axis=1)
    if voice is not None and recording.kind == "music":
        present[NAMES.index("singing")] = singing_of_song(voice, sound)
    return without_pauses(present, sound)


def _by_second(recording: Recording, scores: Array, present: Array, second: Array) -> ScoredSeconds:
    """Return the scores of a recording's seconds, given those of its steps and the second in which each step ends."""
    whole = np.arange(round(SETTLED_S), second[-1] if len(second) else 0)
    means = [scores[second == s].mean(axis=0) for s in whole]
    labels = []
    for s in whole:
        own = present[second == s]
        labels.append(np.where((own == own[0]).all(axis=0), own[0], IGNORE))
    shape = (len(whole), len(NAMES))
    return ScoredSeconds(
        recording,
        np.array(means, np.float32).reshape(shape),
        np.array(labels, np.int8).reshape(shape),
    )


def _ranking(of_label: Callable[[int], tuple[Array, Array]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for number, label in enumerate(NAMES):
        scores = DetectorScores(*of_label(number))
        found |= {f"{label} auc": scores.auc(), f"{label} tpr_at_1pc_fpr": scores.tpr_at_fpr(0.01)}
    return rounded(found)
