"""Clips that bound what a generator can come to: held-out music, the same by the vocoder, and noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import offline
from streamer.errors import ConfigError
from train.data.cache import SoundCache
from train.data.sets.gtzan import gtzan, gtzan_mels
from train.generation.vocoder import frames_of_samples, linear_power, shaped_noise, vocode
from train.mixing.genre_clips import frames_of_mels


class HeldOutMusic:
    """Excerpts of the whole tracks of GTZAN that a run held out.

    Parameters
    ----------
    genres : sequence of str
        Genres that are wanted.
    fold : int
        Fold of ten that was held out.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a genre has no whole track in that fold.
    """

    def __init__(self, genres: Sequence[str], fold: int, data: Path, cache: Path) -> None:
        mels = gtzan_mels.load(data)
        names = {name for name, own in zip(mels.audio, mels.ten_fold, strict=True) if name and own == fold}
        tracks = [r for r in gtzan.recordings(data) if r.name in names and r.category in genres]
        self._sounds = SoundCache(tracks, cache)
        found = self._sounds.recordings
        self._by_genre = {
            genre: [place for place, track in enumerate(found) if track.category == genre] for genre in genres
        }
        if absent := [genre for genre, places in self._by_genre.items() if not places]:
            raise ConfigError(
                f"gtzan has no whole track of {', '.join(absent)} in fold {fold} of ten; expected one of each genre: "
                "train and judge with another --fold, such as 9"
            )

    def excerpts(self, genre: str, count: int, samples: int) -> Iterator[Array]:
        """Yield excerpts of so many samples of a genre's tracks in turn, from places spread evenly over each."""
        tracks = self._by_genre[genre]
        for number in range(count):
            track, place = tracks[number % len(tracks)], number // len(tracks)
            spare = max(0, self._sounds.length(track) - samples)
            of_track = -(-(count - number % len(tracks)) // len(tracks))
            yield self._sounds.samples(track, round(spare * place / max(1, of_track - 1)), samples)


def revocode(sound: Array, config: LogMelConfig, seed: int) -> Array:
    """Return a sound that only the log-mel frames of `sound` are left of, as `vocode` makes it."""
    wanted = frames_of_samples(config, len(sound))
    # The vocoder's frames are centred on their place, those of the front end begin there.
    before = np.zeros(config.window_samples // 2, np.float32)
    after = np.zeros(wanted * config.hop_samples + config.window_samples, np.float32)
    padded = np.concatenate([before, sound, after])
    return vocode(offline(LogMel(config), padded[None])[0, :wanted], config, len(sound), seed)


def mean_powers(
    genres: Sequence[str], folds: Sequence[int], config: LogMelConfig, data: Path
) -> Mapping[str, Array]:
    """Return the mean power of each frequency bin by genre, over the mel file's tracks of some folds of ten."""
    mels = gtzan_mels.load(data)
    powers = {}
    for genre in genres:
        rows = np.flatnonzero(np.isin(mels.ten_fold, folds) & (mels.genre == mels.genres.index(genre)))
        frames = frames_of_mels(mels, rows, config.mel_bands)
        mean = np.log(np.exp(frames.astype(np.float64)).mean((0, 1)))
        powers[genre] = linear_power(mean[None], config)[0]
    return powers


def noises(power: Array, count: int, samples: int) -> Iterator[Array]:
    """Yield noise with a mean spectrum, from the seeds 0, 1, 2 and so on."""
    for seed in range(count):
        yield shaped_noise(power, samples, np.random.default_rng(seed))
