"""What came of teaching: how sure a label will be recognised, and what it may be taken for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array
from streamer.custom_sounds.learner import SoundLearner
from streamer.custom_sounds.store import SoundStore, TaughtRecording


@dataclass(frozen=True)
class TeachingReport:
    """How a label stands.

    Attributes
    ----------
    label : str
    recordings : int
    seconds : float
        Of all of them.
    strangers : tuple of str
        Recordings that would not be recognised from any of the label's others.
    near : tuple of str
        Labels that these recordings would be taken for, or whose recordings would be taken for this one.
    impostors : float
        Share of all kinds of sound, 0 to 1, that would be taken for it.
    """

    label: str
    recordings: int
    seconds: float
    strangers: tuple[str, ...]
    near: tuple[str, ...]
    impostors: float

    def lines(self) -> list[str]:
        """As sentences, what is to be minded last."""
        plural = "" if self.recordings == 1 else "s"
        told = [
            f"{self.label}: learnt from {self.recordings} recording{plural}, {self.seconds:.1f} s; "
            f"{self.impostors:.1%} of other sounds would be taken for it"
        ]
        if self.strangers:
            told.append(
                f"warning: unlike the other recordings of {self.label!r}: {', '.join(self.strangers)}; "
                "forms of a sound that differ are better taught under names of their own"
            )
        if self.near:
            told.append(
                f"warning: {self.label!r} and {', '.join(map(repr, self.near))} sound alike, and may be reported "
                "together"
            )
        return told


def report(label: str, store: SoundStore, learner: SoundLearner) -> TeachingReport:
    """How a label of a store stands.

    Parameters
    ----------
    label : str
        With at least one recording.
    store : SoundStore
    learner : SoundLearner
    """
    recordings = store.recordings(label)
    sounds = [one.samples(learner.rate_hz) for one in recordings]
    own = np.stack([learner.example(samples) for samples in sounds])
    others = {other: learner.examples(found) for other, found in store.all() if other != label}
    alike = learner.background.operating_points["balanced"].on
    return TeachingReport(
        label=label,
        recordings=len(recordings),
        seconds=sum(map(len, sounds)) / learner.rate_hz,
        strangers=_strangers(recordings, own, learner),
        near=tuple(
            other
            for other, theirs in others.items()
            if max(_score(learner, own, theirs), _score(learner, theirs, own)) >= alike
        ),
        impostors=learner.impostors(own),
    )


def _strangers(recordings: list[TaughtRecording], own: Array, learner: SoundLearner) -> tuple[str, ...]:
    """Those that no other recording alone would be enough to recognise."""
    if len(own) < 2:
        return ()
    least = learner.background.operating_points["recall"].on
    alone = learner.model({str(n): example[None] for n, example in enumerate(own)})
    scores = alone.scores(own)
    np.fill_diagonal(scores, 0.0)
    return tuple(one.name for one, score in zip(recordings, scores.max(axis=1), strict=True) if score < least)


def _score(learner: SoundLearner, known: Array, heard: Array) -> float:
    """How sure a label with `known` examples would be of the most similar of those `heard`."""
    return float(learner.model({"it": known}).scores(heard).max())
