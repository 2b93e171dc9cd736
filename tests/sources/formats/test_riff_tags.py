"""Test the tags of WAV files that tell when a recording began, and those of other formats."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.sources.file import FileSource
from streamer.sources.formats.riff_tags import riff_tags
from streamer.start_time import beginning

RATE = 16_000
XML = (
    "<?xml version='1.0'?><BWFXML><BEXT><BWF_ORIGINATION_DATE>2026-01-30</BWF_ORIGINATION_DATE>"
    "<BWF_ORIGINATION_TIME>10:00:00</BWF_ORIGINATION_TIME><BWF_TIME_REFERENCE_LOW>5</BWF_TIME_REFERENCE_LOW>"
    "<BWF_TIME_REFERENCE_HIGH>1</BWF_TIME_REFERENCE_HIGH></BEXT></BWFXML>"
)


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def bext(date: str = "2026-01-31", moment: str = "18:59:59", samples: int = 7) -> bytes:
    fields = (b"".ljust(320, b"\0"), date.encode(), moment.encode(), struct.pack("<Q", samples))
    return chunk(b"bext", b"".join(fields).ljust(602, b"\0"))


def wav(before: bytes = b"", behind: bytes = b"", magic: bytes = b"RIFF") -> bytes:
    sound = np.zeros(RATE, "<i2").tobytes()
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))
    long = magic == b"RF64"
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, len(sound), RATE, 0)) if long else b""
    data = b"data" + struct.pack("<I", 0xFFFFFFFF if long else len(sound)) + sound
    body = b"WAVE" + sizes + before + form + data + behind
    return magic + struct.pack("<I", 0xFFFFFFFF if long else len(body)) + body


@pytest.mark.parametrize("magic", [b"RIFF", b"RF64"])
@pytest.mark.parametrize("place", ["before", "behind"])
def test_broadcast_wav(tmp_path: Path, magic: bytes, place: str) -> None:
    info = chunk(b"LIST", b"INFO" + chunk(b"ICMT", b"odd\0") + chunk(b"ICRD", b"2026-01-31T10:00:00\0"))
    chunks = bext() + chunk(b"iXML", XML.encode()) + info
    path = tmp_path / "a.wav"
    path.write_bytes(wav(**{place: chunks}, magic=magic))
    expected = {
        "origination_date": "2026-01-31",
        "origination_time": "18:59:59",
        "time_reference": "7",
        "comment": "odd",
        "date": "2026-01-31T10:00:00",
    }
    assert riff_tags(path) == expected
    source = FileSource(path)
    source.open()
    assert dict(source.tags) == expected
    source.close()


def test_xml_and_guano(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    guano = chunk(b"guan", b"GUANO|Version: 1.0\nTimestamp: 2026-01-31T10:00:00+01:00\nTE: 1\n")
    path.write_bytes(wav(behind=chunk(b"iXML", XML.encode()) + guano))
    assert riff_tags(path) == {
        "origination_date": "2026-01-30",
        "origination_time": "10:00:00",
        "time_reference": str((1 << 32) + 5),
        "timestamp": "2026-01-31T10:00:00+01:00",
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"fLaC" + bytes(100),
        wav()[:50],
        wav(bext()[:200]),
        wav(chunk(b"bext", bytes(10)) + chunk(b"LIST", b"INFOICMT\xff\xff\xff\xff")),
        b"RIFF\0\0\0\0WAVE" + bytes(4_000),
    ],
)
def test_damaged_headers_tell_nothing_and_do_no_harm(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert beginning("auto", "a.wav", riff_tags(path), RATE) is None


def test_texts_of_flac(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        file.date = "2026-01-31T23:59:59Z"
        file.write(np.zeros(RATE))
    source = FileSource(path)
    source.open()
    assert source.tags["date"] == "2026-01-31T23:59:59Z"
    source.close()


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize("name", ["a.m4a", "a.mkv", "a.mov", "a.opus"])
def test_creation_times(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    tag = ["-metadata", "creation_time=2026-01-31T23:59:59Z"]
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=1", *tag, path], check=True)
    source = FileSource(path)
    source.open()
    assert source.tags["creation_time"].startswith("2026-01-31T23:59:59")
    source.close()
