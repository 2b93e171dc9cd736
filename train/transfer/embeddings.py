"""What YAMNet says of recordings, patch by patch, on disk: for classifiers that learn from it as it is."""

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
from train.mixing.distillation import FRONT_END, TEACHERS
from train.yamnet.npz import read_npz

TRAININGS: Mapping[str, str] = MappingProxyType(dict(zip(("hub", "lite"), TEACHERS, strict=True)))
"""Both trainings, below the folder of the data sets: the one on TensorFlow Hub, and that of the classification
variant for TensorFlow Lite (docs/yamnet.md)."""
HOP_SAMPLES = 7_680
"""From one patch to the next, 0.48 s: as YAMNet was published."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Embedded:
    """Patches of recordings, one recording after another, each patch from a fresh start of the front end.

    Patches of digital silence, which is padding, are left out.

    Attributes
    ----------
    recording : int array, shape (patches,)
        Place of each patch's recording.
    start_samples : int array, shape (patches,)
        Where the patch begins in it, at 16 kHz.
    embedding : float32 array, shape (patches, 1024)
        Not below 0.
    music : float32 array, shape (patches,)
        Logit of AudioSet's class ``Music``.
    """

    recording: Array
    start_samples: Array
    embedding: Array
    music: Array


def embedded(sounds: SoundCache, weights: Path, cache: Path, hop_samples: int = HOP_SAMPLES) -> Embedded:
    """What YAMNet says of recordings, asked if that is not on disk.

    Parameters
    ----------
    sounds : SoundCache
    weights : Path
        An npz as `train.yamnet.npz` reads it.
    cache : Path
        Folder of what is made of the data sets.
    hop_samples : int
        From one patch of 0.975 s to the next.

    Raises
    ------
    ModelError
        If the weights are not YAMNet's.
    """
    read = read_npz(weights)
    described = [sounds.digest, _hash(weights, cache), hop_samples, FRONT_END.config.fingerprint]
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    path = cache / "embeddings" / f"{name}.npz"
    if not path.is_file():
        _log.info("asking %s about %d recordings", weights, len(sounds))
        npz.write(path, _asked(read, sounds, hop_samples))
    found = npz.read(path, "embeddings of this project", "delete it")
    return Embedded(
        found["recording"],
        found["start_samples"],
        found["embedding"].astype(np.float32),
        found["music"],
    )


def pooled(embedding: Array, group: Array) -> Array:
    """Mean and maximum over the patches of each group, side by side.

    Parameters
    ----------
    embedding : Array, shape (patches, 1024)
    group : int array, shape (patches,)

    Returns
    -------
    float32 array, shape (groups, 2048)
        By rising number of the group; groups without patches have no row.
    """
    rows = [embedding[group == number] for number in np.unique(group)]
    return np.stack([np.concatenate([row.mean(axis=0), row.max(axis=0)]) for row in rows])


def check_all_heard(heard: Embedded, sounds: SoundCache) -> None:
    """Refuse a recording without any patch, where each must have some.

    Raises
    ------
    ConfigError
    """
    unheard = sorted(set(range(len(sounds))) - set(heard.recording.tolist()))
    if unheard:
        one = sounds.recordings[unheard[0]]
        raise ConfigError(
            f"{one.source} {one.name} and {len(unheard) - 1} others have no 0.975 s that are not silent; expected some "
            "in each: remove them"
        )


def _hash(weights: Path, cache: Path) -> str:
    hashes = FileHashes(cache / "hashes.json")
    found = hashes.sha256(weights)
    hashes.save()
    return found


def _asked(weights: Weights, sounds: SoundCache, hop_samples: int) -> dict[str, Array]:
    """The arrays of `Embedded`, the embedding as float16."""
    network, music = YAMNet.from_weights(weights), weights.class_index("Music")
    parts: dict[str, list[Array]] = {
        "recording": [np.zeros(0, int)],  # lest there be none at all
        "start_samples": [np.zeros(0, int)],
        "embedding": [np.zeros((0, EMBEDDING_SIZE), np.float16)],
        "music": [np.zeros(0, np.float32)],
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
        parts["music"].append(logits[:, music].numpy())
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _patches(sound: Array, hop_samples: int) -> tuple[Array, Array]:
    """Where patches begin, and their frames, shape (patches, 96, 64)."""
    if len(sound) < WINDOW_SAMPLES:
        return np.zeros(0, int), np.zeros((0, 0, 0), np.float32)
    windows = sliding_window_view(sound, WINDOW_SAMPLES)[::hop_samples]
    audible = np.flatnonzero(windows.any(axis=1))
    return audible * hop_samples, offline(FRONT_END, np.ascontiguousarray(windows[audible]))
