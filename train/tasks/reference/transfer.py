"""Runs of architectures of kept libraries: from random weights, or from pretrained ones in two phases."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.reference.block_network import BlockNetwork
from models.reference.sound_ast import SoundAst, SoundAstConfig
from models.reference.sound_conformer import SoundConformer, SoundConformerConfig
from models.reference.sound_efficientnet import SoundEfficientNet, SoundEfficientNetConfig
from models.reference.sound_inception import SoundInception, SoundInceptionConfig
from models.reference.sound_resnet import SoundResNet, SoundResNetConfig
from streamer.errors import ConfigError
from train.errors import AbsentError
from train.loop.task import Batch
from train.tasks.reference.config import ImageRunConfig
from train.tasks.reference.task import ImageTask


@dataclass(frozen=True)
class TransferRunConfig(ImageRunConfig):
    """Configuration of a run of an architecture of a kept library; each architecture has a subclass.

    Attributes
    ----------
    weights : str
        Folder with pretrained weights; empty for random ones, and then everything learns from the first step on.
    frozen_steps : int
        Number of updates from pretrained weights in which the head alone learns.
    learnt_blocks : int
        Number of blocks, the last ones, that learn beside the head after these updates; 0 for all.
    """

    network: ClassVar[type[BlockNetwork]]
    weights: str = ""
    frozen_steps: int = 200
    learnt_blocks: int = 0

    @property
    def begins(self) -> str:
        """Words for the weights at first: ``pretrained`` or ``from scratch``."""
        return "pretrained" if self.weights else "from scratch"

    def learnt_at(self, step: int) -> int | None:
        """Return the number of blocks that learn beside the head in the update after `step` others; None for all."""
        if not self.weights:
            return None
        return 0 if step < self.frozen_steps else self.learnt_blocks or None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("frozen_steps", "learnt_blocks"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected 0 or more")


class TransferTask(ImageTask):
    """Training task of an architecture of a kept library; its parameters are those of `ImageTask`.

    Raises
    ------
    AbsentError
        If the library cannot be imported.
    ConfigError
        If `ImageTask` refuses the data.
    """

    config: TransferRunConfig

    def __init__(self, config: TransferRunConfig, data: Path, cache: Path) -> None:
        try:
            config.network.check_library()  # before spectrograms are computed, and a run is begun
        except ConfigError as error:
            raise AbsentError(str(error)) from error
        super().__init__(config, data, cache)

    def make_model(self) -> nn.Module:
        """Return the network, with pretrained weights below a random head if the configuration names them.

        Raises
        ------
        ConfigError
            If these weights cannot be read, or do not fit.
        """
        model = super().make_model()
        if self.config.weights:
            assert isinstance(model, BlockNetwork)
            model.load_pretrained(Path(self.config.weights))
        return model

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step: images, probabilities of classes, and the step, which decides the phase."""
        return (*super().make_batch(seed, step, size), torch.full((size,), step))

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the cross entropy of a batch as ``classes``."""
        images, targets, steps = batch
        logits = model(images, learnt_blocks=self.config.learnt_at(int(steps[0])))
        return {"classes": F.cross_entropy(logits, targets)}


@dataclass(frozen=True)
class SoundResNetRunConfig(TransferRunConfig):
    """Configuration of a run of ResNet on spectrogram images."""

    task: ClassVar[str] = "sound_resnet"
    network: ClassVar[type[BlockNetwork]] = SoundResNet
    model: SoundResNetConfig = field(default_factory=SoundResNetConfig)


@dataclass(frozen=True)
class SoundEfficientNetRunConfig(TransferRunConfig):
    """Configuration of a run of EfficientNet on spectrogram images."""

    task: ClassVar[str] = "sound_efficientnet"
    network: ClassVar[type[BlockNetwork]] = SoundEfficientNet
    model: SoundEfficientNetConfig = field(default_factory=SoundEfficientNetConfig)


@dataclass(frozen=True)
class SoundInceptionRunConfig(TransferRunConfig):
    """Configuration of a run of Inception v3 on spectrogram images."""

    task: ClassVar[str] = "sound_inception"
    network: ClassVar[type[BlockNetwork]] = SoundInception
    model: SoundInceptionConfig = field(default_factory=SoundInceptionConfig)


@dataclass(frozen=True)
class SoundConformerRunConfig(TransferRunConfig):
    """Configuration of a run of the Conformer over the frames of spectrograms."""

    task: ClassVar[str] = "sound_conformer"
    network: ClassVar[type[BlockNetwork]] = SoundConformer
    model: SoundConformerConfig = field(default_factory=SoundConformerConfig)


@dataclass(frozen=True)
class SoundAstRunConfig(TransferRunConfig):
    """Configuration of a run of the Audio Spectrogram Transformer."""

    task: ClassVar[str] = "sound_ast"
    network: ClassVar[type[BlockNetwork]] = SoundAst
    model: SoundAstConfig = field(default_factory=SoundAstConfig)
