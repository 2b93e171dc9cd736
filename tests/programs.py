"""Streamer as other people run it: its programs, in processes of their own."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from streamer.events.serialization import header_json
from streamer.wire.subscriber import Subscriber
from tests.conftest import DEADLINE_S

STREAMER = str(Path(sys.executable).with_name("streamer"))


def streamer(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run `streamer` to its end."""
    return subprocess.run(
        [STREAMER, *arguments], input=stdin, capture_output=True, timeout=DEADLINE_S, check=False
    )


def refused(code: int, text: str, *arguments: str, stdin: bytes | None = None) -> None:
    """The program says one line and leaves with `code`."""
    done = streamer(*arguments, stdin=stdin)
    said = done.stderr.decode()
    assert done.returncode == code, said
    assert "Traceback" not in said
    errors = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, said
    assert re.search(text, errors[0]), said


@contextmanager
def running(
    *arguments: str, stdin: int | None = subprocess.DEVNULL, stdout: int | IO[bytes] = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `streamer` while entered; it is asked to stop, and then made to."""
    process = subprocess.Popen(
        [STREAMER, *arguments],
        bufsize=0,  # what is read ahead with a line is not in what `communicate` gives
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Wait for a process on leaving, but kill it where the test fails: it may be waiting for the test."""
    with process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def messages(lines: bytes) -> list[dict[str, Any]]:
    """Headers printed one a line."""
    return [json.loads(line) for line in lines.splitlines()]


def of_the_sound(headers: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is said of the sound alone: without the process, its clock and the stream's name."""
    return [
        {key: value for key, value in header.items() if key not in ("stream", "source", "time", "latency_ms")}
        for header in headers
        if header["kind"] != "status"
    ]


def free_address() -> str:
    """A loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def received(subscriber: Subscriber, count: int, deadline_s: float = DEADLINE_S) -> list[dict[str, Any]]:
    """The next `count` messages as headers."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        event = subscriber.receive(deadline_s)
        assert event is not None, f"{len(found)} of {count} messages came in {deadline_s} s: {found}"
        found.append(json.loads(header_json(event)))
    return found


def gate_changes(headers: Sequence[dict[str, Any]]) -> list[tuple[str, float]]:
    """State and second since when, of each decision of the gate but updates."""
    told = [h for h in headers if h["kind"] == "gate" and h["state"] != "update"]
    return [(h["state"], h["start"] / h["rate"]) for h in told]


def assert_alike(said: Any, expected: Any) -> None:
    """Equal, but for the last digits of numbers that a model gave: they depend on how sound was cut into steps."""
    if isinstance(expected, dict):
        assert said.keys() == expected.keys()
        for key, value in expected.items():
            assert_alike(said[key], value)
    elif isinstance(expected, list):
        assert len(said) == len(expected)
        for one, other in zip(said, expected, strict=True):
            assert_alike(one, other)
    elif isinstance(expected, float):
        assert said == pytest.approx(expected, abs=2e-5)
    else:
        assert said == expected
