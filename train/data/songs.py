"""Songs whose voice and accompaniment are known apart: what separation is learnt from and measured on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from streamer.arrays import Array
from train.data.cache import Skipped, SoundCache
from train.data.decode import RATE_HZ, ClipError, read
from train.data.recordings import Recording

UNEQUAL_S = 0.05
"""Stems of one song whose lengths differ by more are not aligned."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Song:
    """A voice and its accompaniment.

    Attributes
    ----------
    voice, music : Recording
        Of one fold.
    name, artist : str
        What the song is called, unique within its source, and whose voice it is.
    together : bool
        Whether both are of one performance, sample-aligned. Else their lengths may differ, and the shorter ends the
        song; so may their levels, and the voice is put at the accompaniment's, as in MIR-1K.
    """

    voice: Recording
    music: Recording
    name: str
    artist: str
    together: bool = True

    @property
    def source(self) -> str:
        """The data set, the voice's."""
        return self.voice.source

    @property
    def fold(self) -> int:
        """1 to 5."""
        return self.voice.fold


class Songs:
    """The songs that can be used, at 16 kHz, mono.

    Parameters
    ----------
    songs : iterable of Song
    folder : Path
        Where caches live.

    Attributes
    ----------
    songs : tuple of Song
        Those that can be used, in the order given.
    skipped : tuple of Skipped
        The others, and why.
    caches : tuple of SoundCache
        Voices and accompaniments.
    """

    def __init__(self, songs: Iterable[Song], folder: Path) -> None:
        given = tuple(songs)
        voices, music = (SoundCache([getattr(s, part) for s in given], folder) for part in ("voice", "music"))
        self.caches = voices, music
        voice_at, music_at = ({r: n for n, r in enumerate(cache.recordings)} for cache in self.caches)
        whole = [song for song in given if song.voice in voice_at and song.music in music_at]
        self._places = {song: (voice_at[song.voice], music_at[song.music]) for song in whole}
        unaligned = {song: reason for song in whole if (reason := self._unaligned(song))}
        for song, reason in unaligned.items():
            _log.warning("skipped %s %s: %s", song.source, song.name, reason)
        self._gains: dict[int, float] = {}
        self.songs = tuple(song for song in whole if song not in unaligned)
        self.skipped = tuple(Skipped(song.source, song.name, reason) for song, reason in unaligned.items())

    def __len__(self) -> int:
        return len(self.songs)

    def length(self, index: int) -> int:
        """Samples of both stems of a song."""
        voice, music = self._places[self.songs[index]]
        return min(self.caches[0].length(voice), self.caches[1].length(music))

    def voice(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Part of a song's voice; arguments and result as of `SoundCache.samples`."""
        return self._part(0, index, first, count) * np.float32(self._gain(index))

    def music(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Part of a song's accompaniment, the sum of its stems; as `voice`."""
        files = len(self.songs[index].music.paths)  # what is kept is their mean
        return self._part(1, index, first, count) * files

    def _part(self, stem: int, index: int, first: int, count: int | None) -> Array:
        left = max(0, self.length(index) - first)
        taken = left if count is None else min(count, left)
        return self.caches[stem].samples(self._places[self.songs[index]][stem], first, taken)

    def _gain(self, index: int) -> float:
        """What a song's voice is multiplied by."""
        if self.songs[index].together:
            return 1.0
        if index not in self._gains:
            self._gains[index] = _level_gain(self._part(0, index, 0, None), self.music(index))
        return self._gains[index]

    def _unaligned(self, song: Song) -> str:
        """Why the stems cannot be of one song; empty if they can."""
        forms = {path: form for path in song.voice.paths + song.music.paths if (form := _form(path))}
        if len(set(forms.values())) > 1:
            said = ", ".join(f"{path} has {form}" for path, form in forms.items())
            return f"its stems are of unlike form: {said}; expected one"
        lengths = [cache.length(place) for cache, place in zip(self.caches, self._places[song], strict=True)]
        if song.together and abs(lengths[0] - lengths[1]) > UNEQUAL_S * RATE_HZ:
            voice_s, music_s = (length / RATE_HZ for length in lengths)
            return (
                f"its voice lasts {voice_s:.2f} s and its accompaniment {music_s:.2f} s; expected one length"
            )
        return ""


@dataclass(frozen=True)
class SongStems:
    """A song's stems as they are on disk: the truth that estimates are measured against.

    Attributes
    ----------
    voice, music : float32 array, shape (samples, channels)
    rate_hz : int
    """

    voice: Array
    music: Array
    rate_hz: int


def read_stems(song: Song) -> SongStems:
    """The stems of a song at their own rate, with their own channels.

    Raises
    ------
    ClipError
        If one cannot be read, or they are of unlike form.
    """
    voice, music = ([read(*file) for file in stem.files] for stem in (song.voice, song.music))
    forms = {(sound.shape[1], rate_hz) for sound, rate_hz in voice + music}
    if len(forms) > 1:
        found = ", ".join(f"{channels} channels at {rate_hz} Hz" for channels, rate_hz in sorted(forms))
        raise ClipError(f"{song.source} {song.name} has stems of {found}; expected one form")
    samples = min(len(sound) for sound, _ in voice + music)
    whole = [
        np.sum([sound[:samples] for sound, _ in part], axis=0, dtype=np.float32) for part in (voice, music)
    ]
    if not song.together:
        whole[0] *= np.float32(_level_gain(*whole))
    return SongStems(whole[0], whole[1], voice[0][1])


def songs_of_folds(songs: Sequence[Song], folds: Sequence[int]) -> list[Song]:
    """The songs of some folds."""
    return [song for song in songs if song.fold in folds]


def _level_gain(voice: Array, music: Array) -> float:
    """What brings a voice to the power of its accompaniment; 1 where either is silent."""
    powers = [float(np.mean(np.square(stem, dtype=np.float64))) for stem in (voice, music)]
    return float(np.sqrt(powers[1] / powers[0])) if min(powers) > 0 else 1.0


def _form(path: Path) -> str:
    """Sample rate and channels of a file in words; empty where libsndfile does not know them."""
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return ""
    return f"{info.samplerate} Hz and {info.channels} channels"
