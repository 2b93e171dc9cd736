"""Sequences of embeddings of music and other sound, as images for networks that see a whole sequence at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from streamer.arrays import Array
from streamer.yamnet.weights import WINDOW_SAMPLES
from train.data.decode import RATE_HZ
from train.data.sets.all_sound import music_or_not
from train.tasks.reference.embedders import EMBEDDERS, Embedded

STEPS = 10
"""Embeddings in a sequence."""
PATCH_S = WINDOW_SAMPLES / RATE_HZ
"""Seconds of sound that YAMNet hears for an embedding, 0.975; the ear, which remembers, is counted as if it did."""
SEQUENCES = 5
"""Largest number of sequences of a recording, so that few long recordings do not decide."""
MUSIC, OTHER = "music", "other"
"""Classes of a sequence."""


class EmbeddingSequences:
    """Sequences of embeddings, brought to fewer numbers; see `train.mixing.mel_images.ImageSet`.

    Parameters
    ----------
    embedded : sequence of Embedded
        Embeddings of the recordings of each fold.
    projection : PCA
        Projection of an embedding.
    projected_by : str
        What determined the projection.
    """

    def __init__(self, embedded: Sequence[Embedded], projection: PCA, projected_by: str) -> None:
        self.names: list[str] = []
        self.categories: list[str] = []
        self.folds: list[int] = []
        self._sequences: list[Array] = []
        pairs = [pair for fold in embedded for pair in zip(fold.recordings, fold.embeddings, strict=True)]
        for recording, rows in pairs:
            for number, sequence in enumerate(sequences(rows)):
                self.names.append(f"{recording.source}/{recording.name} {number}")
                self.categories.append(MUSIC if recording.kind == "music" else OTHER)
                self.folds.append(recording.fold)
                self._sequences.append(projection.transform(sequence).T.astype(np.float32))
        self.digest = " ".join([*(fold.digest for fold in embedded), projected_by])
        self.skipped = [skipped for fold in embedded for skipped in fold.skipped]

    def __len__(self) -> int:
        return len(self._sequences)

    def image(self, index: int) -> Array:
        """Return a sequence, float32, shape (features, `STEPS`)."""
        return self._sequences[index]


def sequences(rows: Array) -> Iterator[Array]:
    """Yield up to `SEQUENCES` sequences of `STEPS` embeddings that follow each other in a recording.

    A recording that is shorter than a sequence is repeated; what is left at the end of a longer one is left out.

    Parameters
    ----------
    rows : Array, shape (steps, features)
        Embeddings of the recording; nothing is yielded if there are none.
    """
    if 0 < len(rows) < STEPS:
        rows = rows[np.arange(STEPS) % len(rows)]
    for first in range(0, min(len(rows), STEPS * SEQUENCES) - STEPS + 1, STEPS):
        yield rows[first : first + STEPS]


def load_sequences(
    embedder: str, features: int, learnt: Collection[int], folds: Collection[int], data: Path, cache: Path
) -> EmbeddingSequences:
    """Return the sequences of some folds, brought to `features` numbers by a projection of what is learnt from.

    Parameters
    ----------
    embedder : str
        Name in `EMBEDDERS`.
    features : int
        Principal components that are kept; they are scaled to a variance of 1, as VGGish's are.
    learnt : collection of int
        Folds whose embeddings determine the projection.
    folds : collection of int
        Folds whose sequences are returned.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    """
    by_fold = {fold: _embedded(embedder, fold, data, cache) for fold in {*learnt, *folds}}
    known = [by_fold[fold] for fold in sorted(learnt)]
    projection = PCA(features, whiten=True, random_state=0)
    projection.fit(np.concatenate([rows for fold in known for rows in fold.embeddings]))
    projected_by = " ".join([*(fold.digest for fold in known), str(features)])
    return EmbeddingSequences([by_fold[fold] for fold in sorted(folds)], projection, projected_by)


def _embedded(embedder: str, fold: int, data: Path, cache: Path) -> Embedded:
    """Return the embeddings of a fold, which are kept for each fold by itself, since runs combine the folds anew."""
    return EMBEDDERS[embedder](music_or_not(data, cache, [fold]), data, cache)
