"""The first seconds of GTZAN's tracks, of its mel file, as images for networks that see a clip at once."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from streamer.arrays import Array
from train.data.cache import Skipped
from train.data.sets.gtzan.gtzan_mels import MelTracks


class GtzanImages:
    """Images of the tracks of some folds; see `train.mixing.mel_images.ImageSet`.

    Parameters
    ----------
    tracks : MelTracks
        Tracks of the mel file.
    folds : collection of int
        Folds, 1 to 10, that are wanted.
    """

    skipped: tuple[Skipped, ...] = ()

    def __init__(self, tracks: MelTracks, folds: Collection[int]) -> None:
        self._tracks = tracks
        self._rows = np.flatnonzero(np.isin(tracks.ten_fold, list(folds)))
        self.names = [f"gtzan_mels/{row}" for row in self._rows]
        self.categories = [tracks.genres[genre] for genre in tracks.genre[self._rows]]
        self.folds = tracks.ten_fold[self._rows].tolist()
        self.digest = f"{tracks.digest} {sorted(folds)}"

    def __len__(self) -> int:
        return len(self._rows)

    def image(self, index: int) -> Array:
        """Return the image of a track, z-scores, float32, shape (bands, frames)."""
        row = self._rows[index]
        image: Array = self._tracks.mel[row].astype(np.float32) * np.float32(self._tracks.scale)
        return image
