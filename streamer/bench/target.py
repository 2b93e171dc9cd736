"""The models that a measurement runs: those that `streamer listen` would run with a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from streamer.config import Config
from streamer.engine.build_streams import build_models
from streamer.errors import ConfigError
from streamer.heads.head import Head
from streamer.inference.model import Model
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.stream_models import StreamModels


@dataclass(frozen=True)
class BenchTarget:
    """A configuration and the models that it names, which measurements run.

    Attributes
    ----------
    config : Config
    listeners : tuple of StreamModels
        The models of each stream of the configuration; at least one of them has models.
    """

    config: Config
    listeners: tuple[StreamModels, ...]

    @classmethod
    def load(cls, config: Config) -> Self:
        """Load the models that a configuration names, and return them with the configuration.

        Raises
        ------
        ModelError
            If a model is absent, altered or does not fit.
        ConfigError
            If the configuration names no model.
        """
        loaded = ModelCache(config.engine)
        listeners = tuple(build_models(config.of(stream), loaded) for stream in config.stream)
        if not any(listener.in_call_order for listener in listeners):
            raise ConfigError(
                "every model is off; expected one at least that can be measured: leave --model SLOT=off out"
            )
        return cls(config, listeners)

    @property
    def models(self) -> tuple[Model, ...]:
        """All models of all streams, each once."""
        return tuple(dict.fromkeys(model for listener in self.listeners for model in listener.in_call_order))

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads of all streams; of heads with the same model only one."""
        return tuple({head.model: head for listener in self.listeners for head in listener.heads}.values())

    @property
    def versions(self) -> dict[str, str]:
        """Version of Streamer (key ``streamer``), and name and SHA-256 (12 digits) of each model by its head slot."""
        return {place: name for listener in self.listeners for place, name in listener.versions.items()}
