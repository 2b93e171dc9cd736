"""Many live streams in one process: what each costs, how late its messages are, what is lost.

python -m benchmarks.streams [--streams N ...] [--seconds S] [--yamnet FOLDER] [--out FILE] [--smoke]

Each stream is the bundled recording from a place of its own on, again and again, falling due in 10 ms blocks as a
microphone's; all the released classifiers hear it. Lateness is from a message's last sample to the sink. A stream's
cost is that of the whole process, engine and all, but for the socket. `--yamnet` names a folder of `models pull
yamnet` or `python -m train import-yamnet`: what YAMNet takes in the same run, one stream, at its own hop.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.live_peers import core_ms_per_s, stepped_yamnet
from benchmarks.report import machine, one_thread, parser, percentiles, write
from streamer.bench.recording import Looped, recording
from streamer.config import Config
from streamer.engine import Engine
from streamer.events import Decision, Event, Level, Scores, Status
from streamer.listen import make_listener
from streamer.listener import Listener
from streamer.load_model import Loaded
from streamer.sinks.sink import Sink
from streamer.sources.paced import Paced
from streamer.stream import Stream

STREAMS = (1, 8, 32, 64, 128, 192, 256)
SECONDS, SETTLED_S = 10.0, 3.0
"""How long each number of streams is heard, and how long before messages count."""


class Lateness(Sink):
    """Notes how late messages are once everything runs, and what was dropped."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self.dropped: dict[str, int] = {}
        self.counting = threading.Event()

    def open(self) -> None:
        pass

    def send(self, event: Event) -> None:
        if isinstance(event, Status):
            self.dropped[event.stream] = event.dropped_samples
        elif isinstance(event, Level | Scores | Decision) and self.counting.is_set():
            assert event.latency_ms is not None  # the streams are live
            self.late_ms.append(event.latency_ms)

    def close(self) -> None:
        pass


def measured(count: int, listener: Listener, seconds: float) -> dict[str, Any]:
    """Run so many streams in real time.

    Returns
    -------
    dict
        Percent of one core, core milliseconds a stream and second, lateness of messages, streams that lost sound, and
        the process's memory in MB.
    """
    samples, rate_hz = recording()
    places = np.random.default_rng(count).integers(0, len(samples), count)
    streams = [
        Stream(str(n), Paced(Looped(samples, rate_hz, int(place))), listener)
        for n, place in enumerate(places)
    ]
    sink, stop = Lateness(), threading.Event()
    thread = threading.Thread(target=Engine(streams, [sink], Config()).run, args=[stop])
    thread.start()
    time.sleep(SETTLED_S)
    sink.counting.set()
    used_s, began = time.process_time(), time.monotonic()
    time.sleep(seconds)
    used_s, took_s = time.process_time() - used_s, time.monotonic() - began
    memory = psutil.Process().memory_info().rss
    stop.set()
    thread.join()
    return {
        "percent_of_one_core": round(100 * used_s / took_s, 2),
        "core_ms_per_stream_s": round(1e3 * used_s / took_s / count, 3),
        "late_ms": percentiles(np.array(sink.late_ms), 1.0),
        "streams_that_lost_sound": sum(lost > 0 for lost in sink.dropped.values()),
        "memory_mb": round(memory / 1e6, 1),
    }


def main() -> None:
    asking = parser(__doc__ or "")
    asking.add_argument("--streams", type=int, nargs="+", default=list(STREAMS), metavar="N")
    asking.add_argument("--seconds", type=float, default=SECONDS, help="for each number of streams")
    asking.add_argument("--yamnet", type=Path, metavar="FOLDER", help="what to compare with")
    asked = asking.parse_args()
    counts, seconds = ([1, 3], 1.0) if asked.smoke else (asked.streams, asked.seconds)
    result: dict[str, Any] = {"machine": machine(["numba", "numpy", "onnxruntime"]), "streams": {}}
    with one_thread():
        listener = make_listener(Config(), Loaded())
        if asked.yamnet:
            (cost_ms,) = core_ms_per_s([stepped_yamnet(asked.yamnet)]).values()
            result["yamnet_core_ms_per_s"] = round(cost_ms, 3)
            print(f"YAMNet: {result['yamnet_core_ms_per_s']} ms of a core for a second of one stream")
        for count in counts:
            found = measured(count, listener, seconds)
            result["streams"][str(count)] = found
            late = found["late_ms"]
            print(
                f"{count:>4} streams: {found['core_ms_per_stream_s']} ms of a core for a second of each, messages "
                f"{late['p50']} ms late (p99 {late['p99']}), {found['streams_that_lost_sound']} lost sound, "
                f"{found['memory_mb']} MB"
            )
    write(result, asked.out)


if __name__ == "__main__":
    main()
