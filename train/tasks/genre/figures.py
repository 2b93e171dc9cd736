"""Figures of an exported genre model on held-out tracks, stepped like live listening."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array
from streamer.inference.manifest_parts import Thresholds
from train.data.cache import SoundCache
from train.data.recordings import Split
from train.data.sets.gtzan import gtzan, gtzan_mels
from train.evaluate.metrics.classification import accuracy, accuracy_by_duration, by_label, right
from train.evaluate.metrics.clip_scores import latest
from train.evaluate.metrics.spread import bootstrap
from train.evaluate.predictions import Predictions, stacked
from train.evaluate.stepped_scores import SteppedScorer
from train.mixing.genre_clips import frames_of_mels
from train.tasks.clip_figures import with_descriptions
from train.tasks.genre.task import GenreRunConfig


class GenreFigures:
    """Figures of an exported genre model on the held-out tracks of one of GTZAN's ten folds.

    Methods that return figures have noun phrases as docstrings, which are their descriptions in the manifest.

    Parameters
    ----------
    folder : Path
        Folder of the model.
    config : GenreRunConfig
        Configuration of the model's run, which names the folds that were held out.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    split : {"validation", "test"}
        Fold to measure on.
    """

    def __init__(self, folder: Path, config: GenreRunConfig, data: Path, cache: Path, split: Split) -> None:
        self._scorer = SteppedScorer.of(folder)
        self._model = self._scorer.model
        self._fold = config.fold_of(split)
        self._mels = gtzan_mels.load(data)
        self._rows = np.flatnonzero(self._mels.ten_fold == self._fold)
        held_out = {self._mels.audio[row] for row in self._rows}
        self._tracks = SoundCache([r for r in gtzan.recordings(data) if r.name in held_out], cache)

    @property
    def whole_tracks_held_out(self) -> int:
        """Number of tracks of the fold whose whole sound is there, and not only the first 3 s as mel frames."""
        return len(self._tracks)

    @cached_property
    def _mel_scores(self) -> Array:
        frames = frames_of_mels(self._mels, self._rows, self._model.manifest.log_mel.mel_bands)
        scores, _ = self._model.step(frames, self._model.init(len(frames)))
        return scores

    @cached_property
    def _track_scores(self) -> Array:
        return stacked(self._scorer.all_scores(self._tracks.sounds))

    def mel_predictions(self, command: str) -> Predictions:
        """Return the scores of the first 3 s of every track of the fold in the mel file.

        `command` is noted as the command that gives them.
        """
        names = [f"gtzan_mels/{row}" for row in self._rows]
        return self._predictions(names, self._mels.genre[self._rows], self._mel_scores, command)

    def track_predictions(self, command: str) -> Predictions:
        """Return the scores of every whole track of the fold, computed from its sound.

        `command` is noted as the command that gives them.
        """
        clips = self._tracks.recordings
        truth = np.array([self._model.manifest.labels.index(clip.category) for clip in clips])
        return self._predictions(
            [f"{clip.source}/{clip.name}" for clip in clips], truth, self._track_scores, command
        )

    def all(self) -> dict[str, Any]:
        """Return all figures by name, for the manifest."""
        figures: dict[str, Callable[[], Mapping[str, Any]]] = {
            "first seconds": self.first_seconds,
            "genres": self.genres,
        }
        if self._model.manifest.operating_points:
            figures["when it names"] = self.when_it_names
        if self.whole_tracks_held_out:
            figures["whole tracks"] = self.whole_tracks
        return with_descriptions(figures)

    def first_seconds(self) -> dict[str, Any]:
        """The mel file's first 3 s of held-out tracks: accuracy, and after the first seconds.

        Returns
        -------
        dict
            ``tracks``, their number; ``accuracy``, the share of tracks whose genre is found by the last score; a text
            with the confidence interval; and the accuracy after less time, such as ``after 1 s``.
        """
        predictions = self.mel_predictions("")
        low, high = bootstrap(right(predictions, latest))
        return {
            "tracks": len(predictions.truth),
            "accuracy": round(accuracy(predictions, latest), 4),
            "95 % of resampled tracks": f"{low:.3f} to {high:.3f}",
            **_accuracy_by_time(predictions),
        }

    def whole_tracks(self) -> dict[str, Any]:
        """Held-out whole tracks of 30 s, from their sound: accuracy, and after the first seconds.

        Returns
        -------
        dict
            ``tracks``, their number; ``accuracy``, the share of tracks whose genre is found by the last score; and the
            accuracy after less time, such as ``after 10 s``.
        """
        predictions = self.track_predictions("")
        return {
            "tracks": len(predictions.truth),
            "accuracy": round(accuracy(predictions, latest), 4),
            **_accuracy_by_time(predictions),
        }

    def genres(self) -> dict[str, str]:
        """Precision and recall of each genre on the mel file's held-out tracks.

        Returns
        -------
        dict
            Text with both figures, such as ``0.91 0.86``, by the name of the genre, the lowest F1 first.
        """
        labels = by_label(self.mel_predictions(""), latest)
        return {label.label: f"{label.precision:.2f} {label.recall:.2f}" for label in labels}

    def when_it_names(self) -> dict[str, float]:
        """Shares of the mel file's held-out tracks that have a name after 3 s, and of the named ones, the right names.

        A track has a name if the highest score reaches its label's threshold; otherwise the model says nothing.

        Returns
        -------
        dict
            Shares by preference, such as ``precision: named`` and ``precision: right``; without any named tracks the
            second is left out.
        """
        predictions = self.mel_predictions("")
        shares = {}
        for preference, points in self._model.manifest.operating_points.items():
            named, correct = name_surely(predictions.scores[:, -1], predictions.truth, points)
            shares[f"{preference}: named"] = round(float(named.mean()), 4)
            if named.any():
                shares[f"{preference}: right"] = round(float(correct[named].mean()), 4)
        return shares

    def _predictions(self, clips: list[str], truth: Array, scores: Array, command: str) -> Predictions:
        manifest = self._model.manifest
        return Predictions(
            task="genre",
            model=manifest.name,
            labels=manifest.labels,
            clips=tuple(clips),
            truth=truth,
            folds=np.full(len(clips), self._fold),
            step_s=self._scorer.step_s,
            scores=scores,
            command=command,
            rule="latest",
        )


def _accuracy_by_time(predictions: Predictions) -> dict[str, float]:
    return {
        f"after {s:g} s": round(value, 4) for s, value in accuracy_by_duration(predictions, latest).items()
    }


def name_surely(scores: Array, truth: Array, points: Sequence[Thresholds]) -> tuple[Array, Array]:
    """Return which clips get a name, and for which of all clips the likeliest label is the right one.

    Parameters
    ----------
    scores : array, shape (clips, labels)
        Probabilities of labels, of which a clip has one.
    truth : int array, shape (clips,)
        Index of each clip's label.
    points : sequence of Thresholds
        Thresholds of each label, or a single one for all labels.

    Returns
    -------
    named, correct : bool arrays, shape (clips,)
        A clip is named if its highest score reaches the threshold of the label.
    """
    likeliest = scores.argmax(axis=1)
    on = np.broadcast_to(np.array([point.on for point in points]), scores.shape[1:])
    return scores.max(axis=1) >= on[likeliest], likeliest == truth
