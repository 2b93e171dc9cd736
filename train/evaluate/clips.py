"""Clips by the names that predictions have for them, ``SOURCE/NAME``, out of the data sets at hand."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.decode import FULL_SCALE, decode
from train.data.recordings import Recording
from train.data.sets import own_sounds
from train.data.sets.catalogue import DATA_SETS


def own_folder(run: Path) -> Path | None:
    """The folder of the user's own sounds that a run learnt from; None if it learnt from data sets."""
    path = run / "config.json"
    named = json.loads(path.read_text(encoding="utf-8")).get("data") if path.is_file() else None
    return Path(named) if named and named not in DATA_SETS else None


class Clips:
    """Looks clips up; each data set is read once.

    Parameters
    ----------
    data : Path
        Folder of the data sets.
    own : Path, optional
        A folder of folders of the user's own sounds; its name is their source.
    """

    def __init__(self, data: Path, own: Path | None = None) -> None:
        self._data = data
        self._sources = {name: source.read for name, source in DATA_SETS.items()}
        if own:
            self._sources[own.resolve().name] = lambda _: own_sounds.recordings(
                own, "sound"
            )  # told from one another by name
        self._recordings = lru_cache(self._read_recordings)

    def have_sound(self, clip: str) -> bool:
        """Whether a clip's source has sound, rather than features alone."""
        return clip.partition("/")[0] in self._sources

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
        if source not in self._sources:
            raise ConfigError(
                f"{source} is no data set with sound; expected one of {', '.join(self._sources)}"
            )
        return {recording.name: recording for recording in self._sources[source](self._data)}
