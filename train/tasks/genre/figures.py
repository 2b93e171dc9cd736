"""Figures of an exported genre model on held-out tracks, stepped as it is stepped live."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from streamer.arrays import Array
from train.data.cache import SoundCache
from train.data.recordings import Split
from train.data.sets import gtzan, gtzan_mels
from train.evaluate.metrics import accuracy, accuracy_by_duration, bootstrap, by_label, latest, right
from train.evaluate.predictions import Predictions, stacked
from train.evaluate.stepped_scores import SteppedScorer
from train.tasks.genre.task import GenreRunConfig, frames_of_mels


class GenreFigures:
    """Runs an exported model over one of the ten folds.

    Parameters
    ----------
    folder : Path
        Of the model.
    config : GenreRunConfig
        Of its run: says what was held out.
    data, cache : Path
        Folders of the data sets and of what is made of them.
    split : {"validation", "test"}
    """

    def __init__(self, folder: Path, config: GenreRunConfig, data: Path, cache: Path, split: Split) -> None:
        self._listener = SteppedScorer.of(folder)
        self._model = self._listener.model
        self._fold = config.fold if split == "test" else config.validation_fold
        self._mels = gtzan_mels.load(data)
        self._rows = np.flatnonzero(self._mels.ten_fold == self._fold)
        held_out = {self._mels.audio[row] for row in self._rows}
        self._tracks = SoundCache([r for r in gtzan.recordings(data) if r.name in held_out], cache)

    @property
    def whole_tracks_held_out(self) -> int:
        """How many whole tracks the fold has."""
        return len(self._tracks)

    @cached_property
    def _mel_scores(self) -> Array:
        frames = frames_of_mels(self._mels, self._rows, self._model.manifest.front_end.mel_bands)
        scores, _ = self._model.step(frames, self._model.init(len(frames)))
        return scores

    @cached_property
    def _track_scores(self) -> Array:
        return stacked(self._listener.all_scores(self._tracks.sounds))

    def mel_predictions(self, command: str) -> Predictions:
        """What was said of the first 3 s of every track of the mel file, in the fold."""
        names = [f"gtzan_mels/{row}" for row in self._rows]
        return self._predictions(names, self._mels.genre[self._rows], self._mel_scores, command)

    def track_predictions(self, command: str) -> Predictions:
        """What was said of every whole track of the fold, from its sound."""
        clips = self._tracks.recordings
        truth = np.array([self._model.manifest.labels.index(clip.category) for clip in clips])
        return self._predictions(
            [f"{clip.source}/{clip.name}" for clip in clips], truth, self._track_scores, command
        )

    def all(self) -> dict[str, Any]:
        """Every figure, ready for the manifest."""
        figures = {"first seconds": self.first_seconds, "genres": self.genres}
        if self.whole_tracks_held_out:
            figures["whole tracks"] = self.whole_tracks
        return {
            name: {"what": " ".join((measure.__doc__ or "").split()), **measure()}
            for name, measure in figures.items()
        }

    def first_seconds(self) -> dict[str, Any]:
        """The mel file's first 3 s of held-out tracks: accuracy, and after the first seconds."""
        said = self.mel_predictions("")
        low, high = bootstrap(right(said, latest))
        return {
            "tracks": len(said.truth),
            "accuracy": round(accuracy(said, latest), 4),
            "95 % of resampled tracks": f"{low:.3f} to {high:.3f}",
            **_by_heard(said),
        }

    def whole_tracks(self) -> dict[str, Any]:
        """Held-out whole tracks of 30 s, from their sound: accuracy, and after the first seconds."""
        said = self.track_predictions("")
        return {"tracks": len(said.truth), "accuracy": round(accuracy(said, latest), 4), **_by_heard(said)}

    def genres(self) -> dict[str, str]:
        """Precision and recall of each genre on the mel file's held-out tracks."""
        labels = by_label(self.mel_predictions(""), latest)
        return {label.label: f"{label.precision:.2f} {label.recall:.2f}" for label in labels}

    def _predictions(self, clips: list[str], truth: Array, scores: Array, command: str) -> Predictions:
        manifest = self._model.manifest
        return Predictions(
            task="genre",
            model=manifest.name,
            labels=manifest.labels,
            clips=tuple(clips),
            truth=truth,
            folds=np.full(len(clips), self._fold),
            step_s=self._listener.step_s,
            scores=scores,
            command=command,
            rule="latest",
        )


def _by_heard(said: Predictions) -> dict[str, float]:
    return {f"after {s:g} s": round(value, 4) for s, value in accuracy_by_duration(said, latest).items()}
