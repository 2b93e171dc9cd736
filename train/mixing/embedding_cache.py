"""What an exported ear hears in lessons and in recordings: its embeddings, on disk, for heads to learn from."""

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


def load_embeddings(ear: OnnxModel, lessons: TeacherAnswers) -> Array:
    """Embeddings of lessons, made if they are not there.

    Parameters
    ----------
    ear : OnnxModel
    lessons : TeacherAnswers

    Returns
    -------
    float16 array, shape (lessons, STEPS, embedding_size), mapped from disk
        As the ear gives them live, from a fresh start at each lesson.
    """
    path = lessons.folder.parent / f"{lessons.folder.name}-heard-{ear.manifest.sha256[:16]}.npy"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        _build(ear, lessons, partial)
        partial.replace(path)
    mapped: Array = np.load(path, mmap_mode="r")
    return mapped


def _build(ear: OnnxModel, lessons: TeacherAnswers, path: Path) -> None:
    steps = lessons.frames.shape[1] // ear.manifest.hop_frames
    shape = len(lessons), steps, ear.manifest.output_size
    out = np.lib.format.open_memmap(path, "w+", np.float16, shape)
    for first in tqdm(range(0, len(lessons), BATCH), desc="hearing", disable=None):
        frames = lessons.frames[first : first + BATCH].astype(np.float32)
        out[first : first + BATCH], _ = ear.step(frames, ear.init(len(frames)))
    out.flush()
    _log.info("heard %d lessons into %s", len(lessons), path)


class EmbeddingCache(Cache):
    """An ear's embeddings of whole recordings, from a fresh start at each.

    Parameters
    ----------
    recordings : iterable of Recording
    folder : Path
        Where caches live.
    ear : OnnxModel
        Another one is another cache.
    """

    def __init__(self, recordings: Iterable[Recording], folder: Path, ear: OnnxModel) -> None:
        self._ear, self._front_end = ear, LogMel(ear.manifest.front_end)
        made = ("heard", self._front_end.config.fingerprint, ear.manifest.sha256)
        super().__init__(recordings, folder, made, self._embeddings)

    def embeddings(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Part of what was heard of a recording, cut at its end.

        Parameters
        ----------
        index : int
            Place in `recordings`.
        first, count : int
            In steps of the ear; all that follow where `count` is absent.

        Returns
        -------
        float32 array, shape (steps, embedding_size)
        """
        return self.part(index, first, count).astype(np.float32)

    def _embeddings(self, recording: Recording) -> Array:
        load_embeddings, _ = self._ear.step(log_mel(recording, self._front_end)[None], self._ear.init())
        if not load_embeddings.shape[1]:
            raise ClipError(
                f"{recording.paths[0]} is shorter than the ear's first step of {self._ear.manifest.hop_frames} frames"
            )
        return load_embeddings[0].astype(np.float16)
