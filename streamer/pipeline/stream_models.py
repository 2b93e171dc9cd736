"""The models that process a stream: its heads and its separation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version

from streamer.config_sections import PublishConfig
from streamer.heads.head import Head
from streamer.inference.model import Model
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from streamer.separation.gated_separation import Separation


@dataclass(frozen=True)
class StreamModels:
    """Models that streams with the same settings share.

    Attributes
    ----------
    heads : tuple of Head
    separation : Separation or None
        Separation that makes the stems; None makes none.
    """

    heads: tuple[Head, ...] = ()
    separation: Separation | None = None

    @cached_property
    def in_call_order(self) -> tuple[Model, ...]:
        """All models, each once, in the order in which a stream calls them: gated ones come last."""
        in_turn = sorted(self.heads, key=lambda head: head.opened_by is not None)
        models = [model for head in in_turn for model in (head.ear, head.model) if model]
        return tuple(dict.fromkeys([*models, *([self.separation.model] if self.separation else [])]))

    @cached_property
    def versions(self) -> dict[str, str]:
        """Version of Streamer (key ``streamer``), and name and start of the SHA-256 of each model, by slot."""
        models = {head.ear.manifest.name: head.ear.manifest for head in self.heads if head.ear}
        models |= {head.name: head.model.manifest for head in self.heads}
        if self.separation:
            models["separation"] = self.separation.model.manifest
        versions = {slot: f"{manifest.name}@{manifest.sha256[:12]}" for slot, manifest in models.items()}
        return {"streamer": version("streamer"), **versions}

    def column(self, rate_hz: int, publish: PublishConfig) -> Column:
        """Return a column for streams of a sample rate."""
        return Column(rate_hz, self.heads, publish)

    def pipeline(self, stream: str, column: Column, epoch: int = 0) -> Pipeline:
        """Return the pipeline of a stream in a column of these models, from an epoch on."""
        return Pipeline(stream, column, self.separation, epoch)

    def ungated(self) -> StreamModels:
        """Return the same models without gates: all of them run always."""
        heads = tuple(replace(head, opened_by=None) for head in self.heads)
        return StreamModels(heads, replace(self.separation, opened_by=None) if self.separation else None)
