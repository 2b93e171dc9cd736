"""Test that lines are read from a pipe whole, and without waiting."""

from __future__ import annotations

import os

from streamer.sources.pipes.line_reader import READ_BYTES, LineReader


def test_lines_come_when_they_are_whole() -> None:
    ours, theirs = os.pipe()
    try:
        reader = LineReader(ours)
        assert reader.read() == []
        os.write(theirs, b"one\ntwo\rth")
        assert reader.read() == ["one", "two"]
        os.write(theirs, b"ree\r\n\xff\nlast")
        assert reader.read() == ["three", "\N{REPLACEMENT CHARACTER}"]
        assert not reader.ended
        os.close(theirs)
        assert reader.read() == []
        assert reader.ended
    finally:
        os.close(ours)


def test_of_a_line_that_is_too_long_the_end_is_kept() -> None:
    ours, theirs = os.pipe()
    try:
        reader = LineReader(ours)
        os.write(theirs, b"a" * READ_BYTES)
        assert reader.read() == []
        os.write(theirs, b"b" * READ_BYTES + b"\n")
        (line,) = reader.read()
        assert line.endswith("b" * READ_BYTES)
        assert len(line) <= 2 * READ_BYTES
    finally:
        os.close(theirs)
        os.close(ours)
