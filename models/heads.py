"""Heads: networks that map the ear's embeddings to logits, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from models.layers import NormalisingModel, TorchState, WindowMean
from streamer.errors import ConfigError


@dataclass(frozen=True)
class HeadConfig:
    """Sizes of a head that classifies the embeddings of the ear, `ClassifierHead`.

    Attributes
    ----------
    memory_steps : int
        Steps of 80 ms whose logits are averaged: about 1 s.
    hidden : int
        Width of the hidden layer; 0 for none.
    dropout : float
        Dropout before each layer, in training.
    """

    memory_steps: int = 12
    hidden: int = 96
    dropout: float = 0.4

    def __post_init__(self) -> None:
        if self.memory_steps < 2:
            raise ConfigError(f"memory_steps is {self.memory_steps}; expected 2 or more")


class ClassifierHead(NormalisingModel):
    """Head that classifies embeddings by a perceptron, and averages the logits over the last steps.

    Without the average, scores jump from one step of 80 ms to the next.

    Parameters
    ----------
    config : HeadConfig
        Sizes of the head.
    embedding : int
        Numbers in an embedding.
    labels : tuple of str
        Names of the classes, in the order of the outputs.
    """

    hop_frames = 1
    latency_frames = 1

    def __init__(self, config: HeadConfig, embedding: int, labels: tuple[str, ...]) -> None:
        super().__init__(embedding)
        self.config = config
        self.labels = labels
        layers: list[nn.Module] = [nn.Dropout(config.dropout)]
        if config.hidden:
            layers += [nn.Linear(embedding, config.hidden), nn.ReLU(), nn.Dropout(config.dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(config.hidden or embedding, len(labels)))
        self.memory = WindowMean(len(labels), config.memory_steps)
        self.state_shapes = self.memory.state_shapes

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return logits, (batch, steps, labels), for embeddings, (batch, steps, embedding), and the state."""
        return self.memory(self.layers(self.normalised(x)), state)
