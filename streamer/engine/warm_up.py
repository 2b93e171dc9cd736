"""Everything run once before a device opens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamer.config import PublishConfig
from streamer.dsp.model_calls import run_alone
from streamer.engine.release_memory import release, unchanged
from streamer.engine.stream import Stream
from streamer.sources.source import Block


def get_ready(streams: Sequence[Stream], publish: PublishConfig) -> None:
    """Warm up, before anything is opened, and let go of the memory that only that needed."""
    libraries = unchanged()
    warm_up(streams, publish)
    release(libraries)


def warm_up(streams: Sequence[Stream], publish: PublishConfig) -> None:
    """Run one second of silence through everything, so that nothing is compiled or loaded on air.

    Silence opens no gate: what waits for one hears it too. Once for the same models, whatever their thresholds.
    """
    for listener in {stream.listener.models: stream.listener for stream in streams}.values():
        for rate_hz, channels in ((48_000, 2), (16_000, 1)):
            pipeline = listener.ungated().pipeline("warm-up", rate_hz, publish)
            run_alone(pipeline.step(Block(0, np.zeros((rate_hz, channels), np.float32), None)))
            pipeline.finish()
