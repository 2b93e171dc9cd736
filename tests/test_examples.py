"""The example subscribers, really run, in Python and in JavaScript."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.events.serialization import header_json
from tests import bus
from tests.conftest import DEADLINE_S
from tests.programs import ended

EXAMPLES = Path(__file__).parents[1] / "examples"
JAVASCRIPT = EXAMPLES / "javascript"


@pytest.fixture
def javascript() -> list[str]:
    """The JavaScript example's command; skipped, and said so, where its package is not installed."""
    node = shutil.which("node")
    if node and (JAVASCRIPT / "node_modules" / "zeromq").is_dir():
        return [node, str(JAVASCRIPT / "subscribe.mjs")]
    reason = "the JavaScript example needs node and `npm ci` in examples/javascript"
    if os.environ.get("STREAMER_REQUIRE_NODE") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def test_python_example() -> None:
    check_example([sys.executable, str(EXAMPLES / "subscribe.py")])


def test_javascript_example(javascript: list[str]) -> None:
    check_example(javascript)


def check_example(command: list[str]) -> None:
    """Run an example against a publisher: late, then live, with a loss, a stream not asked for, and Ctrl-C."""
    with bus.publishing() as publisher:
        publisher.send(bus.gate(4))
        topics = ["spectrum", "scores", "level", "status", "gate/mic"]
        started = subprocess.Popen(
            [*command, publisher.address, *topics], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with ended(started) as process:
            assert process.stdout is not None
            bus.wait_for_output(process, publisher)
            spectrum = bus.spectrum(0)
            live = [
                bus.gate(4, replay=True),
                bus.gate(0, stream="mic2"),
                bus.gate(7, state="off", score=0.25),
                bus.scores(0),
                bus.level(0),
                spectrum,
                bus.status(0, message="Überlauf"),
            ]
            for event in live:
                publisher.send(event)
            lines = [process.stdout.readline() for _ in range(6)]
            process.send_signal(signal.SIGINT)
            rest, complaints = process.communicate(timeout=DEADLINE_S)
    peak = f"{spectrum.frames.max():.2f}"
    assert [line.split() for line in lines] == [
        ["0.05", "s", "gate/mic", "on", "music", "0.97"],
        ["0.08", "s", "gate/mic", "off", "music", "0.25"],
        ["0.01", "s", "scores/mic", "gate:", "music", "sounds:", "Hähnekrähen"],
        ["0.01", "s", "level/mic", "-20.5", "dBFS"],
        ["0.01", "s", "spectrum/mic", "3", "x", "64", "peak", peak],
        ["0.01", "s", "status/mic", "running", "Überlauf"],
    ]
    assert (rest, complaints) == ("2 messages lost\n", "")
    assert process.returncode == 0


def test_the_examples_in_the_specification_are_real() -> None:
    text = (EXAMPLES.parent / "docs" / "wire.md").read_text(encoding="utf-8")
    shown = [
        bus.gate(7, replay=True),
        bus.scores(2),
        bus.level(1),
        bus.spectrum(0),
        bus.status(3, uptime_s=9.5, source="mic", clock="capture"),
    ]
    for event in shown:
        assert header_json(event) in text, header_json(event)
