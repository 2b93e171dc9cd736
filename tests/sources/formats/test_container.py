"""Test containers of PCM whose headers say too little, too much or nothing about their length."""

from __future__ import annotations

import logging
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.errors import StreamError
from streamer.sources.file import FileSource
from streamer.sources.formats.container import ContainerSource, Unpacker
from streamer.sources.formats.containers.survey import survey
from streamer.sources.pipes.byte_input import FileInput
from tests.sources.source_contract import check_source, read_all

FRAMES = 30_000

LENGTHS = {
    "WAV": (b"data", 4, "<I"),
    "AIFF": (b"SSND", 4, ">I"),
    "AU": (b".snd", 8, ">I"),
    "CAF": (b"data", 4, ">q"),
    "W64": (b"data\xf3\xac\xd3\x11", 16, "<Q"),
    "RF64": (b"ds64", 16, "<Q"),
}
"""For each container, a mark, how far behind its beginning the length of the sound stands, and its type."""

PLACEHOLDERS = {
    "I": (0, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0xFFFFFFFF),
    "q": (0, -1, 4),
    "Q": (0, 24, 2**63 - 1),
}


def sound(frames: int = FRAMES, seed: int = 4) -> Array:
    counts = np.random.default_rng(seed).integers(-(2**14), 2**14, (frames, 2))
    return (counts / 2**15).astype(np.float32)


def written(path: Path, kind: str, subtype: str = "PCM_16", seed: int = 4) -> bytearray:
    soundfile.write(path, sound(seed=seed), 22_050, format=kind, subtype=subtype)
    return bytearray(path.read_bytes())


def with_length(content: bytearray, kind: str, length: int) -> bytes:
    mark, offset, layout = LENGTHS[kind]
    struct.pack_into(layout, content, content.index(mark) + offset, length)
    return bytes(content)


def opened(path: Path) -> FileSource:
    source = FileSource(path)
    source.open()
    return source


@pytest.mark.parametrize(
    ("kind", "length"),
    [
        (kind, length)
        for kind, (_, _, layout) in LENGTHS.items()
        for length in (*PLACEHOLDERS[layout[-1]], 2_048 * 4)
    ],
)
def test_all_sound_is_heard_whatever_length_a_killed_recorder_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, length: int
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(with_length(written(path, kind), kind, length))
    source = opened(path)
    assert source.total_s is not None
    assert source.total_s == pytest.approx(FRAMES / 22_050)
    np.testing.assert_array_equal(read_all(source), sound())
    assert caplog.text == ""


@pytest.mark.parametrize("kind", LENGTHS)
def test_files_joined_end_to_end_are_heard_in_turn(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(written(path, kind, seed=1) + written(path, kind, seed=2))
    np.testing.assert_array_equal(read_all(opened(path)), np.concatenate([sound(seed=1), sound(seed=2)]))


def test_another_format_behind_the_first_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(written(path, "WAV") + written(path, "WAV", "PCM_24"))
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_all(opened(path)), sound())
    assert f"goes on with sound of another format after frame {FRAMES}, which is not read" in caplog.text


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "CAF", "W64"])
def test_chunks_behind_the_sound_are_not_heard(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    content = written(path, kind)
    chunk = {
        "WAV": b"LIST" + struct.pack("<I", 8) + b"INFOabcd",
        "AIFF": b"ANNO" + struct.pack(">I", 8) + b"by hands",
        "CAF": b"info" + struct.pack(">q", 8) + bytes(8),
        "W64": b"levl\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a" + struct.pack("<Q", 32) + bytes(8),
    }[kind]
    path.write_bytes(content + chunk)
    walk, spans = survey(path)
    assert (walk.went_on, [length for _, length in spans]) == (False, [FRAMES * 4])
    np.testing.assert_array_equal(read_all(opened(path)), sound())


@pytest.mark.parametrize("kind", LENGTHS)
def test_what_is_cut_short_says_by_how_much(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(written(path, kind)[:-44_100])
    with caplog.at_level(logging.WARNING):
        got = read_all(opened(path))
    assert len(got) == FRAMES - 11_025
    assert "is cut short (44100 bytes, or 0.50 s, of the sound that it announces are missing)" in caplog.text
    assert f"{len(got)} frames are read" in caplog.text


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        *(("WAV", name) for name in ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
        *(
            ("AIFF", name)
            for name in ("PCM_S8", "PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
        ),
        *(("AU", name) for name in ("PCM_S8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
        *(("CAF", name) for name in ("PCM_S8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
        *(("W64", name) for name in ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "ULAW")),
    ],
)
def test_every_encoding_is_as_libsndfile_decodes_it(tmp_path: Path, kind: str, subtype: str) -> None:
    path = tmp_path / "a"
    written(path, kind, subtype)
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    source = ContainerSource(FileInput(path))
    source.open()
    np.testing.assert_allclose(read_all(source), expected, rtol=0, atol=1e-7)


def test_contract(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(with_length(written(path, "WAV"), "WAV", 0))
    check_source(lambda: FileSource(path), sound(), 22_050)


@pytest.mark.parametrize("kind", LENGTHS)
def test_bytes_may_come_in_any_pieces(tmp_path: Path, kind: str) -> None:
    content = written(tmp_path / "a", kind) + written(tmp_path / "a", kind)
    whole, pieces = Unpacker(), Unpacker()
    whole.feed(bytes(content), is_last=True)
    for at in range(0, len(content), 997):
        pieces.feed(bytes(content[at : at + 997]), is_last=at + 997 >= len(content))
    assert whole.ended
    assert pieces.ended
    assert len(whole.sound) == 2 * FRAMES * 4
    assert pieces.sound == whole.sound


def test_a_container_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((0, 1)), 16_000)
    with pytest.raises(StreamError, match=r"a.wav holds no sound \(0 frames\); expected at least 1 frame"):
        opened(path)
    with pytest.raises(StreamError, match=r"a.wav holds no sound \(0 frames\)"):
        read_all_of_container(path)


def read_all_of_container(path: Path) -> Array:
    source = ContainerSource(FileInput(path))
    source.open()
    return read_all(source)
