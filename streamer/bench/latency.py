"""Measure how late messages reach a subscriber, and list the latency that the models themselves have."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np

from streamer.bench.measure import percentiles
from streamer.bench.recording import Looped, recording
from streamer.bench.section import BenchSection
from streamer.bench.target import BenchTarget
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain
from streamer.engine.engine import Engine
from streamer.engine.engine_thread import EngineThread
from streamer.engine.stream import Stream
from streamer.engine.warm_up import get_ready
from streamer.errors import StreamError
from streamer.events.kinds import Decision, Event, Level, Scores
from streamer.sinks.publisher import Publisher
from streamer.sinks.sink import Sink
from streamer.sources.timing.paced import Paced
from streamer.wire.subscriber import Subscriber

LOOPBACK = "tcp://127.0.0.1:*"
SETTLED_S = 1.0
"""Sound whose messages do not count: the subscriber connects meanwhile."""
LOOK_S = 0.1
"""Longest wait of the subscriber before it checks whether the measurement is over."""
COUNTED: dict[str, type[Event]] = {"level": Level, "scores": Scores, "decision": Decision}
"""Events that are measured. Status messages belong to no sound."""


class Received(Sink):
    """Receives what a publisher sends, on a thread of its own; opened and closed as a sink behind the publisher.

    Parameters
    ----------
    publisher : Publisher
        The publisher, which is opened before this sink.

    Attributes
    ----------
    late_s : list of (Event, float)
        Events that were received, those marked `replay` left out, each with the seconds since the capture of its
        last sample.
    """

    def __init__(self, publisher: Publisher) -> None:
        self.late_s: list[tuple[Event, float]] = []
        self._publisher = publisher
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._receive, name="subscriber")

    def open(self) -> None:
        self._thread.start()

    def send(self, event: Event) -> None:
        """Ignore the event: it is received over the network."""

    def close(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _receive(self) -> None:
        with Subscriber((), self._publisher.address) as subscriber:
            while not self._over.is_set():
                event = subscriber.receive(LOOK_S)
                now_s = time.time()
                if isinstance(event, Level | Scores | Decision) and not event.replay:
                    assert event.time is not None  # the stream is live
                    self.late_s.append((event, now_s - event.time.timestamp()))


def latency(target: BenchTarget, seconds: float) -> list[BenchSection]:
    """Listen to the bundled recording in real time with the first stream's models, and time what a subscriber receives.

    Parameters
    ----------
    target : BenchTarget
    seconds : float
        Length of the sound whose messages count.

    Returns
    -------
    list of BenchSection
        Percentiles of milliseconds by kind of message, none for a kind that did not come; and the latency that the
        models declare.

    Raises
    ------
    StreamError
        If nothing was received.
    """
    title = "Latency: milliseconds from a message's last sample to its receipt"
    rows = list(_measured(target, seconds))
    declared = "Declared latency: milliseconds of sound from where an output begins until it is given"
    return [
        BenchSection("latency", title, rows),
        BenchSection("declared_latency", declared, list(_declared(target))),
    ]


def _measured(target: BenchTarget, seconds: float) -> Iterator[dict[str, object]]:
    publisher = Publisher(LOOPBACK)
    received = Received(publisher)
    source = Paced(Looped(*recording(), first=0))
    stream = Stream("bench", source, target.listeners[0], SETTLED_S + seconds, target.config)
    get_ready([stream], target.config.publish)
    with EngineThread(Engine([stream], [publisher, received], target.config)) as thread:
        thread.join()
    thread.raise_failure()
    if stream.error:
        raise stream.error
    counted = [(event, late_s) for event, late_s in received.late_s if event.stop / event.rate >= SETTLED_S]
    if not counted:
        raise StreamError(
            f"nothing was received of {seconds:g} s of sound; expected levels ten times a second: give more --seconds"
        )
    for name, kind in COUNTED.items():
        late = np.array([late_s for event, late_s in counted if isinstance(event, kind)])
        yield {
            "message": name,
            "count": len(late),
            "late_ms": percentiles(late, unit=1e-3) if len(late) else {},
        }


def _declared(target: BenchTarget) -> Iterator[dict[str, object]]:
    _, rate_hz = recording()
    for hears_hz in dict.fromkeys(head.model.manifest.log_mel.sample_rate_hz for head in target.heads):
        resampler = Resample(rate_hz, hears_hz)
        yield {
            "part": f"resampler, {rate_hz} to {hears_hz} Hz",
            "every_ms": round(1_000 / hears_hz, 3),
            "latency_ms": round(float(1_000 * resampler.latency / rate_hz), 3),
        }
    for head in target.heads:
        chain, hears_hz = Chain(*head.path), head.model.manifest.log_mel.sample_rate_hz
        yield {
            "part": f"{head.name}, front end and all",
            "every_ms": round(float(1_000 * chain.hop / hears_hz), 3),
            "latency_ms": round(float(1_000 * chain.latency / hears_hz), 3),
        }
    for separation in dict.fromkeys(one.separation for one in target.listeners if one.separation):
        stft = separation.model.manifest.stft
        yield {
            "part": "separation, stems",
            "every_ms": round(1_000 * stft.hop_samples / stft.sample_rate_hz, 3),
            "latency_ms": round(1_000 * stft.latency_samples / stft.sample_rate_hz, 3),
        }
