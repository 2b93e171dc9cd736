"""Run everything once before a device opens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamer.config_sections import PublishConfig
from streamer.engine.release_memory import release, unchanged_mappings
from streamer.engine.stream import Stream
from streamer.kernels.machine_code import load_llvm
from streamer.sources.source import Block


def get_ready(streams: Sequence[Stream], publish: PublishConfig) -> None:
    """Warm up streams that are not yet opened, and release the memory that only the start needed."""
    load_llvm()  # first, so that it counts among the libraries that are released
    libraries = unchanged_mappings()
    warm_up(streams, publish)
    release(libraries)


def warm_up(streams: Sequence[Stream], publish: PublishConfig) -> None:
    """Run one second of silence through every pipeline, so that nothing is compiled or loaded while sound comes in.

    Parameters
    ----------
    streams : sequence of Stream
        Streams whose sources are not opened by this. Streams with the same models are warmed up once.
    publish : PublishConfig
        Which running values are published.
    """
    for models in {stream.models.in_call_order: stream.models for stream in streams}.values():
        # Two rates, since a source at the models' own rate needs other code than one that is resampled.
        for rate_hz, channels in ((48_000, 2), (16_000, 1)):
            # Silence opens no gate, so gated heads run here as if they had none.
            ungated = models.ungated()
            pipeline = ungated.pipeline("warm-up", ungated.column(rate_hz, publish))
            pipeline.step(Block(0, np.zeros((rate_hz, channels), np.float32), None))
            pipeline.finish()
