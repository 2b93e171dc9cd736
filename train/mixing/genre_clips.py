"""Clips of GTZAN's tracks with their genres: the mel file's first seconds, and cuts from sound that is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.front_ends import DB, DEVIATION_DB
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.errors import ConfigError
from train.data.features import FeatureCache
from train.data.sets.gtzan import gtzan, gtzan_mels, gtzan_snippets
from train.data.sets.gtzan.gtzan_mels import MelTracks
from train.loop.folds import HoldsOut
from train.loop.run import DataUsed, data_used
from train.mixing.clip_variations import FRAMES

MEAN_DB = -46.0
"""Mean level of tracks, which is not in the mel file. Its exact value does not matter: models remove the level."""


def frames_of_mels(tracks: MelTracks, rows: Array, bands: int) -> Array:
    """Return tracks of the mel file on the scale of the front end's frames, float32, shape (rows, FRAMES, bands).

    The file does not have the level of a track, and its range only to about a tenth.
    """
    return (tracks.frames(rows)[:, :FRAMES, :bands] * DEVIATION_DB + MEAN_DB) / np.float32(DB)


class GenreClips:
    """Clips to learn genres from, of the folds that a run does not hold out, and its validation fold.

    Parameters
    ----------
    config : HoldsOut
        Configuration of the run, which names the folds of ten that it holds out.
    front_end : LogMelConfig
        Front end that frames of sound are computed by.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    whole_tracks, snippets : float
        Shares of a batch that are cut from random places of whole tracks, and taken from cut-outs of tracks
        (`train.data.sets.gtzan.gtzan_snippets`); the rest is the mel file's.

    Attributes
    ----------
    mels : MelTracks
        Mel file.
    labels : tuple of str
        Names of the genres.
    learnt : int array
        Numbers of the mel file's tracks that are learnt from.
    tracks, snippets : FeatureCache
        Whole tracks and cut-outs that are learnt from.

    Raises
    ------
    ConfigError
        If a genre has no tracks, or cut-outs are wanted and there are none, in the folds that are learnt from.
    """

    def __init__(
        self,
        config: HoldsOut,
        front_end: LogMelConfig,
        data: Path,
        cache: Path,
        whole_tracks: float,
        snippets: float = 0.0,
    ) -> None:
        self._config, self._bands = config, front_end.mel_bands
        self._whole_tracks, self._cut_outs = whole_tracks, snippets
        self.mels = gtzan_mels.load(data)
        self.labels = self.mels.genres
        self._frames = frames_of_mels(self.mels, np.arange(len(self.mels)), self._bands)
        self.learnt = np.flatnonzero(np.isin(self.mels.ten_fold, config.learnt_folds))
        absent = [name for n, name in enumerate(self.labels) if n not in self.mels.genre[self.learnt]]
        if absent:
            raise ConfigError(
                f"gtzan/mels.npz has no tracks of {', '.join(absent)} in folds {self._folds}; expected some of each of "
                "its genres: complete it"
            )
        kept = {
            name
            for name, fold in zip(self.mels.audio, self.mels.ten_fold, strict=True)
            if fold in config.learnt_folds
        }
        tracks = [r for r in gtzan.recordings(data) if r.name in kept]
        self.tracks = FeatureCache(tracks, cache, LogMel(front_end))
        cut_outs = gtzan_snippets.recordings(data, self.mels) if snippets else []
        learnt = [r for r in cut_outs if gtzan_snippets.ten_fold(r) in config.learnt_folds]
        self.snippets = FeatureCache(learnt, cache, LogMel(front_end))
        if snippets and not len(self.snippets):
            raise ConfigError(
                f"gtzan/snippets has no usable cut-outs in folds {self._folds}; expected some: complete it, or learn "
                "without, by --set snippets=0"
            )

    @property
    def _folds(self) -> str:
        return ", ".join(map(str, self._config.learnt_folds))

    def data_used(self) -> DataUsed:
        """Return the description of all clips, for ``environment.json``."""
        return data_used(self.tracks, self.snippets, self.mels)

    def learnt_frames(self) -> tuple[Array, Array]:
        """Return the mel file's clips that are learnt from, (clips, FRAMES, bands), and the number of their genres."""
        return self._frames[self.learnt], self.mels.genre[self.learnt]

    def frames_of(self, fold: int) -> tuple[Array, Array]:
        """Return the mel file's clips of a fold, (clips, FRAMES, bands), and the number of their genres."""
        rows = np.flatnonzero(self.mels.ten_fold == fold)
        return self._frames[rows], self.mels.genre[rows]

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Array, Array]:
        """Return random clips to learn from, as they are.

        Returns
        -------
        frames : float32 array, shape (size, FRAMES, bands)
            Frames on the scale of the front end.
        genres : int array, shape (size,)
            Number of each clip's genre in `labels`.
        """
        whole = round(size * self._whole_tracks) if len(self.tracks) else 0
        cut = round(size * self._cut_outs)
        rows = self.learnt[rng.integers(len(self.learnt), size=size - whole - cut)]
        sounds = [
            self.cut(rng, cache)
            for cache, count in ((self.tracks, whole), (self.snippets, cut))
            for _ in range(count)
        ]
        frames = np.concatenate([self._frames[rows], *(clip[None] for clip, _ in sounds)])
        return frames, np.array([*self.mels.genre[rows], *(genre for _, genre in sounds)])

    def cut(self, rng: np.random.Generator, cache: FeatureCache) -> tuple[Array, int]:
        """Return a clip of FRAMES frames from a random place of a random recording, and its genre.

        A recording that is shorter than a clip is repeated.
        """
        index = int(rng.integers(len(cache)))
        first = int(rng.integers(max(1, cache.length(index) - FRAMES + 1)))
        clip = cache.frames(index, first, FRAMES)
        repeated = np.take(clip, np.arange(FRAMES) % len(clip), axis=0)
        return repeated, self.labels.index(cache.recordings[index].category)
