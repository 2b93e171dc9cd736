"""Test standard input and named pipes, through which raw PCM or a sound file comes."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.config import Config, StreamConfig
from streamer.config_sections import PcmConfig
from streamer.errors import ConfigError, EndedError, StreamError
from streamer.sources.file import FileSource
from streamer.sources.formats.pcm_encoding import ENCODINGS, pcm_encoding
from streamer.sources.open_source import name_for, source_for
from streamer.sources.piped import PipedSource
from tests.conftest import DEADLINE_S
from tests.sources.source_contract import read_all

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def sound(frames: int = 40_000) -> Array:
    counts = np.random.default_rng(9).integers(-(2**14), 2**14, (frames, 2))
    return (counts / 2**15).astype(np.float32)


@contextmanager
def fed(path: Path, content: bytes) -> Iterator[Path]:
    """Write `content` into a named pipe, and close it."""
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(content,))
    writer.start()
    try:
        yield path
    finally:
        writer.join(DEADLINE_S)


def heard(path: Path, pcm: PcmConfig) -> tuple[int, Array]:
    with closing(PipedSource(path, pcm)) as source:
        source.open()
        return source.rate_hz, read_all(source)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", []),
        ("a.aiff", []),
        ("a.flac", []),
        ("a.ogg", ["-c:a", "libvorbis"]),
        ("a.opus", ["-ar", "48000"]),
        ("tagged.mp3", ["-c:a", "libmp3lame"]),
        ("plain.mp3", ["-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0"]),
        ("a.aac", []),
        ("a.ts", ["-c:a", "aac"]),
        ("a.mkv", []),
    ],
)
@needs_ffmpeg
def test_a_sound_file_through_a_pipe_is_heard_as_the_file_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, options: list[str]
) -> None:
    soundfile.write(tmp_path / "in.wav", sound(), 44_100)
    path = tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "in.wav", *options, path], check=True)
    with closing(FileSource(path)) as source:
        source.open()
        expected, expected_rate_hz = read_all(source), source.rate_hz
    with fed(tmp_path / "pipe", path.read_bytes()) as pipe:
        rate_hz, got = heard(pipe, PcmConfig())
    assert rate_hz == expected_rate_hz
    # ffmpeg does not cut the padding of a Vorbis that lies in one page.
    assert 0 <= len(got) - len(expected) <= (256 if name == "a.ogg" else 0)
    np.testing.assert_allclose(got[: len(expected)], expected, rtol=0, atol=3e-5)
    assert caplog.text == ""


def test_raw_sound_is_no_sound_file(tmp_path: Path) -> None:
    with fed(tmp_path / "pipe", np.round(sound() * 2**15).astype("<i2").tobytes()) as pipe:
        rate_hz, got = heard(pipe, PcmConfig())
    assert rate_hz == 16_000
    np.testing.assert_array_equal(got[:, 0], sound().ravel())


def test_a_header_is_told_and_heard_as_noise_if_a_format_was_given(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    soundfile.write(tmp_path / "a.wav", sound(), 44_100)
    content = (tmp_path / "a.wav").read_bytes()
    with fed(tmp_path / "pipe", content) as pipe, caplog.at_level(logging.WARNING):
        rate_hz, got = heard(pipe, PcmConfig(22_050, 2, "S16_LE"))
    assert (rate_hz, len(got)) == (22_050, len(content) // 4)
    assert "begins with the header of a sound file (RIFF), which is heard as noise" in caplog.text


def test_a_named_pipe_is_a_device_with_and_without_file(tmp_path: Path) -> None:
    pipe = tmp_path / "radio one.fifo"
    os.mkfifo(pipe)
    for device in (str(pipe), f"file:{pipe}"):
        assert isinstance(source_for(StreamConfig(device), Config(), realtime=True), PipedSource)
        assert name_for(device) == "radio-one"


def test_a_pipe_that_nobody_writes_to_can_be_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with closing(PipedSource(tmp_path / "pipe", PcmConfig())) as source:
        threading.Timer(0.1, source.give_up_opening).start()
        with pytest.raises(StreamError, match="was not waited for any longer"):
            source.open()


def test_a_live_pipe_whose_writer_leaves_is_filled_by_the_next_one(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "pipe")
    with closing(PipedSource(path, PcmConfig(16_000, 1, "s16le"))) as source:
        for _ in range(2):
            source.open()
            with path.open("wb", buffering=0) as writer:
                writer.write(bytes(2 * 320))  # 20 ms, as they come from a microphone
                block = source.read(16_000)
                assert block is not None
                assert (block.start, block.stop) == (0, 320)
                assert source.is_live
            with pytest.raises(
                EndedError, match=r"pipe .* ended: its writer closed it; expected a live writer"
            ):
                source.read(16_000)
            source.close()


@needs_ffmpeg
@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if not name.endswith("_in_32")])
def test_every_encoding_is_as_ffmpeg_decodes_it(encoding: str) -> None:
    raw = ["-ar", "8000", "-ac", "1", "-i", "-"]
    written = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "f32le", *raw, "-f", encoding, "-"],
        input=sound().astype("<f4").tobytes(),
        capture_output=True,
        check=True,
    ).stdout
    read = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", encoding, *raw, "-f", "f32le", "-"],
        input=written,
        capture_output=True,
        check=True,
    ).stdout
    np.testing.assert_array_equal(ENCODINGS[encoding].decoded(written), np.frombuffer(read, "<f4"))


def test_arecord_s_24_bits_lie_low_in_32() -> None:
    counts = np.array([0, 1, -1, 2**23 - 1, -(2**23)], "<i4") & 0xFFFFFF
    for name, dtype in (("S24_LE", "<i4"), ("S24_BE", ">i4")):
        got = pcm_encoding(name).decoded(counts.astype(dtype).tobytes())
        np.testing.assert_allclose(got, np.array([0, 1, -1, 2**23 - 1, -(2**23)]) / 2**23, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("S16_LE", "s16le"),
        ("s16", "s16le"),
        ("pcm_s16be", "s16be"),
        ("S16_BE", "s16be"),
        ("signed-integer", "s16le"),
        ("24-bit signed-integer", "s24le"),
        ("S24_3LE", "s24le"),
        ("S24_LE", "s24le_in_32"),
        ("S24_BE", "s24be_in_32"),
        ("s24le", "s24le"),
        ("S32_LE", "s32le"),
        ("FLOAT_LE", "f32le"),
        ("f32", "f32le"),
        ("floating-point", "f32le"),
        ("FLOAT64_BE", "f64be"),
        ("U8", "u8"),
        ("unsigned-integer", "u8"),
        ("S8", "s8"),
        ("MU_LAW", "mulaw"),
        ("mu-law", "mulaw"),
        ("u-law", "mulaw"),
        ("ulaw", "mulaw"),
        ("A_LAW", "alaw"),
        ("a-law", "alaw"),
    ],
)
def test_encodings_have_the_names_that_arecord_ffmpeg_and_sox_give_them(name: str, known: str) -> None:
    assert pcm_encoding(name).name == known


@pytest.mark.parametrize("name", ["", "s17le", "opus", "16", "le"])
def test_an_unknown_encoding_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"raw PCM has encoding '{name}'; expected one of s16le, s16be"):
        pcm_encoding(name)


HEAR_STANDARD_INPUT = """
from streamer.config import PcmConfig
from streamer.sources.piped import PipedSource
from streamer.sources.read_blocks import read_blocks

source = PipedSource(None, PcmConfig())
source.open()
print(source.rate_hz, sum(len(block.samples) for block in read_blocks(source, 4_096)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, standard input is not opened as a file")
@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "copies"), [("a.wav", 1), ("a.m4a", 1), ("a.flac", 2), ("a.oga", 1), ("a.mkv", 1)]
)
def test_a_file_that_is_standard_input_is_heard_as_the_file_is(
    tmp_path: Path, name: str, copies: int
) -> None:
    soundfile.write(tmp_path / "in.wav", sound(), 44_100)
    path = tmp_path / name
    command = ["ffmpeg", "-v", "error", "-y", "-i", tmp_path / "in.wav"]
    subprocess.run([*command, *(["-c:a", "flac"] if name == "a.oga" else []), path], check=True)
    path.write_bytes(copies * path.read_bytes())
    with closing(FileSource(path)) as source:
        source.open()
        expected = f"{source.rate_hz} {len(read_all(source))}\n"
    with path.open("rb") as file:
        heard_it = [sys.executable, "-c", HEAR_STANDARD_INPUT]
        done = subprocess.run(heard_it, stdin=file, capture_output=True, text=True, check=True)
    assert done.stdout == expected
