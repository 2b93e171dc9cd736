"""Look-up of clips in the data sets by the names that predictions use, ``SOURCE/NAME``."""

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
    """Return the folder of the user's own sounds that a run learnt from; None if it learnt from data sets.

    Tasks that learn from one collection name it by a text, those that learn from several by a list of data sets.
    """
    path = run / "config.json"
    named = json.loads(path.read_text(encoding="utf-8")).get("data") if path.is_file() else None
    return Path(named) if isinstance(named, str) and named and named not in DATA_SETS else None


class Clips:
    """Finds recordings of data sets by the names of clips, ``SOURCE/NAME``. Each data set is read once.

    Parameters
    ----------
    data : Path
        Folder of the data sets.
    own : Path, optional
        Folder of folders of the user's own sounds; the name of the folder is the source of these sounds.
    """

    def __init__(self, data: Path, own: Path | None = None) -> None:
        self._data = data
        self._sources = {name: source.read for name, source in DATA_SETS.items()}
        if own:
            self._sources[own.resolve().name] = lambda _: own_sounds.recordings(own, "sound")
        self._recordings = lru_cache(self._read_recordings)

    def have_sound(self, clip: str) -> bool:
        """Return whether the data set of a clip has sound, rather than only features."""
        return clip.partition("/")[0] in self._sources

    def find(self, clip: str) -> Recording:
        """Return the recording of the clip with a name, ``SOURCE/NAME``.

        Raises
        ------
        ConfigError
            If the clip's data set is absent, lacks the clip, or has no sound at all.
        """
        source, _, name = clip.partition("/")
        found = self._recordings(source).get(name)
        if found is None:
            raise ConfigError(f"{self._data} has no clip {clip}; expected the data that it was evaluated on")
        return found

    def sound(self, clip: str) -> Array:
        """Return the samples of the clip with a name, float32, shape (samples,), at 16 kHz.

        Raises
        ------
        ConfigError
            If `find` fails.
        ClipError
            If the sound of the clip cannot be read.
        """
        return decode(self.find(clip)).astype(np.float32) / np.float32(FULL_SCALE)

    def _read_recordings(self, source: str) -> dict[str, Recording]:
        if source not in self._sources:
            raise ConfigError(
                f"{source} is not a data set with sound; expected one of {', '.join(self._sources)}"
            )
        return {recording.name: recording for recording in self._sources[source](self._data)}
