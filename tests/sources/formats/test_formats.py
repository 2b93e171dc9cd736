"""Test every format that Debian's programs write, as a file, by URL and through a pipe.

`docs/formats.md` is the table that comes out of it.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.config_sections import PcmConfig
from streamer.errors import StreamError
from streamer.sources.file import FileSource
from streamer.sources.network.url import UrlSource
from streamer.sources.piped import PipedSource
from streamer.sources.read_blocks import read_blocks
from streamer.sources.source import Source
from tests.conftest import DEADLINE_S
from tests.sources.format_matrix import CLICK_S, FORMATS, LENGTH_S, Format
from tests.sources.servers import files, served
from tests.sources.source_contract import read_all

NEAR_S = 0.001
"""Largest distance from ffmpeg's own."""

UNEDITED = {"AAC in ADTS", "AAC in fragmented MP4", "AAC in TS", "AAC in Matroska", "AAC in FLV"}
"""Formats of AAC that ffmpeg stamps 1,024 samples late."""

JOINED_PADDING_FRAMES = {
    **dict.fromkeys(("mp3", "mp2", "aac", "ac3", "eac3"), 4 * 1_152),
    **dict.fromkeys(("ts", "mkv", "webm"), 1_025),
}
"""Most frames that ffmpeg adds at a joint over which it goes on by itself, by suffix: padding and priming."""

QUICK = ("WAV pcm_s16le (ffmpeg)", "FLAC (flac)", "Vorbis (oggenc)", "MP3 VBR (lame)", "Opus (opusenc)")
"""Formats that are tested always; all others with the slow tests."""


@dataclass(frozen=True)
class Heard:
    """What came out of a source: its rate, its length, and where its clicks are in the first sound and behind it."""

    rate_hz: int
    length_s: float
    clicks_s: tuple[float, ...]


def summary(x: Array, rate_hz: int) -> Heard:
    x = np.abs(x[:, 0])
    half = round(LENGTH_S * rate_hz)
    parts = [x[:half]] + ([x[half:]] if len(x) > 1.5 * half else [])
    clicks = [(half * number + np.argmax(part)) / rate_hz for number, part in enumerate(parts)]
    return Heard(rate_hz, len(x) / rate_hz, tuple(map(float, clicks)))


def heard(source: Source) -> Heard:
    with closing(source):
        source.open()
        return summary(read_all(source), source.rate_hz)


def heard_before_the_end(source: Source) -> Heard:
    """Return what a source gives before it fails because something is missing."""
    blocks = []
    with closing(source):
        source.open()
        try:
            blocks.extend(block.samples for block in read_blocks(source, 1_000))
        except StreamError as error:
            assert re.search("cut short|ended after frame|broke off", str(error))  # noqa: PT017 - or it ends
        return summary(np.concatenate(blocks), source.rate_hz)


def by_file(path: Path) -> Heard:
    return heard(FileSource(path))


def by_url(path: Path) -> Heard:
    with served(files({f"/{path.name}": path.read_bytes()})) as server:
        return heard(UrlSource(f"http://{server}/{path.name}"))


def by_pipe(path: Path) -> Heard:
    with through_pipe(path) as source:
        return heard(source)


def heard_by_pipe(path: Path) -> Array:
    with through_pipe(path) as source, closing(source):
        source.open()
        return read_all(source)


@contextmanager
def through_pipe(path: Path) -> Iterator[PipedSource]:
    """Write a file into a named pipe, and yield the source of the pipe, not yet opened."""
    pipe = path.with_name("pipe")
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    writer = threading.Thread(target=write, args=(pipe, path.read_bytes()))
    writer.start()
    try:
        yield PipedSource(pipe, PcmConfig())
    finally:
        writer.join(DEADLINE_S)


def write(pipe: Path, content: bytes) -> None:
    try:
        pipe.write_bytes(content)
    except BrokenPipeError:
        return  # its reader has given up


