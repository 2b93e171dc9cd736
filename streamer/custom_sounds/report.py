"""Report how well a taught label will be recognised, and which sounds may be taken for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array
from streamer.custom_sounds.learner import SoundLearner
from streamer.custom_sounds.store import SoundStore, TaughtRecording


@dataclass(frozen=True)
class TeachingReport:
    """Quality of a taught label.

    Attributes
    ----------
    label : str
    recordings : int
        Number of its recordings.
    seconds : float
        Length of all recordings together.
    outliers : tuple of str
        Names of recordings that none of the label's other recordings, each taken alone, would recognise.
    alike : tuple of str
        Other labels for which recordings of this label would be taken, or the other way round.
    impostors : float
        Share, 0 to 1, of the background's impostors that would be taken for the label.
    """

    label: str
    recordings: int
    seconds: float
    outliers: tuple[str, ...]
    alike: tuple[str, ...]
    impostors: float

    def lines(self) -> list[str]:
        """Return the report as sentences for people, warnings last."""
        plural = "" if self.recordings == 1 else "s"
        lines = [
            f"{self.label}: learnt from {self.recordings} recording{plural}, {self.seconds:.1f} s; "
            f"{self.impostors:.1%} of other sounds would be taken for it"
        ]
        if self.outliers:
            names = ", ".join(self.outliers)
            if len(self.outliers) == self.recordings:  # there are no others
                unlike = f"the recordings of {self.label!r} are unlike each other: {names}"
            else:
                unlike = f"unlike the other recordings of {self.label!r}: {names}"
            lines.append(
                f"warning: {unlike}; forms of a sound that differ are better taught under names of their own"
            )
        if self.alike:
            lines.append(
                f"warning: {self.label!r} and {', '.join(map(repr, self.alike))} sound alike, and may be reported "
                "together"
            )
        return lines


def report(label: str, store: SoundStore, learner: SoundLearner) -> TeachingReport:
    """Return a report on a label of a store.

    Parameters
    ----------
    label : str
        A label with at least one recording.
    store : SoundStore
    learner : SoundLearner
    """
    recordings = store.recordings(label)
    sounds = [one.samples(learner.rate_hz) for one in recordings]
    own = np.stack([learner.example(samples) for samples in sounds])
    others = {other: learner.examples(found) for other, found in store.all() if other != label}
    needed = learner.background.operating_points["balanced"].on
    return TeachingReport(
        label=label,
        recordings=len(recordings),
        seconds=sum(map(len, sounds)) / learner.rate_hz,
        outliers=_outliers(recordings, own, learner),
        alike=tuple(
            other
            for other, theirs in others.items()
            if max(_score(learner, own, theirs), _score(learner, theirs, own)) >= needed
        ),
        impostors=learner.impostors(own),
    )


def _outliers(recordings: list[TaughtRecording], own: Array, learner: SoundLearner) -> tuple[str, ...]:
    """Return the recordings that would not be recognised by any single other one."""
    if len(own) < 2:
        return ()
    least = learner.background.operating_points["recall"].on
    alone = learner.model({str(n): example[None] for n, example in enumerate(own)})
    scores = alone.scores(own)
    np.fill_diagonal(scores, 0.0)
    return tuple(one.name for one, score in zip(recordings, scores.max(axis=1), strict=True) if score < least)


def _score(learner: SoundLearner, known: Array, other: Array) -> float:
    """Return the highest score of a label with the examples `known` for the examples `other`."""
    return float(learner.model({"it": known}).scores(other).max())
