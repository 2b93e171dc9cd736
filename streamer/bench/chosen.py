"""What is measured: the listeners of a configuration, as `streamer listen` would have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from streamer.config import Config
from streamer.engine.build_streams import make_listener
from streamer.errors import ConfigError
from streamer.heads.head import Head
from streamer.inference.model import Model
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.stream_models import StreamModels


@dataclass(frozen=True)
class Chosen:
    """What listens, and by which settings.

    Attributes
    ----------
    config : Config
    listeners : tuple of StreamModels
        One for each stream of the configuration; there are models in one of them at least.
    """

    config: Config
    listeners: tuple[StreamModels, ...]

    @classmethod
    def by(cls, config: Config) -> Self:
        """Load what a configuration names.

        Raises
        ------
        ModelError
            If a model is absent, altered or does not fit.
        ConfigError
            If there is none.
        """
        loaded = ModelCache(config.engine)
        listeners = tuple(make_listener(config.of(stream), loaded) for stream in config.stream)
        if not any(listener.models for listener in listeners):
            raise ConfigError(
                "every model is off; expected one at least that can be measured: leave --model PLACE=off out"
            )
        return cls(config, listeners)

    @property
    def models(self) -> tuple[Model, ...]:
        """Each once."""
        return tuple(dict.fromkeys(model for listener in self.listeners for model in listener.models))

    @property
    def heads(self) -> tuple[Head, ...]:
        """Those of all streams, each model once."""
        return tuple({head.model: head for listener in self.listeners for head in listener.heads}.values())

    @property
    def versions(self) -> dict[str, str]:
        """What runs: this program, and each model by its place."""
        return {place: name for listener in self.listeners for place, name in listener.versions.items()}
