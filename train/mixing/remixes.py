"""Remixes for training separation: voices over other accompaniments, at other levels, speeds and pitches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train import augment
from train.data.decode import RATE_HZ
from train.data.songs import Songs
from train.mixing.lone_stems import LoneStems

CHANCES = (
    "speed",
    "pitch",
    "doubled",
    "equaliser",
    "filter",
    "room",
    "noise",
    "compressed",
    "hot",
    "codec",
)
"""Fields of `RemixConfig` that are chances of a change."""


@dataclass(frozen=True)
class RemixConfig:
    """Settings of remixes, the training examples of the separation.

    Attributes
    ----------
    seconds : float
        Length of a remix.
    own : float
        Chance that a voice keeps the accompaniment of its own song, in time. Otherwise it gets the accompaniment of any
        song.
    lone_voice, lone_music : float
        Chance that a voice which does not keep its accompaniment is one of the lone voices of a run, and chance that
        the accompaniment of such a voice is one of the lone accompaniments; without these the chance has no effect.
    voice_only, music_only : float
        Chance that the accompaniment is silent, and chance that the voice is.
    voice_db : tuple of float
        Lowest and highest level of the voice re the accompaniment, by active levels.
    level_db : tuple of float
        Lowest and highest active level of the mixture re full scale, as far as its peak allows.
    speed, pitch, doubled, equaliser, filter, room, noise, compressed, hot, codec : float
        Chances of each change. Stems are changed independently, but only a voice is doubled, noise is added to the
        accompaniment alone, and the codec is applied to the mixture. A compressor and a limiter (`hot`) hear the
        mixture, and their gain is applied to both stems.
    equaliser_db : float
        Largest gain of the equaliser, up or down.
    noise_db : tuple of float
        Lowest and highest level of the noise re the accompaniment.
    speed_factor : tuple of float
        Lowest and highest factor of the speed.
    pitch_semitones : float
        Largest change of pitch, up or down.
    compressor_db, compressor_ratio : tuple of float
        Lowest and highest threshold of the compressor re the loudest sound, and lowest and highest ratio.
    drive_db : tuple of float
        Lowest and highest level of the mixture's peak re the limit.

    Raises
    ------
    ConfigError
        If a chance is outside 0 to 1, a range is reversed, or a size is negative.
    """

    seconds: float = 4.0
    own: float = 0.1
    lone_voice: float = 0.3
    lone_music: float = 0.5
    voice_only: float = 0.05
    music_only: float = 0.1
    voice_db: tuple[float, float] = (-8.0, 8.0)
    level_db: tuple[float, float] = (-40.0, -6.0)
    speed: float = 0.8
    pitch: float = 0.1
    doubled: float = 0.0
    equaliser: float = 0.7
    filter: float = 0.2
    room: float = 0.1
    noise: float = 0.3
    compressed: float = 0.0
    hot: float = 0.0
    codec: float = 0.05
    equaliser_db: float = 10.0
    noise_db: tuple[float, float] = (-50.0, -25.0)
    speed_factor: tuple[float, float] = (0.72, 1.38)
    pitch_semitones: float = 3.0
    compressor_db: tuple[float, float] = (-25.0, -10.0)
    compressor_ratio: tuple[float, float] = (2.0, 8.0)
    drive_db: tuple[float, float] = (0.0, 9.0)

    def __post_init__(self) -> None:
        shares = ("own", "lone_voice", "lone_music", "voice_only", "music_only", *CHANCES)
        if wrong := [name for name in shares if not 0 <= getattr(self, name) <= 1]:
            raise ConfigError(f"{wrong[0]} is {getattr(self, wrong[0])}; expected a chance, 0 to 1")
        ranges = (
            "voice_db",
            "level_db",
            "noise_db",
            "speed_factor",
            "compressor_db",
            "compressor_ratio",
            "drive_db",
        )
        if wrong := [name for name in ranges if getattr(self, name)[0] > getattr(self, name)[1]]:
            raise ConfigError(
                f"{wrong[0]} is {getattr(self, wrong[0])}; expected the least first, then the most"
            )
        if self.speed_factor[0] <= 0 or min(self.equaliser_db, self.pitch_semitones) < 0:
            raise ConfigError(
                f"speed_factor is {self.speed_factor}, equaliser_db {self.equaliser_db:g}, pitch_semitones "
                f"{self.pitch_semitones:g}; expected speeds above 0, and no less than 0 of the others"
            )
        if self.compressor_db[1] > 0 or self.compressor_ratio[0] < 1:
            raise ConfigError(
                f"compressor_db is {self.compressor_db}, compressor_ratio {self.compressor_ratio}; expected thresholds "
                "of at most 0, and ratios of at least 1"
            )
        if self.seconds <= 0 or self.voice_only + self.music_only > 1:
            raise ConfigError(
                f"remixes have {self.seconds:g} s, {self.voice_only:g} voice alone, {self.music_only:g} music alone; "
                "expected more than 0 s, and shares of at most 1 together"
            )


@dataclass(frozen=True)
class Remix:
    """A training example of the separation: a mixture and its true stems, each float32, shape (samples,).

    `mixture` is the sum of the stems, unless a codec changed it.
    """

    mixture: Array
    voice: Array
    music: Array


class Remixes:
    """Makes remixes: voices over accompaniments of the same or other songs, at other levels, speeds and pitches.

    Parameters
    ----------
    songs : Songs
        Songs to draw stems from.
    config : RemixConfig
        Settings of the remixes.
    voices, accompaniments : LoneStems or None
        Lone voices and lone accompaniments to draw from as well.

    Raises
    ------
    ConfigError
        If there are no songs.
    """

    def __init__(
        self,
        songs: Songs,
        config: RemixConfig,
        voices: LoneStems | None = None,
        accompaniments: LoneStems | None = None,
    ) -> None:
        if not len(songs):
            raise ConfigError(
                "there are no songs to learn from; expected at least one in the folds that are learnt: add songs"
            )
        self._songs, self._config = songs, config
        self._voices, self._accompaniments = voices, accompaniments
        lengths = np.array([songs.length(n) for n in range(len(songs))], np.float64)
        self._weights = lengths / lengths.sum()  # chance of each song: all samples are equally likely
        self._samples = int(config.seconds * RATE_HZ)
        # Length of a stem that is still long enough when it is played faster.
        self._longest = int(self._samples * max(1.0, config.speed_factor[1])) + 1

    def make(self, rng: np.random.Generator) -> Remix:
        """Return a new remix of `config.seconds` seconds at 16 kHz; everything random is drawn from `rng`."""
        c = self._config
        voice, music = self._aligned_stems(rng) if rng.random() < c.own else self._unrelated_stems(rng)
        if c.doubled and rng.random() < c.doubled:
            voice = augment.double_voice(rng, voice)
        voice, music = (self._filter(rng, stem) for stem in (voice, music))
        voice, music = self._set_levels(rng, *self._master(rng, *self._balance(rng, voice, music)))
        mixture = voice + music
        if rng.random() < c.codec:
            codec = list(augment.CODECS)[rng.integers(len(augment.CODECS))]
            mixture = augment.clip(augment.transcode(mixture, codec, rng.uniform(0.3, 0.9)))
        return Remix(mixture, voice, music)

    def _place(self, rng: np.random.Generator) -> tuple[int, int]:
        """Draw a song and a first sample in it, all samples of all songs being equally likely."""
        index = int(rng.choice(len(self._songs), p=self._weights))
        return index, int(rng.integers(max(1, self._songs.length(index) - self._longest)))

    def _aligned_stems(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return both stems of one song, with the same change of speed."""
        place = self._place(rng)
        voice, music = self._songs.voice(*place, self._longest), self._songs.music(*place, self._longest)
        if rng.random() < self._config.speed:
            factor = rng.uniform(*self._config.speed_factor)
            voice, music = (augment.change_speed(stem, factor) for stem in (voice, music))
        return augment.fit_length(voice, self._samples), augment.fit_length(music, self._samples)

    def _unrelated_stems(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return the voice and the accompaniment of any two songs, or lone ones, each changed by itself."""
        voice = self._change_performance(rng, self._any_voice(rng))
        music = self._change_performance(rng, self._any_music(rng))
        return augment.fit_length(voice, self._samples), augment.fit_length(music, self._samples)

    def _any_voice(self, rng: np.random.Generator) -> Array:
        if self._voices and rng.random() < self._config.lone_voice:
            return self._voices.draw(rng, self._longest)
        return self._songs.voice(*self._place(rng), self._longest)

    def _any_music(self, rng: np.random.Generator) -> Array:
        if self._accompaniments and rng.random() < self._config.lone_music:
            return self._accompaniments.draw(rng, self._longest)
        return self._songs.music(*self._place(rng), self._longest)

    def _change_performance(self, rng: np.random.Generator, stem: Array) -> Array:
        c = self._config
        if rng.random() < c.speed:
            return augment.change_speed(stem, rng.uniform(*c.speed_factor))
        if rng.random() < c.pitch:
            return augment.change_pitch(stem, rng.uniform(-c.pitch_semitones, c.pitch_semitones))
        return stem

    def _filter(self, rng: np.random.Generator, stem: Array) -> Array:
        if rng.random() < self._config.equaliser:
            stem = augment.equalise(rng, stem, self._config.equaliser_db)
        if rng.random() < self._config.filter:
            stem = augment.random_filter(rng, stem)
        return augment.reverberate(rng, stem) if rng.random() < self._config.room else stem

    def _balance(self, rng: np.random.Generator, voice: Array, music: Array) -> tuple[Array, Array]:
        """Return stems whose levels suit each other; one of them may be silent, and there may be noise."""
        c = self._config
        alone = rng.random()
        if alone < c.voice_only:
            music = np.zeros_like(music)
        elif alone < c.voice_only + c.music_only:
            voice = np.zeros_like(voice)
        voice, music = augment.set_level(voice, rng.uniform(*c.voice_db)), augment.set_level(music, 0.0)
        if rng.random() < c.noise:
            music = augment.add_noise(rng, music, rng.uniform(*c.noise_db))
        return voice, music

    def _master(self, rng: np.random.Generator, voice: Array, music: Array) -> tuple[Array, Array]:
        """Return stems with the gains that a compressor and a limiter give to their mixture."""
        c = self._config
        if c.compressed and rng.random() < c.compressed:
            above_db, ratio = rng.uniform(*c.compressor_db), rng.uniform(*c.compressor_ratio)
            gain = augment.compression_gain(voice + music, above_db, ratio)
            voice, music = voice * gain, music * gain
        if c.hot and rng.random() < c.hot:
            gain = augment.saturation_gain(voice + music, rng.uniform(*c.drive_db))
            voice, music = voice * gain, music * gain
        return voice, music

    def _set_levels(self, rng: np.random.Generator, voice: Array, music: Array) -> tuple[Array, Array]:
        """Return stems at the same level re each other, and a new one of their mixture."""
        mixture = voice + music
        scale = augment.db_to_amplitude(rng.uniform(*self._config.level_db)) / max(
            augment.active_level(mixture), 1e-9
        )
        # Clipped, it were no sum of stems.
        scale = min(scale, 1.0 / max(float(np.abs(mixture).max()), 1e-9))
        return voice * np.float32(scale), music * np.float32(scale)
