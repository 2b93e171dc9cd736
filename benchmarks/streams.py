"""Measure many live streams in one process: the cost of each, the lateness of messages, and losses.

python -m benchmarks.streams [--streams N ...] [--seconds S] [--rate HZ] [--stems] [--out FILE] [--smoke]

Each stream is the bundled recording, repeated, from a place of its own on. It falls due in 10 ms blocks like a
microphone's sound, and all released classifiers run. With `--stems`, voice and accompaniment are separated and
published as well, and nothing waits for the gate: every stream always costs what it costs during music. Lateness is
the time from a message's last sample to the sink. The cost of a stream is its share of the whole process, engine
included, but without the socket.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil

from benchmarks.report import machine, one_thread, parser, percentiles, write
from streamer.bench.recording import Looped, recording
from streamer.config import Config
from streamer.config_sections import StemsConfig
from streamer.engine.build_streams import build_models
from streamer.engine.engine import Engine
from streamer.engine.stream import Stream
from streamer.engine.warm_up import get_ready
from streamer.events.kinds import Decision, Event, Level, Scores, Status, Stem
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.stream_models import StreamModels
from streamer.sinks.sink import Sink
from streamer.sources.timing.paced import Paced

STREAMS = (1, 8, 32, 64, 128, 192, 256, 320)
SECONDS, SETTLED_S = 10.0, 5.0
"""Time for which each number of streams is measured, and time before, since all streams start at once."""


class Lateness(Sink):
    """A sink that notes the lateness of messages and the seconds lost by each stream while `counting` is set."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self.counting = threading.Event()
        self._dropped_s: dict[str, list[float]] = {}

    @property
    def lost_s(self) -> list[float]:
        return [dropped[-1] - dropped[0] for dropped in self._dropped_s.values()]

    def open(self) -> None:
        pass

    def send(self, event: Event) -> None:
        if not self.counting.is_set():
            return
        if isinstance(event, Status):
            self._dropped_s.setdefault(event.stream, []).append(event.dropped_samples / event.rate)
        elif isinstance(event, Level | Scores | Decision | Stem):
            assert event.latency_ms is not None  # the streams are live
            self.late_ms.append(event.latency_ms)

    def close(self) -> None:
        pass


@contextmanager
def running_streams(
    count: int, listener: StreamModels, config: Config, sinks: Sequence[Sink], rate_hz: int | None
) -> Iterator[None]:
    """Run `count` streams in real time inside a `with` block, which starts once they have settled."""
    samples, own_hz = recording(rate_hz)
    places = np.random.default_rng(count).integers(0, len(samples), count)
    streams = [
        Stream(str(n), Paced(Looped(samples, own_hz, int(place))), listener, config=config)
        for n, place in enumerate(places)
    ]
    get_ready(streams, config.publish)
    stop = threading.Event()
    thread = threading.Thread(target=Engine(streams, sinks, config).run, args=[stop])
    thread.start()
    try:
        time.sleep(SETTLED_S)
        yield
    finally:
        stop.set()
        thread.join()


def measure(
    count: int, listener: StreamModels, config: Config, seconds: float, rate_hz: int | None
) -> dict[str, Any]:
    """Run `count` streams in real time, and measure them.

    Returns
    -------
    dict
        Percent of one core, milliseconds of a core for a second of each stream, lateness of messages, number of streams
        that lost sound, share of the lost sound, and the memory of the process in MB.
    """
    sink = Lateness()
    with running_streams(count, listener, config, [sink], rate_hz):
        sink.counting.set()
        used_s, began = time.process_time(), time.monotonic()
        time.sleep(seconds)
        used_s, took_s = time.process_time() - used_s, time.monotonic() - began
        memory = psutil.Process().memory_info().rss
        sink.counting.clear()  # messages at the end report sound that was not yet due
    return {
        "percent_of_one_core": round(100 * used_s / took_s, 2),
        "core_ms_per_stream_s": round(1e3 * used_s / took_s / count, 3),
        "late_ms": percentiles(np.array(sink.late_ms), 1.0),
        "streams_that_lost_sound": sum(lost > 0 for lost in sink.lost_s),
        "lost_percent": round(100 * sum(sink.lost_s) / took_s / count, 2),
        "memory_mb": round(memory / 1e6, 1),
    }


def main() -> None:
    asking = parser(__doc__ or "")
    asking.add_argument("--streams", type=int, nargs="+", default=list(STREAMS), metavar="N")
    asking.add_argument("--seconds", type=float, default=SECONDS, help="seconds for each number of streams")
    asking.add_argument(
        "--rate", type=int, metavar="HZ", help="sample rate of the sound; default: the recording's own, 32000"
    )
    asking.add_argument("--stems", action="store_true", help="separate voice and accompaniment all the time")
    asked = asking.parse_args()
    counts, seconds = ([1, 3], 1.0) if asked.smoke else (asked.streams, asked.seconds)
    result: dict[str, Any] = {"machine": machine(["numba", "numpy", "onnxruntime"]), "streams": {}}
    with one_thread():
        config = Config(stems=StemsConfig(publish=asked.stems))
        listener = build_models(config, ModelCache())
        if asked.stems:
            listener = listener.ungated()
        for count in counts:
            found = measure(count, listener, config, seconds, asked.rate)
            result["streams"][str(count)] = found
            late = found["late_ms"]
            print(
                f"{count:>4} streams: {found['core_ms_per_stream_s']} ms of a core for a second of each, messages "
                f"{late['p50']} ms late (p99 {late['p99']}), {found['streams_that_lost_sound']} lost sound "
                f"({found['lost_percent']} %), {found['memory_mb']} MB"
            )
    write(result, asked.out)


if __name__ == "__main__":
    main()
