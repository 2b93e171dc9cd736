"""Train the generator of log-mel frames against a discriminator (Goodfellow et al. 2014), beside the likelihood."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.func import functional_call

from models.reference.genre_discriminator import (
    GenreDiscriminator,
    GenreDiscriminatorConfig,
    hinge_losses,
)
from models.reference.genre_generator import FrameMixture, GenreGenerator, number_likelihood
from streamer.errors import ConfigError
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.loop.task import Batch, LoopConfig
from train.mixing.clip_variations import FRAMES
from train.tasks.reference.figures import read_labels
from train.tasks.reference.generator import (
    GeneratorRunConfig,
    GeneratorTask,
    evaluate_with,
    load_generator,
    refuse_release,
)
from train.tasks.reference.made_clips import generator_figures

GENERATOR = "generator."
"""Prefix of the names of the generator's weights in a run's checkpoint, which holds the discriminator's too."""
SHORTEST = 16
"""Fewest frames that a discriminator can halve four times."""


def _loop() -> LoopConfig:
    return LoopConfig(steps=3_000, batch=24, learning_rate=2e-4, average=0.995, validate_every=250, workers=0)


@dataclass(frozen=True)
class AdversarialRunConfig(GeneratorRunConfig):
    """Configuration of a training run of the task ``generator_adversarial``.

    Attributes
    ----------
    discriminator : GenreDiscriminatorConfig
        Sizes of the discriminator.
    begin : str
        Folder of a run of the task ``generator`` with whose weights the generator begins; empty for random ones.
    heard_frames : int
        Frames of music that the generator hears of a clip before it goes on by itself.
    adversary : float
        Weight of the generator's loss by the discriminator, beside its likelihood.
    """

    task: ClassVar[str] = "generator_adversarial"
    discriminator: GenreDiscriminatorConfig = field(default_factory=GenreDiscriminatorConfig)
    begin: str = ""
    loop: LoopConfig = field(default_factory=_loop)
    heard_frames: int = 64
    adversary: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.heard_frames <= FRAMES - SHORTEST:
            raise ConfigError(
                f"heard_frames is {self.heard_frames}; expected 1 to {FRAMES - SHORTEST}, so that of a clip's {FRAMES} "
                f"frames at least {SHORTEST} are made"
            )


class Adversaries(nn.Module):
    """A generator and its discriminator, which learn in one step.

    Parameters
    ----------
    generator : GenreGenerator
    discriminator : GenreDiscriminator
    """

    def __init__(self, generator: GenreGenerator, discriminator: GenreDiscriminator) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator

    def forward(
        self, before: Tensor, frames: Tensor, genre: Tensor, heard: int
    ) -> tuple[FrameMixture, Tensor, Tensor, Tensor]:
        """Return what both say of clips, which the generator continues after their first frames.

        Parameters
        ----------
        before, frames : Tensor, shape (clips, frames, bands)
            The frame before each, and the frames.
        genre : int64 Tensor, shape (clips,)
            Number of each clip's genre.
        heard : int
            Number of frames that are heard before the generator goes on by itself.

        Returns
        -------
        mixture : FrameMixture
            The generator's mixture for each frame.
        real, made, fooled : Tensor, shape (clips,)
            Scores of the frames that came, of those that were made, and of the latter once more: gradients of `made`
            reach the discriminator alone, those of `fooled` the generator alone.
        """
        mixture, _ = self.generator(before, genre)
        _, state = self.generator(before[:, :heard], genre)
        made = self.generator.make(genre, frames.shape[1] - heard, begun=(frames[:, heard - 1], state))
        fixed = {name: weights.detach() for name, weights in self.discriminator.named_parameters()}
        return (
            mixture,
            self.discriminator(frames[:, heard:], genre),
            self.discriminator(made.detach(), genre),
            functional_call(self.discriminator, fixed, (made, genre)),
        )


class AdversarialTask(GeneratorTask):
    """Training task ``generator_adversarial``; its batches are those of `GeneratorTask`.

    Parameters
    ----------
    config : AdversarialRunConfig
        Configuration of the run.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    """

    config: AdversarialRunConfig

    def make_model(self) -> nn.Module:
        """Return generator and discriminator; the first begins with the weights of the run ``begin``, if there is one.

        Raises
        ------
        ConfigError
            If that run is none, or has other sizes or genres.
        """
        generator = super().make_model()
        assert isinstance(generator, GenreGenerator)
        if self.config.begin:
            begin_from(generator, Path(self.config.begin), self.labels)
        return Adversaries(generator, GenreDiscriminator(self.config.discriminator, len(self.labels)))

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the parts of the loss: of the generator's frames, of the discriminator, and between them.

        ``likelihood`` is that of `GeneratorTask.loss`, ``discriminator`` the hinge loss, and ``adversary`` what the
        generator loses because the discriminator sees through it. The loop reports ``discriminator`` near 2 where music
        and made clips cannot be told apart.
        """
        before, frames, genre = batch
        mixture, real, made, fooled = model(before, frames, genre, self.config.heard_frames)
        return {
            "likelihood": -number_likelihood(mixture, frames).mean(),
            "discriminator": hinge_losses(real, made),
            "adversary": -self.config.adversary * fooled.mean(),
        }

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of the generator on the validation fold's tracks.

        Returns
        -------
        dict
            Those of `generator_figures`; ``score``, by which the best weights are chosen: the negative distance, since
            the likelihood does not grow by what the discriminator teaches.
        """
        assert isinstance(model, Adversaries)
        device = model.generator.change.device
        found = generator_figures(model.generator, *(part.to(device) for part in self._checked))
        return {"score": -found["distance"], **found}


def begin_from(generator: GenreGenerator, run: Path, labels: tuple[str, ...]) -> None:
    """Give a generator the weights of a run of the task ``generator``.

    Raises
    ------
    ConfigError
        If the folder is no run, or its network has other sizes or genres.
    ModelError
        If the run has no weights.
    """
    if not (run / "config.json").is_file():
        raise ConfigError(
            f"begin is {str(run)!r}, which has no config.json; expected the folder of a run: make one by python -m "
            "train generator, or begin at random, by begin=''"
        )
    sizes, genres = read_config(GeneratorRunConfig, run / "config.json").model, read_labels(run)
    if sizes != generator.config or genres != labels:
        raise ConfigError(
            f"begin is {str(run)!r}, with {sizes} and genres {', '.join(genres)}; expected {generator.config} and "
            f"{', '.join(labels)}: give both runs the same sizes under model, and the same mel file"
        )
    generator.load_state_dict(load_generator(run, GeneratorRunConfig).state_dict())


def _evaluate(evaluation: Evaluation) -> dict[str, Any]:
    return evaluate_with(load_generator(evaluation.model, AdversarialRunConfig, GENERATOR), evaluation)


PLUGIN = Plugin(
    name=AdversarialRunConfig.task,
    config=AdversarialRunConfig,
    task=AdversarialTask,
    release=refuse_release,
    evaluate=_evaluate,
    steps=False,
)
