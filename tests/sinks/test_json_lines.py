"""JSON lines: one header in each line, and readers that are slow or gone."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from streamer.errors import StreamError
from streamer.events.serialization import header
from streamer.sinks.json_lines import JsonLines, LiveJsonLines
from streamer.sinks.line_writer import ReaderGoneError
from tests import bus

PROGRAM = """
import sys
from streamer.sinks.json_lines import JsonLines
from streamer.sinks.line_writer import ReaderGoneError
from tests.bus import gate

sink = JsonLines(sys.stdout)
sink.open()
try:
    for seq in range(1_000_000):
        sink.send(gate(seq))
except ReaderGoneError as error:
    sink.send(gate(0))  # told once; from here on it is quiet
    sink.close()
    sys.exit(error.exit_code)
sys.exit("the reader went and nothing was said")
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The reading end, and the writing end as a text stream."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w", encoding="latin-1") as stream:
        yield read_end, stream


def test_writes_one_header_a_line_at_once(pipe: tuple[int, TextIO]) -> None:
    read_end, stream = pipe
    sink = JsonLines(stream)
    sink.open()
    for event in (bus.gate(), bus.scores(1), bus.spectrum(2)):
        sink.send(event)
        line = os.read(read_end, 65_536).decode("utf-8")  # not latin-1, although the stream was opened so
        assert line.endswith("\n")
        assert line.count("\n") == 1
        assert json.loads(line) == json.loads(json.dumps(header(event)))
    sink.close()
    sink.close()
    os.close(read_end)


def test_tells_once_that_the_reader_has_gone(pipe: tuple[int, TextIO]) -> None:
    read_end, stream = pipe
    sink = JsonLines(stream)
    sink.open()
    os.close(read_end)
    with pytest.raises(ReaderGoneError, match=r"nobody reads .* any more") as caught:
        sink.send(bus.gate())
    assert caught.value.exit_code == 0
    sink.send(bus.gate(1))


def test_a_reader_that_leaves_early_ends_the_program_quietly() -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.stdout.close()
        complaints = process.stderr.read()
    assert [json.loads(line)["seq"] for line in lines] == [0, 1, 2]
    assert complaints == ""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        sink = JsonLines(stream)
        sink.open()
        with pytest.raises(
            StreamError, match=r"cannot write messages to /dev/full: No space left.*make room"
        ):
            sink.send(bus.gate())
        sink.send(bus.gate(1))


def test_live_lines_are_dropped_while_the_reader_is_full_and_flow_again(pipe: tuple[int, TextIO]) -> None:
    read_end, stream = pipe
    sink = LiveJsonLines(stream)
    sink.open()
    sent = 0
    while sink.dropped_lines < 10:
        sink.send(bus.gate(sent))
        sent += 1
    text = _drain(read_end)
    sink.send(bus.gate(sent))
    text += os.read(read_end, 65_536)
    os.close(read_end)
    sequence = [json.loads(line)["seq"] for line in text.splitlines()]
    assert sequence == [*range(sent - 10), sent]


def test_live_lines_tell_that_the_reader_has_gone(pipe: tuple[int, TextIO]) -> None:
    read_end, stream = pipe
    sink = LiveJsonLines(stream)
    sink.open()
    os.close(read_end)
    with pytest.raises(ReaderGoneError, match="nobody reads"):
        sink.send(bus.gate())


def test_any_text_stream_will_do() -> None:
    stream = io.StringIO()
    sink = JsonLines(stream)
    sink.open()
    sink.send(bus.gate(4))
    sink.close()
    assert json.loads(stream.getvalue())["seq"] == 4


def _drain(read_end: int) -> bytes:
    """Everything that waits in a pipe."""
    text = b""
    os.set_blocking(read_end, False)
    try:
        while chunk := os.read(read_end, 65_536):
            text += chunk
    except BlockingIOError:
        pass
    os.set_blocking(read_end, True)
    return text
