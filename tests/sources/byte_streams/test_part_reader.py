"""Test that bytes are parted where files were joined, however they come."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.config_sections import PcmConfig
from streamer.errors import StreamError
from streamer.sources.byte_streams import spooled
from streamer.sources.byte_streams.part_reader import HELD_BYTES, PartReader
from streamer.sources.piped import PipedSource
from streamer.sources.pipes.pipe import PipeReader
from tests.conftest import DEADLINE_S
from tests.sources.format_matrix import FORMATS, Format
from tests.sources.source_contract import read_all

BY_NAME = {form.name: form for form in FORMATS}

PARTED = [
    BY_NAME[name]
    for name in (
        "FLAC (flac)",
        "FLAC in Ogg (flac)",
        "Vorbis (oggenc)",
        "Opus (opusenc)",
        "WavPack (ffmpeg)",
        "TTA (ffmpeg)",
        "AAC in fragmented MP4 (ffmpeg)",
        "AAC in FLV (ffmpeg)",
        "WMA (ffmpeg)",
        "CAF ALAC (ffmpeg)",
        "WAV ADPCM MS (ffmpeg)",
        "VOC (sox)",
        "SPHERE (sox)",
    )
]


def parts_of(content: bytes, piece_bytes: int) -> list[bytes]:
    """Return the parts that a reader gives of bytes that come through a pipe."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as sink, os.fdopen(reading, "rb"):
        writer = threading.Thread(target=_write_and_close, args=(sink, content))
        writer.start()
        reader = PartReader(PipeReader(reading, 1))
        found = [b""]
        while True:
            while not reader.ended:
                reader.wait(DEADLINE_S)
                found[-1] += reader.read(piece_bytes)
            if not reader.goes_on:
                break
            reader.next_part()
            found.append(b"")
        writer.join(DEADLINE_S)
    return found


def _write_and_close(sink: object, content: bytes) -> None:
    with sink as opened:  # type: ignore[attr-defined]
        opened.write(content)


@pytest.mark.parametrize("form", PARTED, ids=lambda form: form.name)
@pytest.mark.parametrize("piece_bytes", [61, HELD_BYTES, 1 << 16])
def test_bytes_are_parted_at_each_joint(tmp_path: Path, form: Format, piece_bytes: int) -> None:
    if not form.has_program:
        pytest.skip(f"{form.command[0]} is not installed")
    one = form.write(tmp_path / f"a.{form.suffix}", 16_000, 1)
    assert parts_of(3 * one, piece_bytes) == 3 * [one]


def test_streams_side_by_side_are_one_part() -> None:
    def page(flags: int, body: bytes, stream: int) -> bytes:
        head = b"OggS\0" + bytes([flags]) + bytes(8) + stream.to_bytes(4, "little") + bytes(8)
        return head + b"\1" + bytes([len(body)]) + body

    link = page(2, b"video", 1) + page(2, b"sound" * 9, 2) + page(0, b"data" * 50, 1) + page(4, b"end", 2)
    for piece_bytes in (7, 1 << 16):
        assert parts_of(2 * link, piece_bytes) == 2 * [link]


def test_what_has_no_joints_comes_as_it_is() -> None:
    content = np.random.default_rng(1).bytes(100_000)
    assert parts_of(b"\xff\xfb" + content, 1_000) == [b"\xff\xfb" + content]


def test_a_file_too_large_to_be_kept_is_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000), 16_000)
    content = BY_NAME["AAC in M4A (ffmpeg)"].write(tmp_path / "a.m4a", 16_000, 1)
    monkeypatch.setattr(spooled, "LARGEST_BYTES", len(content) - 1)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    with (
        closing(PipedSource(tmp_path / "pipe", PcmConfig())) as source,
        pytest.raises(
            StreamError,
            match=r"can only be decoded when it is whole, and is larger than.*save it",
        ),
    ):
        source.open()
    writer.join(DEADLINE_S)


def test_a_file_joined_to_another_that_cannot_be_decoded_is_told_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = BY_NAME["FLAC (flac)"].write(tmp_path / "a.flac", 16_000, 1)
    broken = one[:42] + bytes(3_000)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(one + broken + one,))
    writer.start()
    with closing(PipedSource(tmp_path / "pipe", PcmConfig())) as source:
        source.open()
        assert len(read_all(source)) == 2 * 24_000
    writer.join(DEADLINE_S)
    assert "what comes after it is read" in caplog.text
