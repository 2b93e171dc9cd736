"""Sound of a genre from a run of a generator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import torch

from models.front_ends import DB, DEVIATION_DB
from models.reference.genre_generator import GenreGenerator
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig
from streamer.errors import ConfigError
from train.generation.vocoder import frames_of_samples, vocode
from train.loop.run import find_run
from train.tasks.reference.figures import read_labels
from train.tasks.reference.generator import GeneratorRunConfig, load_generator
from train.tasks.reference.generator_adversarial import GENERATOR, AdversarialRunConfig

TASKS: Mapping[str, tuple[type[GeneratorRunConfig], str]] = MappingProxyType(
    {
        GeneratorRunConfig.task: (GeneratorRunConfig, ""),
        AdversarialRunConfig.task: (AdversarialRunConfig, GENERATOR),
    }
)
"""Configuration of each task that trains a generator, and prefix of the generator's weights in its checkpoints."""


@dataclass(frozen=True)
class SoundMaker:
    """Makes sound by a trained generator.

    Attributes
    ----------
    generator : GenreGenerator
        Generator, in evaluation mode.
    genres : tuple of str
        Names of the genres that it knows.
    """

    generator: GenreGenerator
    genres: tuple[str, ...]

    @property
    def front_end(self) -> LogMelConfig:
        """Front end whose frames are made."""
        return self.generator.config.front_end

    @classmethod
    def of_run(cls, task: str, run: str = "") -> SoundMaker:
        """Return the maker of a run: its folder or its name in ``runs/TASK``; the last one if `run` is empty.

        Raises
        ------
        ConfigError
            If there is no such run, or it is one of another task.
        ModelError
            If it has no weights, or those of another task.
        """
        folder = find_run(task, run)
        try:
            generator = load_generator(folder, *TASKS[task])
        except ConfigError as error:
            raise ConfigError(
                f"{folder} is no run of task {task} ({error}); expected a run of {' or '.join(TASKS)}: set --task"
            ) from error
        return cls(generator, read_labels(folder))

    def frames(self, genre: str, samples: int, seed: int, temperature: float) -> Array:
        """Return log-mel frames of a genre, natural logarithms, shape (frames, mel_bands); see `sound`."""
        number = torch.tensor([self._number(genre)])
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            made = self.generator.make(number, frames_of_samples(self.front_end, samples), temperature, draw)
        frames: Array = made[0].numpy() * (DEVIATION_DB / DB)
        return frames

    def sound(self, genre: str, seconds: float, seed: int, temperature: float = 1.0) -> Array:
        """Return sound of a genre: the same for the same arguments.

        Parameters
        ----------
        genre : str
            Name of the genre.
        seconds : float
            Length.
        seed : int
            Seed of everything that is drawn at random.
        temperature : float
            Factor on the deviations of frames; 0 takes the likeliest.

        Returns
        -------
        float32 array, shape (samples,)
            Sound at the rate of `front_end`, below full scale.

        Raises
        ------
        ConfigError
            If the genre is not known, the length is not positive, or the temperature or seed negative.
        """
        samples = count_samples(seconds, self.front_end)
        if not 0 <= temperature < math.inf:
            raise ConfigError(f"temperature is {temperature:g}; expected 0 or more, such as 0.8")
        if seed < 0:
            raise ConfigError(f"seed is {seed}; expected 0 or more")
        return vocode(self.frames(genre, samples, seed, temperature), self.front_end, samples, seed)

    def _number(self, genre: str) -> int:
        if genre not in self.genres:
            raise ConfigError(f"no genre {genre!r}; expected one of {', '.join(self.genres)}")
        return self.genres.index(genre)


def count_samples(seconds: float, front_end: LogMelConfig) -> int:
    """Return the number of samples of a length.

    Raises
    ------
    ConfigError
        If it is not positive, or less than a sample.
    """
    if not 1 / front_end.sample_rate_hz <= seconds < math.inf:
        raise ConfigError(f"seconds is {seconds:g}; expected a length above 0, such as 10")
    return round(seconds * front_end.sample_rate_hz)


def default_path(genre: str) -> Path:
    """Return the file that sound of a genre is written to, unless another is given."""
    return Path(f"{genre}.wav")
