"""Measure the cost of listening: `streamer listen` runs in a process of its own, a subscriber in this one.

    python -m benchmarks.listening [--out FILE] [--smoke]

It measures the time to the first message, processor time, memory, and the delay from the capture of a sample to the
receipt of the message about it. It does so for the microphone, if there is one, and for the bundled recording in real
time, whose samples fall due at times that are known exactly. Then it measures what the same work takes without rest in
between.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

from benchmarks.report import arguments, machine, percentiles, write
from streamer.audio.devices import portaudio_inputs
from streamer.config import TURN_S, Config
from streamer.config_sections import PublishConfig
from streamer.demo_recording import DEMO_PATH
from streamer.events.kinds import Event
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.build_heads import build_heads
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from streamer.sources.source import Block
from streamer.wire.subscriber import Subscriber

STREAMER = str(Path(sys.executable).with_name("streamer"))
SETTLE_S = 2.0
"""Time before anything is counted, because what happens once at the start is not the cost of listening."""


def used_s(program: psutil.Process) -> float:
    """Return the processor time of a program and of its children, such as `parec`, which hears a microphone."""
    times = [each.cpu_times() for each in (program, *program.children())]
    return sum(each.user + each.system for each in times)


@contextmanager
def listening(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Subscriber]]:
    """Run `streamer listen` on a free port with a subscriber that was connected before it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    with Subscriber((), address) as subscriber:
        process = subprocess.Popen(
            [STREAMER, "listen", *arguments, "--bind", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process, subscriber
        finally:
            process.terminate()
            process.wait()


def first_message_s(device: str) -> float:
    """Return the seconds from the command to its first message."""
    before = time.monotonic()
    with listening("--device", device) as (_, subscriber):
        receive(subscriber)
        return time.monotonic() - before


def receive(subscriber: Subscriber) -> Event:
    event = subscriber.receive(30.0)
    if event is None:
        raise RuntimeError("streamer listen published nothing for 30 s")
    return event


def cost(device: str, seconds: float) -> dict[str, Any]:
    """Measure processor share, memory and delays over `seconds` of listening."""
    with listening("--device", device) as (process, subscriber):
        receive(subscriber)
        watched = psutil.Process(process.pid)
        collect(subscriber, SETTLE_S)
        before_s, began = used_s(watched), time.monotonic()
        found = collect(subscriber, seconds)
        spent_s, took_s = used_s(watched) - before_s, time.monotonic() - began
        memory = watched.memory_info().rss
        lost = sum(subscriber.lost.values())
    delays_s = {
        kind: late_s
        for kind in ("level", "scores")
        if (late_s := [each.late_s for each in found if each.event.kind == kind])
    }
    return {
        "seconds": round(took_s, 1),
        "percent_of_one_core": round(100 * spent_s / took_s, 2),
        "memory_mb": round(memory / 1e6, 1),
        "delay_ms": {kind: percentiles(np.array(values), 1e-3) for kind, values in delays_s.items()},
        "messages": {kind: len(values) for kind, values in delays_s.items()},
        "lost_messages": lost,
    }


@dataclass(frozen=True)
class Received:
    """A received message.

    Attributes
    ----------
    at : float
        Time of receipt, on the clock of `time.monotonic`.
    event : Event
        The message.
    late_s : float
        Time since its last sample was captured; 0 if that is unknown.
    """

    at: float
    event: Event
    late_s: float


def collect(subscriber: Subscriber, seconds: float) -> list[Received]:
    """Return all that is received for `seconds`."""
    found = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        event = receive(subscriber)
        late_s = time.time() - event.time.timestamp() if event.time else 0.0
        found.append(Received(time.monotonic(), event, late_s))
    return found


def back_to_back_percent() -> float:
    """Measure the share of a core that the bundled recording takes without rest between turns.

    This is the same work as live, except for the device and the socket. What `cost` measures above it is the price of
    being woken, with cold caches, some thirty times a second.
    """
    samples, rate_hz = soundfile.read(DEMO_PATH, dtype="float32", always_2d=True)
    pipeline = Pipeline("recording", Column(rate_hz, build_heads(Config(), ModelCache()), PublishConfig()))
    frames = round(TURN_S * rate_hz)
    blocks = [Block(n, samples[n : n + frames], None) for n in range(0, len(samples), frames)]
    warm_up = Pipeline("warm-up", Column(rate_hz, build_heads(Config(), ModelCache()), PublishConfig()))
    for block in blocks[:100]:
        warm_up.step(block)
    before = time.process_time()
    for block in blocks:
        pipeline.step(block)
    return round(100 * (time.process_time() - before) / (len(samples) / rate_hz), 2)


def main() -> None:
    asked = arguments(__doc__ or "")
    seconds, starts = (2.0, 1) if asked.smoke else (30.0, 7)
    devices = [f"file:{DEMO_PATH}"]
    if not asked.smoke and portaudio_inputs():
        devices.append("mic")
    result: dict[str, Any] = {
        "machine": machine(["numba", "numpy", "onnxruntime", "pyzmq", "sounddevice", "soxr"])
    }
    result["back_to_back_percent_of_one_core"] = back_to_back_percent()
    print(f"back to back: {result['back_to_back_percent_of_one_core']} % of one core")
    for device in devices:
        first_message_s(device)  # fills the cache of compiled code
        first_s = [first_message_s(device) for _ in range(starts)]
        measured = {
            "first_message_s": {"median": round(float(np.median(first_s)), 3), "max": round(max(first_s), 3)},
            **cost(device, seconds),
        }
        result["mic" if device == "mic" else "recording"] = measured
        print(f"{device}: first message after {measured['first_message_s']['median']} s (median of {starts})")
        print(f"  {measured['percent_of_one_core']} % of one core, {measured['memory_mb']} MB")
        for kind, figures in measured["delay_ms"].items():
            print(f"  {kind}: capture to receipt {figures['p50']} ms (median), {figures['p99']} ms (p99)")
    write(result, asked.out)


if __name__ == "__main__":
    main()
