"""Trials of taught sounds on labelled recordings: a few clips of each class are examples, all others are queries."""

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
"""Length, in seconds, of the beginning of a recording that is used."""
OTHERS_PER_SET = 40
"""Largest number of recordings of music and speech that are used of each data set."""


@dataclass(frozen=True)
class EmbeddedClip:
    """A recording with the embeddings of its beginning.

    Attributes
    ----------
    recording : Recording
        Recording that was embedded.
    seconds : float
        Length of the beginning that was embedded.
    embeddings : RecordingEmbeddings
        Embeddings of the beginning of the recording.
    """

    recording: Recording
    seconds: float
    embeddings: RecordingEmbeddings

    @property
    def is_sound(self) -> bool:
        """Whether the recording is a clip of everyday sound, whose class is taught, rather than music or speech."""
        return self.recording.kind == "sound"

    @property
    def origin(self) -> str:
        """Name of the recording that ESC-50 cut this clip from: ORIGIN in the clip's name FOLD-ORIGIN-TAKE-CLASS.

        For other recordings it is the recording's own name.
        """
        parts = self.recording.name.split("-")
        return parts[1] if len(parts) == 4 else self.recording.name


def embed_clips(embedder: Embedder, data: Path, cache: Path, folds: Sequence[int]) -> list[EmbeddedClip]:
    """Return the embeddings of all clips of everyday sound in `folds`, and of some recordings of music and speech.

    Parameters
    ----------
    embedder : Embedder
        Gives the embeddings of sounds, by an ear.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    folds : sequence of int
        Folds, 1 to 5, whose recordings are used.
    """
    sounds = SoundCache(_choose(recordings_of_folds(data, cache, folds)), cache)
    count = round(LONGEST_S * embedder.rate_hz)
    clips = []
    for n, recording in enumerate(tqdm(sounds.recordings, desc="embedding", disable=None)):
        samples = sounds.samples(n, 0, count)
        clips.append(EmbeddedClip(recording, len(samples) / embedder.rate_hz, embedder.embed(samples)))
    return clips


def _choose(found: Sequence[Recording]) -> list[Recording]:
    """Choose all everyday sounds, and every n-th recording of music and speech of every data set."""
    chosen = [r for r in found if r.kind == "sound"]
    for source in dict.fromkeys(r.source for r in found if r.kind in ("music", "speech")):
        own = [r for r in found if r.source == source and r.kind in ("music", "speech")]
        chosen += own[:: -(-len(own) // OTHERS_PER_SET)]
    return chosen


@dataclass(frozen=True)
class Trial:
    """Similarities of all queries to all classes, in one trial: each class is taught by a few example clips.

    Attributes
    ----------
    similarity : float array, shape (queries, classes)
        Highest similarity (cosine, -1 to 1) of each query to each class, over the steps of the query.
    truth : int array, shape (queries,)
        Index of the class of each query; -1 for music and speech, which belong to no class.
    same_origin : bool array, shape (queries,)
        Whether an example was cut from the same recording as the query.
    hours : float
        Length of all queries together.
    """

    similarity: Array
    truth: Array
    same_origin: Array
    hours: float

    @property
    def is_own(self) -> Array:
        """Whether each class is the true one of each query: bool, shape (queries, classes), like `similarity`."""
        own: Array = self.truth[:, None] == np.arange(self.similarity.shape[1])
        return own


def run_trials(
    embedder: Embedder,
    background: Background,
    clips: Sequence[EmbeddedClip],
    shots: int,
    draws: int,
    seed: int = 0,
) -> Iterator[Trial]:
    """Teach every class by `shots` random clips, compare all other clips with the classes, and yield the similarities.

    There are `draws` trials, each with other random clips.

    Parameters
    ----------
    embedder : Embedder
        Gives the embeddings of sounds, by an ear.
    background : Background
        Statistics of the ear by which similarities are computed.
    clips : sequence of EmbeddedClip
        Clips that examples and queries are drawn from.
    shots, draws : int
        Number of examples per class, and number of trials; 1 or more.
    seed : int
        Seed of the choice of examples.

    Yields
    ------
    Trial
        Similarities of all queries to all classes, for one choice of examples.
    """
    rng = np.random.default_rng(seed)
    learner = SoundLearner(embedder.ear, background)
    names = sorted({clip.recording.category for clip in clips if clip.is_sound})
    truth = np.array([names.index(clip.recording.category) if clip.is_sound else -1 for clip in clips])
    origins = np.array([clip.origin for clip in clips])
    pooled = [background.directions(clip.embeddings.pooled) for clip in clips]
    means = background.directions(np.stack([clip.embeddings.mean for clip in clips]))
    for _ in range(draws):
        examples = [rng.permutation(np.flatnonzero(truth == n))[:shots] for n in range(len(names))]
        model = learner.model({name: means[own] for name, own in zip(names, examples, strict=True)})
        queries = np.setdiff1d(np.arange(len(clips)), np.concatenate(examples))
        similarity = np.stack([model.similarities(pooled[k]).max(axis=0) for k in queries])
        same_origin = np.isin(origins[queries], origins[np.concatenate(examples)])
        hours = sum(clips[k].seconds for k in queries) / 3_600
        yield Trial(similarity, truth[queries], same_origin, hours)
