"""Embeddings of windows of recordings, computed once and kept on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from streamer.arrays import Array
from train.data.cache import Cache
from train.data.decode import FULL_SCALE, ClipError, decode
from train.data.hashes import FileHashes
from train.data.recordings import Recording

BATCH = 32
"""Number of windows that are embedded at once."""
HOP_S = 0.48
"""Seconds from one window to the next, as in YAMNet, unless a network was published with another step."""


class WindowEmbedder(Protocol):
    """Interface of a network that embeds windows of sound.

    Attributes
    ----------
    name : str
        Name of the network and of what is done before and after it, which keeps embeddings of others apart.
    files : tuple of Path
        Files of its weights.
    rate_hz : int
        Sample rate of its input, in hertz.
    window_samples : int
        Length of a window.
    least_samples : int
        Least length of a recording; one that is shorter than a window is embedded as a whole.
    hop_s : float
        Seconds from one window to the next.
    """

    @property
    def name(self) -> str: ...

    @property
    def files(self) -> tuple[Path, ...]: ...

    @property
    def rate_hz(self) -> int: ...

    @property
    def window_samples(self) -> int: ...

    @property
    def least_samples(self) -> int: ...

    @property
    def hop_s(self) -> float: ...

    def embed(self, windows: Array) -> Array:
        """Return the embeddings of windows, float32, shape (windows, features).

        Parameters
        ----------
        windows : float32 array, shape (windows, samples)
            Sound; full scale is -1 to 1. There are `window_samples`, or at least `least_samples` of a short recording.
        """
        ...


class WindowEmbeddings(Cache):
    """Keeps the embeddings of the windows of recordings on disk, one every `hop_s` seconds of the embedder.

    Windows of digital silence, which is padding, are left out.

    Parameters
    ----------
    recordings : iterable of Recording
        Recordings to keep. Those that cannot be used are skipped, and logged.
    folder : Path
        Folder of all caches.
    embedder : WindowEmbedder
        Network that embeds; it is called from threads.
    """

    def __init__(self, recordings: Iterable[Recording], folder: Path, embedder: WindowEmbedder) -> None:
        self._embedder = embedder
        folder.mkdir(parents=True, exist_ok=True)
        hashes = FileHashes(folder / "hashes.json")
        weights = [hashes.sha256(path) for path in embedder.files]
        hashes.save()
        depends_on = ("windows", embedder.name, *weights, str(embedder.window_samples), str(embedder.hop_s))
        super().__init__(recordings, folder, depends_on, self._embed)

    def embeddings(self, index: int) -> Array:
        """Return the embeddings of a recording, float32, shape (windows, features)."""
        return self.part(index).astype(np.float32)

    def _embed(self, recording: Recording) -> Array:
        rate_hz, length = self._embedder.rate_hz, self._embedder.window_samples
        sound = decode(recording, rate_hz).astype(np.float32) / np.float32(FULL_SCALE)
        least = self._embedder.least_samples
        if len(sound) < least:
            raise ClipError(
                f"{recording.paths[0]} lasts {len(sound) / rate_hz:.2f} s; expected {least / rate_hz:g} s or more, "
                f"for an embedding by {self._embedder.name}"
            )
        hop = round(self._embedder.hop_s * rate_hz)
        windows = sliding_window_view(sound, min(length, len(sound)))[::hop]
        heard = windows[windows.any(axis=1)]
        if not len(heard):
            raise ClipError(f"{recording.paths[0]} is silent in every whole window; expected sound")
        parts = [
            self._embedder.embed(np.ascontiguousarray(heard[first : first + BATCH]))
            for first in range(0, len(heard), BATCH)
        ]
        return np.concatenate(parts).astype(np.float16)
