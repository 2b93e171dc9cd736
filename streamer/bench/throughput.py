"""Measure how many streams of sound one core carries in real time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import ceil, floor

import numpy as np

from streamer.arrays import Array
from streamer.bench.recording import Looped, recording
from streamer.bench.section import BenchSection
from streamer.bench.target import BenchTarget
from streamer.config_sections import PublishConfig
from streamer.engine.scheduler import LIVE_CHUNK_S
from streamer.engine.stream import Stream
from streamer.engine.warm_up import warm_up
from streamer.inference.batching import BatchRunner
from streamer.pipeline.step_all import step_all
from streamer.pipeline.stream_models import StreamModels

STREAMS = (1, 8, 32, 64)


class Streams:
    """Processes streams of one recording together, as an engine does, but without rest and without sinks.

    The streams begin at places that are spread evenly over the recording, and their blocks end at different samples.
    So their models are not all due in the same turns, as with live streams.

    Parameters
    ----------
    listeners : sequence of StreamModels
        Models to run. Stream 0 gets the first ones, stream 1 the second ones, and so on, round and round.
    count : int
        Number of streams.
    samples : float32 array, shape (samples,)
        Recording that all streams repeat; full scale is -1 to 1.
    rate_hz : int
        Sample rate of the recording.
    block_s : float
        Length of the block that each stream processes in a turn.
    publish : PublishConfig
        Settings of the periodic events that the streams make.
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
        self._runner = BatchRunner([model for listener in listeners for model in listener.in_call_order])
        self._streams = [
            Stream(str(n), Looped(samples, rate_hz, n * len(samples) // count), listeners[n % len(listeners)])
            for n in range(count)
        ]
        columns = [listener.column(rate_hz, publish) for listener in listeners]
        self._pipelines = [
            s.models.pipeline(s.name, columns[n % len(columns)]) for n, s in enumerate(self._streams)
        ]
        warm_up(self._streams, publish)
        self._frames = round(block_s * rate_hz)
        self._process(np.random.default_rng(count).integers(1, self._frames + 1, count).tolist())

    def turn(self) -> None:
        """Process one block of every stream.

        Raises
        ------
        Exception
            If a stream fails.
        """
        self._process([self._frames] * len(self._streams))

    def _process(self, frames: Sequence[int]) -> None:
        blocks = [stream.source.read(wanted) for stream, wanted in zip(self._streams, frames, strict=True)]
        steps = [
            (pipeline, block)
            for pipeline, block in zip(self._pipelines, blocks, strict=True)
            if block is not None
        ]
        for result in step_all(steps, self._runner):
            if isinstance(result, Exception):
                raise result


def throughput(target: BenchTarget, seconds: float) -> list[BenchSection]:
    """Measure the cost of one stream for several numbers of streams that are processed together.

    Parameters
    ----------
    target : BenchTarget
    seconds : float
        Length of the sound in each stream; it is longer where all streams together would not cover the recording.

    Returns
    -------
    list of BenchSection
        Processor milliseconds for a second of one stream, and the number of streams that fill a core.
    """
    rows = [_measured(target, count, seconds) for count in STREAMS]
    return [BenchSection("throughput", "Throughput: streams of the bundled recording, heard together", rows)]


def _measured(target: BenchTarget, count: int, seconds: float) -> dict[str, object]:
    samples, rate_hz = recording()
    streams = Streams(target.listeners, count, samples, rate_hz, LIVE_CHUNK_S, target.config.publish)
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
