"""The head that tells what is present from the ear's embeddings: it remembers their recent means and movements."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.layers import NormalisingModel, TorchState, WindowMean
from streamer.errors import ConfigError

VARIANCE_FLOOR = 1e-4
"""Added to a variance before its square root, whose slope at 0 is infinite."""


@dataclass(frozen=True)
class MemoryHeadConfig:
    """Sizes of a head with a memory, `MemoryHead`.

    Attributes
    ----------
    features : int
        Numbers that an embedding is reduced to at each step.
    memory_steps : tuple of int
        Lengths of the memories in steps of 80 ms, each 2 or more.
    hidden : int
        Width of the layer that joins the present and the memories.
    dropout : float
        Dropout before each layer, in training.
    """

    features: int = 64
    memory_steps: tuple[int, ...] = (6, 25)
    hidden: int = 64
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if not self.memory_steps or min(self.memory_steps) < 2:
            raise ConfigError(
                f"memory_steps is {list(self.memory_steps)}; expected lengths of 2 or more steps, at least one"
            )


class MemoryHead(NormalisingModel):
    """Head that scores each label by itself, by what the embeddings are now and how they have been.

    Features of the present step, and their mean and standard deviation over each memory, go through one hidden layer.
    Speech moves from syllable to syllable where music stays, which the deviation tells. The memory is finite: sound
    older than the longest one has no influence.

    Parameters
    ----------
    config : MemoryHeadConfig
        Sizes of the head.
    embedding : int
        Numbers in an embedding.
    labels : tuple of str
        Names of the labels, in the order of the outputs.
    """

    hop_frames = 1
    latency_frames = 1

    def __init__(self, config: MemoryHeadConfig, embedding: int, labels: tuple[str, ...]) -> None:
        super().__init__(embedding)
        self.config = config
        self.labels = labels
        self.features = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(embedding, config.features), nn.ReLU()
        )
        memories = [WindowMean(2 * config.features, steps) for steps in config.memory_steps]
        self.memories = nn.ModuleList(memories)
        joined = config.features * (1 + 2 * len(config.memory_steps))
        self.scores = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(joined, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, len(labels)),
        )
        self.state_shapes = tuple(shape for memory in memories for shape in memory.state_shapes)

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return logits, (batch, steps, labels), for embeddings, (batch, steps, embedding), and the state."""
        state = self.init(x) if state is None else state
        features = self.features(self.normalised(x))
        moments = torch.cat([features, features.square()], dim=2)
        joined: list[Tensor] = [features]
        after: list[Tensor] = []
        for number, before in enumerate(state):
            means, own = self.memories[number](moments, (before,))
            mean, mean_square = means.chunk(2, dim=2)
            variance = torch.relu(mean_square - mean.square())  # rounding may make it negative
            joined += [mean, torch.sqrt(variance + VARIANCE_FLOOR)]
            after += own
        return self.scores(torch.cat(joined, dim=2)), tuple(after)
