"""Music of GTZAN's mel file, put into scenes: many more pieces than there is sound of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.music_front_end import DB, DEVIATION_DB
from streamer.arrays import Array
from train.data.sets.gtzan_mels import MelTracks
from train.mixing.scenes import IGNORE, MIN_AUDIBLE_DB, MUSIC

FLOOR = 80.0 / DB
"""How far below a track's loudest band the file goes, as a natural logarithm of power."""
STEP = 0.036
"""Rounding of the file, in a track's deviations."""
RMS_DB = -22.5
"""From the mean power in the bands of music to its level re full scale; 0.3 dB is its deviation over GTZAN's tracks."""
OVER_DB = (-13.0, 17.0)
"""Of the music re what else sounds in its place."""
ALONE_DB = (-50.0, -6.0)
"""Of the music re full scale where nothing else does."""


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
        self._audible_db = audible_db

    def mix_into(self, rng: np.random.Generator, frames: Array, labels: Array, wait_steps: int) -> None:
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
            own_db, over_db = level_db(place), rng.uniform(*OVER_DB)
            alone = own_db < MIN_AUDIBLE_DB
            music_db = rng.uniform(*ALONE_DB) if alone else own_db + over_db
            place[:] = np.logaddexp(place, clip + np.float32((music_db - level_db(clip)) / DB))
            audible = alone or (over_db >= self._audible_db and music_db >= MIN_AUDIBLE_DB)
            heard = steps[first : first + length + wait_steps]
            heard[:length] = MUSIC if audible else IGNORE
            heard[:wait_steps] = IGNORE
            heard[length:] = IGNORE


def level_db(frames: Array) -> float:
    """Level re full scale of what log-mel frames are of; right for music, too high by some 4 dB for white noise."""
    return DB * float(np.log(np.exp(frames).mean())) + RMS_DB


def match_file_precision(frames: Array) -> Array:
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
