"""Embeddings by an exported ear, computed once and kept on disk, for heads to learn from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.inference.onnx import OnnxModel
from train.data.cache import Cache
from train.data.decode import ClipError
from train.data.features import log_mel
from train.data.recordings import Recording


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
        # "heard" is the older name of embeddings; files on disk keep it, so that they stay valid.
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
