"""Music of GTZAN's mel file, put into scenes: many more pieces than there is sound of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.music_front_end import DB, DEVIATION_DB
from streamer.stage import Array
from train.data.gtzan_mels import MelTracks
from train.data.scenes import IGNORE, MUSIC

FLOOR = 80.0 / DB
"""How far below a track's loudest band the file goes, as a natural logarithm of power."""
STEP = 0.036
"""Rounding of the file, in a track's deviations."""
OVER = (-3.0, 4.0)
"""Of the music re what else is in the scene, as natural logarithms of power: -13 to 17 dB."""


class MelMusic:
    """Puts clips of the file into scenes of frames.

    Parameters
    ----------
    mels : MelTracks
    folds : sequence of int
        Of five: the tracks that may be taken.
    bands : int
        The lowest ones, those of `models.music_front_end`.
    audible_db : float
        Music with other sound counts as music from this level re that sound on; below it is ignored.
    """

    def __init__(self, mels: MelTracks, folds: Sequence[int], bands: int, audible_db: float) -> None:
        rows = np.flatnonzero(np.isin(mels.fold, folds))
        self._clips = mels.frames(rows)[:, :, :bands] * np.float32(DEVIATION_DB / DB)
        self._audible = audible_db / DB

    def put_into(self, rng: np.random.Generator, frames: Array, labels: Array, wait_steps: int) -> None:
        """Put a clip at a random place of each scene, in place.

        Parameters
        ----------
        rng : Generator
        frames : float32 array, shape (scenes, frames, bands)
        labels : int8 array, shape (scenes, steps)
        wait_steps : int
            Not learnt from after a change.
        """
        hop_frames = frames.shape[1] // labels.shape[1]
        length = min(self._clips.shape[1] // hop_frames, labels.shape[1])
        for scene, steps in zip(frames, labels, strict=True):
            clip = self._clips[rng.integers(len(self._clips)), : length * hop_frames]
            first = int(rng.integers(len(steps) - length + 1))
            place = scene[first * hop_frames : (first + length) * hop_frames]
            over = rng.uniform(*OVER)
            place[:] = np.logaddexp(place, clip + np.float32(place.mean() - clip.mean() + over))
            heard = steps[first : first + length + wait_steps]
            heard[:length] = MUSIC if over >= self._audible else IGNORE
            heard[:wait_steps] = IGNORE
            heard[length:] = IGNORE


def as_filed(frames: Array) -> Array:
    """Frames with the floor and the rounding that the file has, so that nothing but music tells its clips apart.

    Parameters
    ----------
    frames : float32 array, shape (scenes, frames, bands)

    Returns
    -------
    float32 array, shape of `frames`
    """
    loudest = frames.max(axis=(1, 2), keepdims=True)
    floored = np.maximum(frames, loudest - np.float32(FLOOR))
    mean = floored.mean(axis=(1, 2), keepdims=True)
    step = np.maximum(floored.std(axis=(1, 2), keepdims=True) * np.float32(STEP), np.float32(1e-6))
    rounded: Array = np.round((floored - mean) / step) * step + mean
    return rounded
