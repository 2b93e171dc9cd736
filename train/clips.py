"""Clips by the names that predictions have for them, ``SOURCE/NAME``, out of the data sets at hand."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from streamer.errors import ConfigError
from streamer.stage import Array
from train.data.decode import FULL_SCALE, decode
from train.data.recordings import Recording

DATA_SETS: Mapping[str, str] = MappingProxyType(
    {name: f"train.data.{name}" for name in ("esc50", "gtzan", "music_speech", "mir1k", "speech", "fma")}
)
"""A clip's source to the module whose ``recordings(root)`` finds it."""


class Clips:
    """Looks clips up; each data set is read once.

    Parameters
    ----------
    data : Path
        Folder of the data sets.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._recordings = lru_cache(self._read_recordings)

    def find(self, clip: str) -> Recording:
        """The recording of a clip.

        Raises
        ------
        ConfigError
            If its data set is not at hand or has no such clip, or has no sound at all.
        """
        source, _, name = clip.partition("/")
        found = self._recordings(source).get(name)
        if found is None:
            raise ConfigError(f"{self._data} has no clip {clip}; expected the data that it was evaluated on")
        return found

    def sound(self, clip: str) -> Array:
        """Its samples, float32, shape (samples,), 16 kHz.

        Raises
        ------
        ConfigError
            As `find`.
        ClipError
            If its sound cannot be read.
        """
        return decode(self.find(clip)).astype(np.float32) / np.float32(FULL_SCALE)

    def _read_recordings(self, source: str) -> dict[str, Recording]:
        if source not in DATA_SETS:
            raise ConfigError(f"{source} is no data set with sound; expected one of {', '.join(DATA_SETS)}")
        found = importlib.import_module(DATA_SETS[source]).recordings(self._data)
        return {recording.name: recording for recording in found}
