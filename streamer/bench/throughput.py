"""How many streams of sound one core carries in real time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import ceil, floor

import numpy as np

from streamer.arrays import Array
from streamer.bench.chosen import Chosen
from streamer.bench.recording import Looped, recording
from streamer.bench.section import BenchSection
from streamer.config import PublishConfig
from streamer.engine.scheduler import LIVE_CHUNK_S
from streamer.engine.stream import Stream
from streamer.engine.warm_up import warm_up
from streamer.inference.batching import BatchRunner
from streamer.pipeline.stream_models import StreamModels

STREAMS = (1, 8, 32, 64)


class Streams:
    """Streams of one recording that are heard together, as an engine hears them, but without rest and without sinks.

    Each begins at a place of its own, evenly over the recording, and is out of step with the others, as live streams
    are: their models are not all due in the same blocks.

    Parameters
    ----------
    listeners : sequence of StreamModels
        Each hears the next stream, in turn.
    count : int
        Of streams.
    samples : float32 array, shape (samples,)
    rate_hz : int
    block_s : float
        Sound that each stream hears in a turn.
    publish : PublishConfig
    """

    def __init__(
        self,
        listeners: Sequence[StreamModels],
        count: int,
        samples: Array,
        rate_hz: int,
        block_s: float,
        publish: PublishConfig,
    ) -> None:
        self._runner = BatchRunner([model for listener in listeners for model in listener.models])
        self._streams = [
            Stream(str(n), Looped(samples, rate_hz, n * len(samples) // count), listeners[n % len(listeners)])
            for n in range(count)
        ]
        self._pipelines = [s.listener.pipeline(s.name, rate_hz, publish) for s in self._streams]
        warm_up(self._streams, publish)
        self._frames = round(block_s * rate_hz)
        self._hear(np.random.default_rng(count).integers(1, self._frames + 1, count).tolist())

    def turn(self) -> None:
        """Hear one block of every stream.

        Raises
        ------
        Exception
            What one of them failed on.
        """
        self._hear([self._frames] * len(self._streams))

    def _hear(self, frames: Sequence[int]) -> None:
        blocks = [stream.source.read(wanted) for stream, wanted in zip(self._streams, frames, strict=True)]
        works = [
            pipeline.step(block)
            for pipeline, block in zip(self._pipelines, blocks, strict=True)
            if block is not None
        ]
        for said in self._runner.run(works):
            if isinstance(said, Exception):
                raise said


def throughput(chosen: Chosen, seconds: float) -> list[BenchSection]:
    """Measure what hearing a stream costs, by how many are heard together.

    Parameters
    ----------
    chosen : Chosen
    seconds : float
        Of sound in each stream; more where all of them together would not hear the whole recording.

    Returns
    -------
    list of BenchSection
        Milliseconds of a core for a second of one stream, and the streams that fill a core.
    """
    rows = [_measured(chosen, count, seconds) for count in STREAMS]
    return [BenchSection("throughput", "Throughput: streams of the bundled recording, heard together", rows)]


def _measured(chosen: Chosen, count: int, seconds: float) -> dict[str, object]:
    samples, rate_hz = recording()
    streams = Streams(chosen.listeners, count, samples, rate_hz, LIVE_CHUNK_S, chosen.config.publish)
    turns = ceil(max(seconds, len(samples) / rate_hz / count) / LIVE_CHUNK_S)
    before_s = time.process_time()
    for _ in range(turns):
        streams.turn()
    share = (time.process_time() - before_s) / (turns * LIVE_CHUNK_S * count)
    return {
        "streams": count,
        "core_ms_per_stream_s": round(1_000 * share, 3),
        "streams_per_core": floor(1 / share),
    }
