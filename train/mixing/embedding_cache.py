"""Embeddings by an exported ear, computed once and kept on disk, for heads to learn from."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.inference.onnx import OnnxModel
from train.data.cache import Cache
from train.data.decode import ClipError
from train.data.features import log_mel
from train.data.recordings import Recording
from train.mixing.distillation import TeacherAnswers

BATCH = 64
_log = logging.getLogger(__name__)


def load_embeddings(ear: OnnxModel, examples: TeacherAnswers) -> Array:
    """Return the ear's embeddings of all examples of a fold, mapped from disk; compute them if they are not there.

    Parameters
    ----------
    ear : OnnxModel
        Exported ear.
    examples : TeacherAnswers
        Examples of the fold.

    Returns
    -------
    float16 array, shape (examples, STEPS, embedding_size), mapped from disk
        Embeddings as in live listening, with a fresh state for each example.
    """
    # "heard" is the older name of embeddings; files on disk keep it, so that they stay valid.
    path = examples.folder.parent / f"{examples.folder.name}-heard-{ear.manifest.sha256[:16]}.npy"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        _build(ear, examples, partial)
        partial.replace(path)
    mapped: Array = np.load(path, mmap_mode="r")
    return mapped


def _build(ear: OnnxModel, examples: TeacherAnswers, path: Path) -> None:
    steps = examples.frames.shape[1] // ear.manifest.hop_frames
    shape = len(examples), steps, ear.manifest.output_size
    out = np.lib.format.open_memmap(path, "w+", np.float16, shape)
    for first in tqdm(range(0, len(examples), BATCH), desc="embedding", disable=None):
        frames = examples.frames[first : first + BATCH].astype(np.float32)
        out[first : first + BATCH], _ = ear.step(frames, ear.init(len(frames)))
    out.flush()
    _log.info("computed embeddings of %d examples in %s", len(examples), path)


class EmbeddingCache(Cache):
    """Keeps the embeddings of whole recordings on disk, computed by an ear with a fresh state for each recording.

    Parameters
    ----------
    recordings : iterable of Recording
        Recordings to keep. Those that cannot be used are skipped, and logged.
    folder : Path
        Folder of all caches.
    ear : OnnxModel
        Exported ear. Embeddings of different ears are kept apart.
    """

    def __init__(self, recordings: Iterable[Recording], folder: Path, ear: OnnxModel) -> None:
        self._ear, self._front_end = ear, LogMel(ear.manifest.log_mel)
        # "heard" is the older name of embeddings; see `load_embeddings`.
        depends_on = ("heard", ear.manifest.log_mel.fingerprint, ear.manifest.sha256)
        super().__init__(recordings, folder, depends_on, self._embed)

    def embeddings(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Return the embeddings of a recording from `first` on, `count` of them or as many as there are.

        Parameters
        ----------
        index : int
            Index into `recordings`.
        first, count : int
            First step of the ear and number of steps; without `count`, up to the end.

        Returns
        -------
        float32 array, shape (steps, embedding_size)
        """
        return self.part(index, first, count).astype(np.float32)

    def _embed(self, recording: Recording) -> Array:
        embeddings: Array
        embeddings, _ = self._ear.step(log_mel(recording, self._front_end)[None], self._ear.init())
        if not embeddings.shape[1]:
            raise ClipError(
                f"{recording.paths[0]} is shorter than the ear's first step of {self._ear.manifest.hop_frames} frames"
            )
        stored: Array = embeddings[0].astype(np.float16)
        return stored
