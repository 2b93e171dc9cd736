"""YAMNet's embeddings of recordings, patch by patch, cached on disk for classifiers on frozen embeddings."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from tqdm import tqdm

from models.yamnet import YAMNet
from streamer.arrays import Array
from streamer.dsp.stage import offline
from streamer.errors import ConfigError
from streamer.yamnet.weights import EMBEDDING_SIZE, WINDOW_SAMPLES, Weights
from train import npz
from train.data.cache import SoundCache
from train.data.hashes import FileHashes
from train.mixing.distillation.teacher_answers import FRONT_END
from train.mixing.distillation.teachers import TEACHERS
from train.yamnet.npz import read_npz

TRAININGS: Mapping[str, str] = MappingProxyType(dict(zip(("hub", "lite"), TEACHERS, strict=True)))
"""Weights of both published trainings, below the folder of the data sets: the one on TensorFlow Hub, and the
classification variant for TensorFlow Lite (docs/yamnet.md)."""
HOP_SAMPLES = 7_680
"""Samples from one patch to the next, 0.48 s, as in the published YAMNet."""
LOGITS: Mapping[str, str] = MappingProxyType({"music": "Music", "speech": "Speech"})
"""AudioSet's classes whose logits are kept, by the name of the array."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PatchEmbeddings:
    """YAMNet's embeddings of patches of 0.975 s of recordings, each patch from a fresh start of the front end.

    The patches of one recording follow those of another. Patches of digital silence, which is padding, are left out.

    Attributes
    ----------
    recording : int array, shape (patches,)
        Index of the recording that each patch belongs to.
    start_samples : int array, shape (patches,)
        Start of each patch in its recording, at 16 kHz.
    embedding : float32 array, shape (patches, 1024)
        Embedding of each patch, 0 or more.
    music, speech : float32 array, shape (patches,)
        YAMNet's logits of AudioSet's classes ``Music`` and ``Speech``.
    """

    recording: Array
    start_samples: Array
    embedding: Array
    music: Array
    speech: Array


def embed_recordings(
    sounds: SoundCache, weights: Path, cache: Path, hop_samples: int = HOP_SAMPLES
) -> PatchEmbeddings:
    """Return YAMNet's embeddings of recordings; compute them if they are not on disk.

    Parameters
    ----------
    sounds : SoundCache
        Sounds of the recordings.
    weights : Path
        Npz file of YAMNet's weights, as `train.yamnet.npz` reads it.
    cache : Path
        Folder of all caches.
    hop_samples : int
        Samples from one patch of 0.975 s to the next.

    Raises
    ------
    ModelError
        If the weights are not YAMNet's.
    """
    read = read_npz(weights)
    described = [sounds.digest, _hash(weights, cache), hop_samples, FRONT_END.config.fingerprint, *LOGITS]
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    path = cache / "embeddings" / f"{name}.npz"
    if not path.is_file():
        _log.info("running %s on %d recordings", weights, len(sounds))
        npz.write(path, _embed(read, sounds, hop_samples))
    found = npz.read(path, "embeddings of this project", "delete it")
    return PatchEmbeddings(
        found["recording"],
        found["start_samples"],
        found["embedding"].astype(np.float32),
        *(found[name] for name in LOGITS),
    )


def pool_patches(embedding: Array, group: Array) -> Array:
    """Return the mean and the maximum of the embeddings of each group of patches, side by side.

    Parameters
    ----------
    embedding : Array, shape (patches, 1024)
        Embedding of each patch.
    group : int array, shape (patches,)
        Number of the group that each patch belongs to.

    Returns
    -------
    float32 array, shape (groups, 2048)
        One row per group, by rising number; groups without patches have no row.
    """
    rows = [embedding[group == number] for number in np.unique(group)]
    return np.stack([np.concatenate([row.mean(axis=0), row.max(axis=0)]) for row in rows])


def check_all_embedded(embedded: PatchEmbeddings, sounds: SoundCache) -> None:
    """Refuse recordings that have no patch, since they are too short or silent.

    Raises
    ------
    ConfigError
    """
    missing = sorted(set(range(len(sounds))) - set(embedded.recording.tolist()))
    if missing:
        one = sounds.recordings[missing[0]]
        raise ConfigError(
            f"{one.source} {one.name} and {len(missing) - 1} others have no 0.975 s that are not silent; expected some "
            "in each: remove them"
        )


def _hash(weights: Path, cache: Path) -> str:
    hashes = FileHashes(cache / "hashes.json")
    found = hashes.sha256(weights)
    hashes.save()
    return found


def _embed(weights: Weights, sounds: SoundCache, hop_samples: int) -> dict[str, Array]:
    """Compute the arrays of `PatchEmbeddings`, with the embedding as float16."""
    network = YAMNet.from_weights(weights)
    places = {name: weights.class_index(label) for name, label in LOGITS.items()}
    parts: dict[str, list[Array]] = {
        "recording": [np.zeros(0, int)],  # so that there is something to join if there are no patches
        "start_samples": [np.zeros(0, int)],
        "embedding": [np.zeros((0, EMBEDDING_SIZE), np.float16)],
        **{name: [np.zeros(0, np.float32)] for name in LOGITS},
    }
    for index in tqdm(range(len(sounds)), "YAMNet", unit=" clips", disable=None):
        starts, frames = _patches(sounds.samples(index), hop_samples)
        if not len(starts):
            continue
        with torch.inference_mode():
            logits, embedding = network(torch.from_numpy(frames))
        parts["recording"].append(np.full(len(starts), index))
        parts["start_samples"].append(starts)
        parts["embedding"].append(embedding.numpy().astype(np.float16))
        for name, place in places.items():
            parts[name].append(logits[:, place].numpy())
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _patches(sound: Array, hop_samples: int) -> tuple[Array, Array]:
    """Return the starts of patches, and their frames, shape (patches, 96, 64)."""
    if len(sound) < WINDOW_SAMPLES:
        return np.zeros(0, int), np.zeros((0, 0, 0), np.float32)
    windows = sliding_window_view(sound, WINDOW_SAMPLES)[::hop_samples]
    audible = np.flatnonzero(windows.any(axis=1))
    return audible * hop_samples, offline(FRONT_END, np.ascontiguousarray(windows[audible]))
