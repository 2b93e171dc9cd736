"""Songs with separate stems for voice and accompaniment, which separation is trained and measured on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from streamer.arrays import Array
from train.data.cache import Skipped, SoundCache
from train.data.decode import RATE_HZ, ClipError, read_sound
from train.data.recordings import Recording

MAX_LENGTH_DIFFERENCE_S = 0.05
"""Largest difference between the lengths of a song's stems, in seconds; above it the stems cannot be aligned."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Song:
    """A song that is known as two recordings: a voice and its accompaniment, the stems.

    Attributes
    ----------
    voice, music : Recording
        Recordings of the two stems, both of the same fold.
    name : str
        Title of the song, unique within its data set.
    artist : str
        Person who sings or speaks.
    aligned : bool
        Whether both stems are of one performance, sample-aligned. Otherwise the song ends with the shorter stem, and
        the voice is scaled to the power of the accompaniment, as in MIR-1K.
    """

    voice: Recording
    music: Recording
    name: str
    artist: str
    aligned: bool = True

    @property
    def source(self) -> str:
        """Name of the data set that the voice belongs to."""
        return self.voice.source

    @property
    def fold(self) -> int:
        """Fold of both stems, 1 to 5."""
        return self.voice.fold


class Songs:
    """Keeps the stems of usable songs on disk, at 16 kHz and mono.

    Parameters
    ----------
    songs : iterable of Song
        Songs to keep. Those that cannot be used are skipped, and logged.
    folder : Path
        Folder of all caches.

    Attributes
    ----------
    songs : tuple of Song
        Usable songs, in the order given.
    skipped : tuple of Skipped
        Songs whose stems are not aligned, each with the reason. Stems that cannot be read are in ``skipped`` of
        `caches`.
    caches : tuple of SoundCache
        Two caches: of all voices and of all accompaniments.
    """

    def __init__(self, songs: Iterable[Song], folder: Path) -> None:
        given = tuple(songs)
        voices, music = (SoundCache([getattr(s, part) for s in given], folder) for part in ("voice", "music"))
        self.caches = voices, music
        # A recording may be the stem of several songs, so songs find their stems in the caches by index.
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
        """Return the number of samples of the song with an index: the length of its shorter stem."""
        voice, music = self._places[self.songs[index]]
        return min(self.caches[0].length(voice), self.caches[1].length(music))

    def voice(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Return the samples of a song's voice from `first` on, float32; for arguments see `SoundCache.samples`."""
        return self._samples(0, index, first, count) * np.float32(self._gain(index))

    def music(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Return the samples of a song's accompaniment, the sum of its files, from `first` on; see `voice`."""
        files = len(self.songs[index].music.paths)  # the cache holds their mean, the song their sum
        return self._samples(1, index, first, count) * files

    def _samples(self, stem: int, index: int, first: int, count: int | None) -> Array:
        left = max(0, self.length(index) - first)
        taken = left if count is None else min(count, left)
        return self.caches[stem].samples(self._places[self.songs[index]][stem], first, taken)

    def _gain(self, index: int) -> float:
        """Return the factor for a song's voice."""
        if self.songs[index].aligned:
            return 1.0
        if index not in self._gains:
            self._gains[index] = _level_gain(self._samples(0, index, 0, None), self.music(index))
        return self._gains[index]

    def _unaligned(self, song: Song) -> str:
        """Return why the stems cannot belong to one song, or an empty string if they can."""
        formats = {path: form for path in song.voice.paths + song.music.paths if (form := _format_of(path))}
        if len(set(formats.values())) > 1:
            found = ", ".join(f"{path} has {form}" for path, form in formats.items())
            return f"its stems differ in form: {found}; expected one form"
        lengths = [cache.length(place) for cache, place in zip(self.caches, self._places[song], strict=True)]
        if song.aligned and abs(lengths[0] - lengths[1]) > MAX_LENGTH_DIFFERENCE_S * RATE_HZ:
            voice_s, music_s = (length / RATE_HZ for length in lengths)
            return (
                f"its voice lasts {voice_s:.2f} s and its accompaniment {music_s:.2f} s; expected one length"
            )
        return ""


@dataclass(frozen=True)
class SongStems:
    """The true stems of a song, as they are on disk, against which estimated stems are measured.

    Attributes
    ----------
    voice, music : float32 array, shape (samples, channels)
        True voice and accompaniment; full scale is -1 to 1.
    rate_hz : int
        Sample rate of the sound, in hertz.
    """

    voice: Array
    music: Array
    rate_hz: int


def read_stems(song: Song) -> SongStems:
    """Return the stems of a song at the rate and with the channels of their files.

    Raises
    ------
    ClipError
        If a file cannot be read, or the files differ in rate or channels.
    """
    voice, music = ([read_sound(*file) for file in stem.files] for stem in (song.voice, song.music))
    forms = {(sound.shape[1], rate_hz) for sound, rate_hz in voice + music}
    if len(forms) > 1:
        found = ", ".join(f"{channels} channels at {rate_hz} Hz" for channels, rate_hz in sorted(forms))
        raise ClipError(f"{song.source} {song.name} has stems of {found}; expected one form")
    samples = min(len(sound) for sound, _ in voice + music)
    voice_sum = _sum([sound[:samples] for sound, _ in voice])
    music_sum = _sum([sound[:samples] for sound, _ in music])
    if not song.aligned:
        voice_sum *= _level_gain(voice_sum, music_sum)
    return SongStems(voice_sum, music_sum, voice[0][1])


def songs_of_folds(songs: Sequence[Song], folds: Sequence[int]) -> list[Song]:
    """Return those of `songs`, in their order, that are in one of `folds`."""
    return [song for song in songs if song.fold in folds]


def _sum(sounds: Sequence[Array]) -> Array:
    total: Array = np.stack(sounds).sum(axis=0, dtype=np.float32)
    return total


def _level_gain(voice: Array, music: Array) -> float:
    """Return the factor that brings a voice to the power of its accompaniment; 1 where either is silent."""
    powers = [float(np.mean(np.square(stem, dtype=np.float64))) for stem in (voice, music)]
    return float(np.sqrt(powers[1] / powers[0])) if min(powers) > 0 else 1.0


def _format_of(path: Path) -> str:
    """Return the sample rate and channels of a file in words; empty where libsndfile cannot tell."""
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return ""
    return f"{info.samplerate} Hz and {info.channels} channels"
