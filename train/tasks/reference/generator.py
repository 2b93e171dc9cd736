"""Train the generator of log-mel frames by likelihood: each next frame of music shall be likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from models.reference.genre_generator import GenreGenerator, GenreGeneratorConfig, number_likelihood
from streamer.errors import ConfigError
from train.data.sets.gtzan.gtzan_mels import TEN_FOLDS
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.folds import HoldsOut
from train.loop.registry import Evaluation, Plugin
from train.loop.run import DataUsed
from train.loop.task import Batch, LoopConfig
from train.mixing.genre_clips import GenreClips
from train.mixing.mel_music import STEP
from train.tasks.reference.figures import read_labels
from train.tasks.reference.made_clips import generator_figures, shifted, standardise


def _loop() -> LoopConfig:
    return LoopConfig(steps=6_000, batch=32, learning_rate=2e-3, average=0.995, validate_every=250, workers=0)


@dataclass(frozen=True)
class GeneratorRunConfig(HoldsOut):
    """Configuration of a training run of the task ``generator``.

    Attributes
    ----------
    model : GenreGeneratorConfig
        Sizes of the network.
    loop : LoopConfig
        Settings of the training loop.
    fold, validation_fold : int
        Held-out folds of the ten, see `train.loop.folds.HoldsOut`.
    whole_tracks : float
        Share of a batch that is taken from random places in whole tracks.
    shift_bands : int
        Largest shift in bands, up or down, which changes the pitch.
    input_noise : float
        Largest standard deviation of noise on the frames before, so that the network bears with its own errors.
    """

    task: ClassVar[str] = "generator"
    folds: ClassVar[Sequence[int]] = TEN_FOLDS
    model: GenreGeneratorConfig = field(default_factory=GenreGeneratorConfig)
    loop: LoopConfig = field(default_factory=_loop)
    fold: int = 9
    validation_fold: int = 8
    whole_tracks: float = 0.25
    shift_bands: int = 2
    input_noise: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.whole_tracks <= 1:
            raise ConfigError(f"whole_tracks is {self.whole_tracks:g}; expected a share of a batch, 0 to 1")


class GeneratorTask:
    """Training task ``generator``: clips of GTZAN, the likelihood of each frame, and the validation.

    Parameters
    ----------
    config : GeneratorRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If a genre has no tracks in the folds that are learnt from.
    """

    def __init__(self, config: GeneratorRunConfig, data: Path, cache: Path) -> None:
        self.config, self.name = config, config.task
        self.front_end = config.model.front_end
        self._clips = GenreClips(config, self.front_end, data, cache, config.whole_tracks)
        self.labels = self._clips.labels
        self._checked = _as_tensors(self._clips, config.checked_fold)

    def data_hash(self) -> DataUsed:
        return replace(self._clips.data_used(), labels=self.labels)

    def make_model(self) -> nn.Module:
        """Return the network with random weights, which knows the size of changes in the mel file."""
        model = GenreGenerator(self.config.model, len(self.labels))
        model.set_change(torch.from_numpy(standardise(self._clips.learnt_frames()[0])))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step.

        Returns
        -------
        before, frames : Tensor, shape (size, FRAMES, bands)
            The frame before each, noisy, and the frame that is to be foretold.
        genre : int64 Tensor, shape (size,)
            Number of each clip's genre.
        """
        rng, c = np.random.default_rng((seed, step)), self.config
        clips, genre = self._clips.draw(rng, size)
        width = np.arange(clips.shape[2])
        shifts = rng.integers(-c.shift_bands, c.shift_bands + 1, size=size)
        moved = [
            clip[:, (width + shift).clip(0, len(width) - 1)]
            for clip, shift in zip(clips, shifts, strict=True)
        ]
        # The file's values are rounded; unless that is undone, the sharpest foretelling is that of a rounded value.
        frames = standardise(np.stack(moved)) + STEP * (rng.random(clips.shape, np.float32) - np.float32(0.5))
        noise = rng.uniform(0.0, c.input_noise, (size, 1, 1)) * rng.standard_normal(clips.shape)
        known = torch.from_numpy(frames)
        return shifted(known + torch.from_numpy(noise.astype(np.float32))), known, torch.from_numpy(genre)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the negative logarithm of the density of a number of a frame as ``likelihood``, in nats."""
        before, frames, genre = batch
        mixture, _ = model(before, genre)
        return {"likelihood": -number_likelihood(mixture, frames).mean()}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of a generator on the validation fold's tracks.

        Returns
        -------
        dict
            ``likelihood`` and ``distance`` of `generator_figures`; ``score``, by which the best weights are chosen: the
            likelihood.
        """
        assert isinstance(model, GenreGenerator)
        device = model.change.device
        found = generator_figures(model, *(part.to(device) for part in self._checked))
        return {"score": found["likelihood"], **found}


def _as_tensors(clips: GenreClips, fold: int) -> tuple[Tensor, Tensor]:
    """Return the clips of a fold of the mel file as z-scores, and the numbers of their genres."""
    frames, genre = clips.frames_of(fold)
    return torch.from_numpy(standardise(frames)), torch.from_numpy(genre)


def load_generator(run: Path, kind: type[GeneratorRunConfig], prefix: str = "") -> GenreGenerator:
    """Return the generator of a run with its best weights, in evaluation mode.

    Parameters
    ----------
    run : Path
        Folder of the run.
    kind : type
        Class of the run's configuration.
    prefix : str
        Prefix of the names of the generator's weights in the run's checkpoint.

    Raises
    ------
    ModelError
        If the run has no weights, or those of another task or network.
    """
    config = read_config(kind, run / "config.json")
    generator = GenreGenerator(config.model, len(read_labels(run)))
    load_weights(generator, run / "best.pt", Identity(kind.task, config.model.front_end), prefix)
    return generator.eval()


def evaluate_with(generator: GenreGenerator, evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of a generator on the fold that `evaluation.split` names, as ``clips``."""
    config: GeneratorRunConfig = evaluation.config
    clips = GenreClips(config, config.model.front_end, evaluation.data, evaluation.cache, whole_tracks=0.0)
    frames, genre = _as_tensors(clips, config.fold_of(evaluation.split))
    found = generator_figures(generator, frames, genre)
    return {"clips": {"clips": len(genre), **{name: round(value, 4) for name, value in found.items()}}}


def refuse_release(*_: Path) -> NoReturn:
    """Refuse to release a generator.

    Raises
    ------
    ConfigError
        Always: it labels nothing.
    """
    raise ConfigError(
        "a generator makes sound and labels none, so it is not released; expected a task whose model listens: hear "
        "this one by python -m train generate"
    )


def _evaluate(evaluation: Evaluation) -> dict[str, Any]:
    return evaluate_with(load_generator(evaluation.model, GeneratorRunConfig), evaluation)


PLUGIN = Plugin(
    name=GeneratorRunConfig.task,
    config=GeneratorRunConfig,
    task=GeneratorTask,
    release=refuse_release,
    evaluate=_evaluate,
    steps=False,
)
