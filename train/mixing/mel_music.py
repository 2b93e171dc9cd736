"""Mixes music of GTZAN's mel file into scenes: the file has many more pieces than there is sound of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.front_ends import DB, DEVIATION_DB
from streamer.arrays import Array
from train.data.sets.gtzan.gtzan_mels import MelTracks
from train.mixing.presence import IGNORE, NAMES, OTHER, PRESENT, drowned
from train.mixing.scenes import MIN_AUDIBLE_DB

FLOOR = 80.0 / DB
"""Difference between the loudest and the softest value of a track in the mel file, as a natural logarithm of power."""
STEP = 0.036
"""Step to which values of the mel file are rounded, in standard deviations of a track."""
RMS_DB = -22.5
"""Difference, in dB, between the level of music re full scale and the mean power in its bands. The difference varies by
0.3 dB over GTZAN's tracks."""
OVER_DB = (-13.0, 17.0)
"""Lowest and highest level of the music re other sound in its place."""
ALONE_DB = (-50.0, -6.0)
"""Lowest and highest level of the music re full scale where there is no other sound."""
MUSIC, SINGING = NAMES.index("music"), NAMES.index("singing")


class MelMusic:
    """Mixes music from GTZAN's mel file into scenes of log-mel frames.

    Parameters
    ----------
    mels : MelTracks
        Tracks of the mel file.
    folds : sequence of int
        Folds, 1 to 5, whose tracks are used.
    bands : int
        Number of bands, counted from the lowest: those of `models.front_ends`.
    audible_db : float
        Level re other sound from which music counts as music. Below it the label is ignored.
    """

    def __init__(self, mels: MelTracks, folds: Sequence[int], bands: int, audible_db: float) -> None:
        rows = np.flatnonzero(np.isin(mels.fold, folds))
        self._clips = mels.frames(rows)[:, :, :bands] * np.float32(DEVIATION_DB / DB)
        self._audible_db = audible_db

    def mix_into(self, rng: np.random.Generator, frames: Array, present: Array, wait_steps: int) -> None:
        """Mix a clip of music into each scene at a random position; `frames` and `present` are changed in place.

        Nobody has said where somebody sings in a clip, so nothing is learnt about singing there, but where somebody
        sings in the scene.

        Parameters
        ----------
        rng : Generator
            Generator of everything random.
        frames : float32 array, shape (scenes, frames, bands)
            Log-mel frames of scenes.
        present : int8 array, shape (scenes, steps, 3)
            Labels of music, speech and singing, as in `train.mixing.presence`.
        wait_steps : int
            Number of steps after the start and the end of the clip whose labels become `IGNORE`.
        """
        hop_frames = frames.shape[1] // present.shape[1]
        length = min(self._clips.shape[1] // hop_frames, present.shape[1])
        for scene, steps in zip(frames, present, strict=True):
            clip = self._clips[rng.integers(len(self._clips)), : length * hop_frames]
            first = int(rng.integers(len(steps) - length + 1))
            place = scene[first * hop_frames : (first + length) * hop_frames]
            other_db, over_db = level_db(place), rng.uniform(*OVER_DB)
            alone = other_db < MIN_AUDIBLE_DB
            music_db = rng.uniform(*ALONE_DB) if alone else other_db + over_db
            # Frames are logarithms of power, and powers of unrelated sounds add up.
            place[:] = np.logaddexp(place, clip + np.float32((music_db - level_db(clip)) / DB))
            audible = alone or (over_db >= self._audible_db and music_db >= MIN_AUDIBLE_DB)
            changed = steps[first : first + length + wait_steps]
            _label(changed[:length], audible, hides_other=over_db > -self._audible_db)
            changed[:wait_steps] = changed[length:] = IGNORE


def _label(present: Array, audible: bool, hides_other: bool) -> None:
    """Label the steps of a clip of music, shape (steps, 3), in place, given the labels of the sound that it joins."""
    if hides_other:
        present[:] = drowned(present)
    present[:, MUSIC] = PRESENT if audible else IGNORE
    present[:, SINGING][present[:, SINGING] == OTHER] = IGNORE


def level_db(frames: Array) -> float:
    """Return the level, in dB re full scale, of the sound whose log-mel frames are given.

    It is an estimate from the mean power over frames and bands. It is right for music, and some 4 dB too high for white
    noise.

    Parameters
    ----------
    frames : float32 array, shape (frames, bands)
        Natural logarithms of power.
    """
    return DB * float(np.log(np.exp(frames).mean())) + RMS_DB


def match_file_precision(frames: Array) -> Array:
    """Return frames with the dynamic range and the rounding of the mel file.

    Otherwise a model could recognise the clips of the file by their precision instead of by their music.

    Parameters
    ----------
    frames : float32 array, shape (scenes, frames, bands)
        Log-mel frames of scenes.

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
