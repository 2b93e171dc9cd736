"""Measure what waits for a subscriber that sleeps, and whether one that reads loses anything of the largest bursts.

python -m benchmarks.slow_subscriber [--out FILE] [--smoke]

First, a publisher sends more than can wait to a subscriber that does not read, and stops; then the subscriber reads
what waited. It is counted for short and long messages, over TCP, with keys and over a socket file, for `subscribe` and
for a ZeroMQ socket with its default options, as other languages have it. Then `streamer listen` runs in a process of
its own on the bundled recording: many streams, spectra of many streams, and files as fast as possible. A subscriber
that reads counts what comes at once, and what it lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile
import zmq

from benchmarks.lateness import Case, write_config
from benchmarks.listening import listening
from benchmarks.report import arguments, machine, write
from streamer.events.kinds import Event, Level, Spectrum, Status
from streamer.events.serialization import encode
from streamer.sinks.publisher import Publisher
from streamer.wire.keys import make_keys
from streamer.wire.subscriber import subscribe

SENT = 30_000
"""Messages that are sent to the sleeping subscriber: more than wait with any options."""
GROUP, PAUSE_S = 200, 0.002
"""Messages that are sent at once, and the pause after them, in which ZeroMQ's threads move them on."""
QUIET_S = 0.5
"""Time without a message after which all that waited was read."""
SPAN_S = (0.05, 1.0)
"""Spans in which the most messages are counted."""

CASES = (
    Case("300 streams, gate alone", 300, '[models]\nsounds = "off"\ngenre = "off"'),
    Case("50 streams with spectra", 50, "[publish]\nspectrum = true"),
    Case("8 files, --fast", 8),
    Case("50 files, --fast", 50),
)


@dataclass(frozen=True)
class Connection:
    """A way from the publisher to the subscriber."""

    name: str
    address: str = "tcp://127.0.0.1:*"
    has_keys: bool = False
    has_default_options: bool = False


CONNECTIONS = (
    Connection("TCP"),
    Connection("TCP with keys", has_keys=True),
    Connection("socket file", "ipc://{folder}/socket"),
    Connection("TCP, ZeroMQ's default options", has_default_options=True),
)


def waiting(connection: Connection, event: Callable[[int], Event], sent: int) -> int:
    """Return the number of messages that wait for a subscriber that does not read."""
    with TemporaryDirectory() as text, ExitStack() as stack:
        folder = Path(text)
        if connection.has_keys:
            make_keys(folder / "keys", ["laptop"])
        keys, client = (
            (folder / "keys", folder / "keys/clients/laptop") if connection.has_keys else (None, None)
        )
        publisher = Publisher(connection.address.format(folder=folder), keys)
        publisher.open()
        stack.callback(publisher.close)
        publisher.send(_status(0))  # repeated to a new subscriber, which shows that it is connected
        if connection.has_default_options:
            socket: zmq.Socket[bytes] = stack.enter_context(zmq.Context.instance().socket(zmq.SUB))
            socket.subscribe("")
            socket.connect(publisher.address)
        else:
            socket = stack.enter_context(subscribe(address=publisher.address, keys=client))._socket
        while not socket.poll(1):
            publisher.service()
        socket.recv_multipart()
        for number in range(sent):
            publisher.send(event(number))
            if number % GROUP == 0:
                time.sleep(PAUSE_S)
        count = 0
        while socket.poll(1_000 * QUIET_S):
            socket.recv_multipart()
            count += 1
        return count


def burst(case: Case, seconds: float, options: Sequence[str]) -> dict[str, Any]:
    """Return the most messages that came at once, and how many a subscriber that reads has lost."""
    at_s: list[float] = []
    with TemporaryDirectory() as folder:
        config = write_config(case, Path(folder))
        _shorten(Path(folder), seconds)
        with listening("--config", str(config), *options) as (process, subscriber):
            while process.poll() is None:
                while subscriber.receive(QUIET_S):
                    at_s.append(time.monotonic())
            lost = subscriber.lost.total()
    at = np.array(at_s)
    most = {
        f"{span_s:g} s": int((np.arange(len(at)) - np.searchsorted(at, at - span_s)).max()) + 1
        for span_s in SPAN_S
    }
    return {"messages": len(at), "most_in": most, "lost": lost}


def _shorten(folder: Path, seconds: float) -> None:
    for path in folder.glob("*.wav"):
        samples, rate_hz = soundfile.read(path, always_2d=True)
        soundfile.write(path, samples[: round(seconds * rate_hz)], rate_hz)


def _level(seq: int) -> Event:
    return Level(**_place("level", seq), rms_dbfs=-20.5, peak_dbfs=-3.0)


def _status(seq: int) -> Event:
    versions = {"streamer": "1.0.0", "gate": "0123456789ab", "ear": "0123456789ab", "sounds": "0123456789ab"}
    return Status(**_place("status", seq), state="running", pid=4711, versions=versions, source="mic")


def _spectrum(seq: int) -> Event:
    return Spectrum(**_place("spectrum", seq), front_end="ab12", frames=np.zeros((16, 64), np.float32))


def _place(kind: str, seq: int) -> dict[str, Any]:
    span = {"epoch": 0, "start": 1_600_000, "stop": 1_601_600, "rate": 16_000, "time": datetime.now(UTC)}
    return {
        "kind": kind,
        "stream": "mic",
        "seq": seq,
        "latency_ms": None if kind == "status" else 12.5,
        **span,
    }


def main() -> None:
    asked = arguments(__doc__ or "")
    result: dict[str, Any] = {"machine": machine(["numpy", "pyzmq"]), "waiting": {}, "bursts": {}}
    for event in (_level, _status, _spectrum):
        message_bytes = sum(map(len, encode(event(0))))
        for connection in CONNECTIONS[:1] if asked.smoke else CONNECTIONS:
            found = waiting(connection, event, 5_000 if asked.smoke else SENT)
            result["waiting"].setdefault(connection.name, {})[message_bytes] = found
            print(f"{connection.name}: {found} messages of {message_bytes} bytes wait")
    for case in () if asked.smoke else CASES:
        options = ["--fast"] if "--fast" in case.name else []
        found = result["bursts"][case.name] = burst(case, 30.0 if options else 10.0, options)
        most = ", ".join(f"{count} in {span}" for span, count in found["most_in"].items())
        print(f"{case.name}: {found['messages']} messages, at most {most}; {found['lost']} lost")
    write(result, asked.out)


if __name__ == "__main__":
    main()
