"""Teaching tried out on recordings with known answers: a few of a class are shown, all others are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from streamer.custom_sounds.background import Background
from streamer.custom_sounds.embedder import Embedder, RecordingEmbeddings
from streamer.custom_sounds.learner import SoundLearner
from train.data.cache import SoundCache
from train.data.recordings import Recording
from train.data.sets.all_sound import recordings_of_folds

LONGEST_S = 10.0
"""Of each recording so much is heard."""
OTHERS_A_SET = 40
"""Recordings of music and speech of each data set."""


@dataclass(frozen=True)
class Clip:
    """A recording, how long it was heard, and what the ear made of it."""

    recording: Recording
    seconds: float
    heard: RecordingEmbeddings

    @property
    def is_sound(self) -> bool:
        """Whether it is one of everyday sounds' clips, which classes are taught of."""
        return self.recording.kind == "sound"

    @property
    def origin(self) -> str:
        """What ESC-50 cut it from, by its name FOLD-ORIGIN-TAKE-CLASS; the name of any other recording."""
        parts = self.recording.name.split("-")
        return parts[1] if len(parts) == 4 else self.recording.name


def clips_of(hearer: Embedder, data: Path, cache: Path, folds: Sequence[int]) -> list[Clip]:
    """Hear all clips of everyday sound of some folds, and some recordings of music and speech.

    Parameters
    ----------
    hearer : Embedder
    data, cache : Path
        Folders of the data sets and of what is made of them.
    folds : sequence of int
    """
    sounds = SoundCache(_chosen(recordings_of_folds(data, cache, folds)), cache)
    count = round(LONGEST_S * hearer.rate_hz)
    clips = []
    for n, recording in enumerate(tqdm(sounds.recordings, desc="hearing", disable=None)):
        samples = sounds.samples(n, 0, count)
        clips.append(Clip(recording, len(samples) / hearer.rate_hz, hearer.embed(samples)))
    return clips


def _chosen(found: Sequence[Recording]) -> list[Recording]:
    """Everyday sounds, and of every other set music and speech in even steps through it."""
    chosen = [r for r in found if r.kind == "sound"]
    for source in dict.fromkeys(r.source for r in found if r.kind in ("music", "speech")):
        own = [r for r in found if r.source == source and r.kind in ("music", "speech")]
        chosen += own[:: -(-len(own) // OTHERS_A_SET)]
    return chosen


@dataclass(frozen=True)
class Trial:
    """What was said once a few clips of every class had been shown.

    Attributes
    ----------
    similar : float array, shape (asked, classes)
        The highest similarity of each clip that was not shown, at any step, to each class.
    truth : int array, shape (asked,)
        Class of each clip; -1 for music and speech.
    akin : bool array, shape (asked,)
        Whether another part of what the clip was cut from was shown.
    hours : float
        That these clips last.
    """

    similar: Array
    truth: Array
    akin: Array
    hours: float

    @property
    def is_own(self) -> Array:
        """Which of `similar` are of a clip's own class, bool, of its shape."""
        return self.truth[:, None] == np.arange(self.similar.shape[1])


def trials(
    hearer: Embedder, background: Background, clips: Sequence[Clip], shots: int, draws: int, seed: int = 0
) -> Iterator[Trial]:
    """Show `shots` clips of every class, chosen at random, and ask about all others; `draws` times.

    Parameters
    ----------
    hearer : Embedder
    background : Background
    clips : sequence of Clip
    shots, draws : int
        1 or more.
    seed : int
    """
    rng = np.random.default_rng(seed)
    learner = SoundLearner(hearer.ear, background)
    names = sorted({clip.recording.category for clip in clips if clip.is_sound})
    truth = np.array([names.index(clip.recording.category) if clip.is_sound else -1 for clip in clips])
    origins = np.array([clip.origin for clip in clips])
    heard = [background.directions(clip.heard.pooled) for clip in clips]
    examples = background.directions(np.stack([clip.heard.mean for clip in clips]))
    for _ in range(draws):
        shown = [rng.permutation(np.flatnonzero(truth == n))[:shots] for n in range(len(names))]
        model = learner.model({name: examples[own] for name, own in zip(names, shown, strict=True)})
        asked = np.setdiff1d(np.arange(len(clips)), np.concatenate(shown))
        similar = np.stack([model.similarities(heard[k]).max(axis=0) for k in asked])
        akin = np.isin(origins[asked], origins[np.concatenate(shown)])
        yield Trial(similar, truth[asked], akin, sum(clips[k].seconds for k in asked) / 3_600)
