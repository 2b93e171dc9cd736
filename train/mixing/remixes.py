"""Songs that nobody sang: voices over other accompaniments, at other levels, speeds and pitches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train import augment
from train.data.decode import RATE_HZ
from train.data.songs import Songs

CHANCES = ("speed", "pitch", "equaliser", "filter", "room", "noise", "codec")
"""Of what is done to a clip."""


@dataclass(frozen=True)
class RemixConfig:
    """How a clip is put together.

    Attributes
    ----------
    seconds : float
        Its length.
    own : float
        Chance that a voice keeps its own accompaniment, in time; else that is of any song.
    voice_only, music_only : float
        Chances that the other is silent.
    voice_db : tuple of float
        Least and most level of the voice re the accompaniment, by active levels.
    level_db : tuple of float
        Least and most active level of the mixture re full scale, as far as its peak allows.
    speed, pitch, equaliser, filter, room, noise, codec : float
        Chances; of each stem by itself, but for noise, which is the accompaniment's, and the codec, the mixture's.
    equaliser_db : float
        At most, up or down.
    noise_db : tuple of float
        Least and most level of the noise re the accompaniment.
    speed_factor : tuple of float
    pitch_semitones : float
        At most, up or down.
    """

    seconds: float = 4.0
    own: float = 0.1
    voice_only: float = 0.05
    music_only: float = 0.1
    voice_db: tuple[float, float] = (-8.0, 8.0)
    level_db: tuple[float, float] = (-40.0, -6.0)
    speed: float = 0.8
    pitch: float = 0.1
    equaliser: float = 0.7
    filter: float = 0.2
    room: float = 0.1
    noise: float = 0.3
    codec: float = 0.05
    equaliser_db: float = 10.0
    noise_db: tuple[float, float] = (-50.0, -25.0)
    speed_factor: tuple[float, float] = (0.72, 1.38)
    pitch_semitones: float = 3.0

    def __post_init__(self) -> None:
        shares = ("own", "voice_only", "music_only", *CHANCES)
        if wrong := [name for name in shares if not 0 <= getattr(self, name) <= 1]:
            raise ConfigError(f"{wrong[0]} is {getattr(self, wrong[0])}; expected a chance, 0 to 1")
        ranges = ("voice_db", "level_db", "noise_db", "speed_factor")
        if wrong := [name for name in ranges if getattr(self, name)[0] > getattr(self, name)[1]]:
            raise ConfigError(
                f"{wrong[0]} is {getattr(self, wrong[0])}; expected the least first, then the most"
            )
        if self.speed_factor[0] <= 0 or min(self.equaliser_db, self.pitch_semitones) < 0:
            raise ConfigError(
                f"speed_factor is {self.speed_factor}, equaliser_db {self.equaliser_db:g}, pitch_semitones "
                f"{self.pitch_semitones:g}; expected speeds above 0, and no less than 0 of the others"
            )
        if self.seconds <= 0 or self.voice_only + self.music_only > 1:
            raise ConfigError(
                f"remixes have {self.seconds:g} s, {self.voice_only:g} voice alone, {self.music_only:g} music alone; "
                "expected more than 0 s, and shares of at most 1 together"
            )


@dataclass(frozen=True)
class Remix:
    """A mixture and what is in it, float32, shape (samples,) each.

    `mixture` is their sum, but for what a codec made of it.
    """

    mixture: Array
    voice: Array
    music: Array


class Remixes:
    """Makes remixes of songs.

    Parameters
    ----------
    songs : Songs
        At least one.
    config : RemixConfig
    """

    def __init__(self, songs: Songs, config: RemixConfig) -> None:
        if not len(songs):
            raise ConfigError(
                "there are no songs to learn from; expected at least one in the folds that are learnt: add songs"
            )
        self._songs, self._config = songs, config
        lengths = np.array([songs.length(n) for n in range(len(songs))], np.float64)
        self._weights = lengths / lengths.sum()
        self._samples = int(config.seconds * RATE_HZ)
        self._longest = int(self._samples * max(1.0, config.speed_factor[1])) + 1  # what a clip is made of

    def make(self, rng: np.random.Generator) -> Remix:
        """A new remix."""
        c = self._config
        aligned = rng.random() < c.own
        at = self._place(rng)
        voice = self._stem(rng, self._songs.voice, at, changed=not aligned)
        music = self._stem(rng, self._songs.music, at if aligned else self._place(rng), changed=not aligned)
        if aligned:
            voice, music = self._together(rng, voice, music)
        voice, music = (self._coloured(rng, stem) for stem in (voice, music))
        voice, music = self._levelled(rng, voice, music)
        mixture = voice + music
        if rng.random() < c.codec:
            codec = list(augment.CODECS)[rng.integers(len(augment.CODECS))]
            mixture = augment.clip(augment.transcode(mixture, codec, rng.uniform(0.3, 0.9)))
        return Remix(mixture, voice, music)

    def _place(self, rng: np.random.Generator) -> tuple[int, int]:
        """A song, and where in it, so that any sample is as likely; a short song's end is silence."""
        index = int(rng.choice(len(self._songs), p=self._weights))
        return index, int(rng.integers(max(1, self._songs.length(index) - self._longest)))

    def _stem(
        self,
        rng: np.random.Generator,
        read: Callable[[int, int, int], Array],
        place: tuple[int, int],
        changed: bool,
    ) -> Array:
        stem = read(*place, self._longest)
        return augment.fit_length(self._performed(rng, stem), self._samples) if changed else stem

    def _together(self, rng: np.random.Generator, voice: Array, music: Array) -> tuple[Array, Array]:
        """Both faster or slower alike."""
        changes = rng.random() < self._config.speed
        factor = rng.uniform(*self._config.speed_factor) if changes else 1.0
        voice, music = (augment.change_speed(stem, factor) if changes else stem for stem in (voice, music))
        return augment.fit_length(voice, self._samples), augment.fit_length(music, self._samples)

    def _performed(self, rng: np.random.Generator, stem: Array) -> Array:
        c = self._config
        if rng.random() < c.speed:
            return augment.change_speed(stem, rng.uniform(*c.speed_factor))
        if rng.random() < c.pitch:
            return augment.change_pitch(stem, rng.uniform(-c.pitch_semitones, c.pitch_semitones))
        return stem

    def _coloured(self, rng: np.random.Generator, stem: Array) -> Array:
        if rng.random() < self._config.equaliser:
            stem = augment.equalise(rng, stem, self._config.equaliser_db)
        if rng.random() < self._config.filter:
            stem = augment.random_filter(rng, stem)
        return augment.reverberate(rng, stem) if rng.random() < self._config.room else stem

    def _levelled(self, rng: np.random.Generator, voice: Array, music: Array) -> tuple[Array, Array]:
        c = self._config
        alone = rng.random()
        if alone < c.voice_only:
            music = np.zeros_like(music)
        elif alone < c.voice_only + c.music_only:
            voice = np.zeros_like(voice)
        voice, music = augment.set_level(voice, rng.uniform(*c.voice_db)), augment.set_level(music, 0.0)
        if rng.random() < c.noise:
            music = augment.add_noise(rng, music, rng.uniform(*c.noise_db))
        scale = augment.db_to_amplitude(rng.uniform(*c.level_db)) / max(
            augment.active_level(voice + music), 1e-9
        )
        scale = min(scale, 1.0 / max(float(np.abs(voice + music).max()), 1e-9))  # a clipped sum would be none
        return voice * np.float32(scale), music * np.float32(scale)
