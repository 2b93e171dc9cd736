"""Plain lines: their text, and readers that are slow or gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from streamer.errors import StreamError
from streamer.sinks.line_writer import ReaderGoneError
from streamer.sinks.lines import Lines, line
from tests import bus


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The reading end, and the writing end as a text stream of a locale that knows few letters."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w", encoding="ascii") as stream:
        yield read_end, stream


def _title() -> str:
    return "streamer · publishing"


def test_writes_the_title_and_what_is_news_at_once(pipe: tuple[int, TextIO]) -> None:
    read_end, stream = pipe
    sink = Lines(stream, _title)
    sink.open()
    assert os.read(read_end, 65_536) == b"streamer ? publishing\n"
    for event in (
        bus.status(0),
        bus.gate(0),
        bus.gate(1, state="off", score=0.1),
        bus.status(1, message="lost 3200 samples"),
        bus.status(2, state="ended"),
        bus.status(3),
    ):
        sink.send(event)
        assert os.read(read_end, 65_536).decode() == line(event) + "\n"
    sink.close()
    sink.close()
    os.close(read_end)


def test_passes_over_what_is_no_news(pipe: tuple[int, TextIO]) -> None:
    read_end, stream = pipe
    sink = Lines(stream, _title)
    sink.send(bus.status(0))
    assert os.read(read_end, 65_536).decode() == line(bus.status(0)) + "\n"
    for event in (bus.level(), bus.scores(), bus.spectrum(), bus.gate(1, state="update"), bus.status(1)):
        sink.send(event)
    sink.send(bus.gate(2))
    assert os.read(read_end, 65_536).decode() == line(bus.gate(2)) + "\n"
    os.close(read_end)


def test_lines_are_dropped_while_the_reader_is_full_and_flow_again(pipe: tuple[int, TextIO]) -> None:
    read_end, stream = pipe
    sink = Lines(stream, _title)
    sent = 0
    while sink.dropped_lines < 10:
        sink.send(bus.gate(sent))
        sent += 1
    expected = "".join(line(bus.gate(seq)) + "\n" for seq in range(sent - 10)).encode()
    got = b""
    while len(got) < len(expected):
        got += os.read(read_end, 65_536)
    assert got == expected
    sink.send(bus.gate(sent))
    assert os.read(read_end, 65_536).decode() == line(bus.gate(sent)) + "\n"
    assert sink.dropped_lines == 10
    os.close(read_end)


def test_tells_once_that_the_reader_has_gone(pipe: tuple[int, TextIO]) -> None:
    read_end, stream = pipe
    sink = Lines(stream, _title)
    sink.open()
    os.close(read_end)
    with pytest.raises(ReaderGoneError, match=r"nobody reads .* any more") as caught:
        sink.send(bus.gate())
    assert caught.value.exit_code == 0
    sink.send(bus.gate(1))
    assert sink.dropped_lines == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_told_once() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        sink = Lines(stream, _title)
        with pytest.raises(
            StreamError, match=r"cannot write messages to /dev/full: No space left.*make room"
        ):
            sink.open()
        sink.send(bus.gate())
