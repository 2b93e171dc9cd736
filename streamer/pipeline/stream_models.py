"""What listens to a stream: its heads, and what takes its sound apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version

from streamer.config import PublishConfig
from streamer.heads.head import Head
from streamer.inference.model import Model
from streamer.pipeline.pipeline import Pipeline
from streamer.separation.gated_separation import Separation


@dataclass(frozen=True)
class StreamModels:
    """What streams that are heard alike share.

    Attributes
    ----------
    heads : tuple of Head
    separation : Separation or None
        None leaves the sound together.
    """

    heads: tuple[Head, ...] = ()
    separation: Separation | None = None

    @cached_property
    def models(self) -> tuple[Model, ...]:
        """Each once, in the order in which a stream asks for them: what waits for a gate hears last."""
        in_turn = sorted(self.heads, key=lambda head: head.opened_by is not None)
        models = [model for head in in_turn for model in (head.ear, head.model) if model]
        return tuple(dict.fromkeys([*models, *([self.separation.model] if self.separation else [])]))

    @cached_property
    def versions(self) -> dict[str, str]:
        """What runs: this program, and each model by its place, its name and the start of its SHA-256."""
        models = {head.ear.manifest.name: head.ear.manifest for head in self.heads if head.ear}
        models |= {head.name: head.model.manifest for head in self.heads}
        if self.separation:
            models["separation"] = self.separation.model.manifest
        told = {place: f"{manifest.name}@{manifest.sha256[:12]}" for place, manifest in models.items()}
        return {"streamer": version("streamer"), **told}

    def pipeline(self, stream: str, rate_hz: int, publish: PublishConfig) -> Pipeline:
        """What hears a stream of so many samples a second."""
        return Pipeline(stream, rate_hz, self.heads, publish, self.separation)

    def ungated(self) -> StreamModels:
        """The same, but that nothing waits for a gate."""
        heads = tuple(replace(head, opened_by=None) for head in self.heads)
        return StreamModels(heads, replace(self.separation, opened_by=None) if self.separation else None)
