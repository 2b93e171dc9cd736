"""What an exported ear hears in lessons: its embeddings, on disk, for heads to learn from."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from tqdm import tqdm

from streamer.inference.onnx import OnnxModel
from streamer.stage import Array
from train.data.lessons import Lessons

BATCH = 64
_log = logging.getLogger(__name__)


def heard(ear: OnnxModel, lessons: Lessons) -> Array:
    """Embeddings of lessons, made if they are not there.

    Parameters
    ----------
    ear : OnnxModel
    lessons : Lessons

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


def _build(ear: OnnxModel, lessons: Lessons, path: Path) -> None:
    steps = lessons.frames.shape[1] // ear.manifest.hop_frames
    shape = len(lessons), steps, ear.manifest.output_size
    out = np.lib.format.open_memmap(path, "w+", np.float16, shape)
    for first in tqdm(range(0, len(lessons), BATCH), desc="hearing", disable=None):
        frames = lessons.frames[first : first + BATCH].astype(np.float32)
        out[first : first + BATCH], _ = ear.step(frames, ear.init(len(frames)))
    out.flush()
    _log.info("heard %d lessons into %s", len(lessons), path)