def by_ffmpeg(path: Path) -> Heard:
    command = ["ffmpeg", "-v", "quiet", "-i", path, "-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    offset, _, _, rate_hz, channels = np.frombuffer(raw[4:24], ">u4")
    samples = np.frombuffer(raw[int(offset) :], ">f4").astype(np.float32)
    return summary(samples.reshape(-1, int(channels)), int(rate_hz))


def assert_near(got: Heard, expected: Heard) -> None:
    assert got.rate_hz == expected.rate_hz
    assert -NEAR_S <= got.length_s - expected.length_s <= NEAR_S
    assert got.clicks_s == pytest.approx(expected.clicks_s, abs=NEAR_S)


def kind(form: Format) -> str:
    return form.name.partition(" (")[0]


def own(form: Format, path: Path) -> Heard:
    """Return what ffmpeg hears, less the first frame of AAC, which is no sound."""
    whole = by_ffmpeg(path)
    if kind(form) not in UNEDITED:
        return whole
    late_s = 1_024 / whole.rate_hz
    return Heard(whole.rate_hz, whole.length_s - late_s, tuple(at - late_s for at in whole.clicks_s))


CASES = [
    pytest.param(
        form,
        rate_hz,
        channels,
        id=f"{form.name}-{rate_hz}-{channels}",
        marks=[
            *([] if form.name in QUICK else [pytest.mark.slow]),
            pytest.mark.skipif(not form.has_program, reason=f"{form.command[0]} is not installed"),
        ],
    )
    for form in FORMATS
    for rate_hz in form.rates_hz
    for channels in form.channels
]


@pytest.mark.parametrize(("form", "rate_hz", "channels"), CASES)
def test_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, form: Format, rate_hz: int, channels: int
) -> None:
    path = tmp_path / f"a.{form.suffix}"
    form.write(path, rate_hz, channels)
    expected = own(form, path)
    assert_near(by_file(path), expected)
    assert caplog.text == ""
    assert_near(by_url(path), expected)
    if "G.722" not in form.name:  # it has no mark, so a pipe takes it for PCM
        assert_near(by_pipe(path), expected)
    assert caplog.text == ""


@pytest.mark.parametrize(("form", "rate_hz", "channels"), [case for case in CASES if case.values[0].joins])
def test_joined(tmp_path: Path, form: Format, rate_hz: int, channels: int) -> None:
    path = tmp_path / f"a.{form.suffix}"
    content = form.write(path, rate_hz, channels)
    alone = by_file(path)
    path.write_bytes(2 * content)
    got = by_file(path)
    assert got.rate_hz == alone.rate_hz
    padding_s = JOINED_PADDING_FRAMES.get(form.suffix, 512) / got.rate_hz
    assert abs(got.length_s - 2 * alone.length_s) <= padding_s
    assert len(got.clicks_s) == 2
    assert got.clicks_s[0] == pytest.approx(alone.clicks_s[0], abs=NEAR_S)
    assert got.clicks_s[1] == pytest.approx(alone.length_s + alone.clicks_s[0], abs=padding_s)
    assert_near(by_url(path), got)
    assert_near(by_pipe(path), got)


@pytest.mark.parametrize(("form", "rate_hz", "channels"), CASES)
def test_cut(tmp_path: Path, form: Format, rate_hz: int, channels: int) -> None:
    path = tmp_path / f"a.{form.suffix}"
    content = form.write(path, rate_hz, channels)
    path.write_bytes(content[: int(0.8 * len(content))])
    try:
        got = by_file(path)
    except StreamError as error:
        assert "expected" in str(error)  # noqa: PT017 - either outcome, by all ways alike
        for by_way in (by_url, by_pipe):
            with pytest.raises(StreamError):
                by_way(path)
        return
    assert 0.1 < got.length_s < LENGTH_S
    with served(files({f"/{path.name}": path.read_bytes()})) as server:
        assert_near(heard_before_the_end(UrlSource(f"http://{server}/{path.name}")), got)
    if "G.722" not in form.name:
        assert_near(by_pipe(path), got)


@pytest.mark.parametrize(("form", "rate_hz", "channels"), [case for case in CASES if case.values[0].pipes])
def test_of_unknown_length(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, form: Format, rate_hz: int, channels: int
) -> None:
    path = tmp_path / f"a.{form.suffix}"
    form.write(path, rate_hz, channels, piped=True)
    got = by_file(path)
    assert_near(got, own(form, path))
    assert got.clicks_s[0] == pytest.approx(CLICK_S, abs=1_200 / got.rate_hz)  # MP3s without a tag are late
    assert_near(by_url(path), got)
    assert_near(by_pipe(path), got)
    assert caplog.text == ""
