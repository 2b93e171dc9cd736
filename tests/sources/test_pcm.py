"""Test raw PCM on a descriptor."""

from __future__ import annotations

import logging
import os
import pty
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from streamer.config import TURN_S
from streamer.errors import ConfigError, StreamError
from streamer.sources.pcm import PcmSource
from streamer.sources.pipes.pipe import LATE_POLL_S
from streamer.sources.source import POLL_S
from tests.sources.source_contract import check_source, read_all


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    ends = [reading, writing]
    try:
        yield reading, writing
    finally:
        for end in ends:
            try:
                os.close(end)
            except OSError:
                assert end == writing  # the test closed it to end the stream


@pytest.mark.parametrize(("encoding", "dtype"), [("s16le", "<i2"), ("f32le", "<f4")])
@pytest.mark.parametrize("channels", [1, 3])
def test_contract(tmp_path: Path, encoding: str, dtype: str, channels: int) -> None:
    counts = np.random.default_rng(1).integers(-(2**15), 2**15, (5_000, channels))
    expected = (counts / 2**15).astype(np.float32)
    path = tmp_path / "sound.raw"
    path.write_bytes((counts if encoding == "s16le" else expected).astype(dtype).tobytes())
    descriptors: list[int] = []

    def make() -> PcmSource:
        descriptors.append(os.open(path, os.O_RDONLY))
        return PcmSource(descriptors[-1], 22_050, channels, encoding)

    try:
        check_source(make, expected, 22_050)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def test_nothing_there_yet_is_not_the_end() -> None:
    with pipe() as (reading, writing):
        source = PcmSource(reading)
        source.open()
        assert source.read(10) is None
        assert not source.ended
        os.write(writing, b"\0\0" * 4)
        assert source.backlog_frames() == 4
        block = source.read(3)
        assert block is not None
        assert (block.start, block.samples.shape) == (0, (3, 1))
        assert source.skip(1) == 0
        assert source.backlog_frames() == 1
        os.close(writing)
        assert len(read_all_from(source, position=3)) == 1
        assert source.ended


def test_sound_from_storage_has_no_times() -> None:
    with pipe() as (reading, writing):
        os.write(writing, b"\0\0" * 16_000)
        os.close(writing)
        source = PcmSource(reading)
        source.open()
        source.judge_pace()
        block = source.read(1_000)
        assert block is not None
        assert block.captured_at is None


def test_a_pipe_that_is_filled_faster_than_it_sounds_has_no_times() -> None:
    with pipe() as (reading, writing):
        source = PcmSource(reading)
        source.open()
        assert source.read(1) is None
        os.write(writing, b"\0\0" * 30_000)
        block = source.read(1_000)
        assert block is not None
        assert block.captured_at is None


def test_live_sound_has_the_times_at_which_it_came() -> None:
    now = [50.0]
    with pipe() as (reading, writing):
        os.write(writing, b"\0\0" * 20_000)  # it came while the models were loaded
        source = PcmSource(reading, clock=lambda: now[0])
        source.open()
        first = source.read(20_000)
        assert first is not None
        assert first.captured_at == 50.0
        for _ in range(30):
            now[0] += 0.1
            os.write(writing, b"\0\0" * 1_600)
            block = source.read(1_600)
            assert block is not None
            assert block.captured_at == pytest.approx(now[0])
        now[0] += 7.0  # a pause: the writer counts on
        os.write(writing, b"\0\0" * 1_600)
        block = source.read(1_600)
        assert block is not None
        assert block.captured_at == pytest.approx(now[0])


def read_all_from(source: PcmSource, position: int) -> list[float]:
    got: list[float] = []
    while not source.ended:
        block = source.read(100)
        if block is not None:
            assert block.start == position + len(got)
            got.extend(block.samples[:, 0])
    return got


def test_frames_that_come_in_pieces_are_put_together() -> None:
    counts = np.arange(12, dtype="<i2").reshape(6, 2)
    data = counts.tobytes()
    with pipe() as (reading, writing):
        source = PcmSource(reading, channels=2)
        source.open()
        got = []
        for byte in data:
            os.write(writing, bytes([byte]))
            block = source.read(100)
            if block is not None:
                assert block.start == len(got)
                got.append(block.samples)
        np.testing.assert_array_equal(np.concatenate(got), counts / np.float32(2**15))


def test_a_partial_frame_at_the_end_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with pipe() as (reading, writing):
        os.write(writing, bytes(4 * 10 + 3))
        os.close(writing)
        source = PcmSource(reading, channels=2)
        source.open()
        with caplog.at_level(logging.WARNING):
            assert read_all(source).shape == (10, 2)
        assert "ended within a frame: its last 3 bytes were left out" in caplog.text


def test_nan_and_infinity_pass_through() -> None:
    values = np.array([0.5, np.nan, np.inf, -np.inf], "<f4")
    with pipe() as (reading, writing):
        os.write(writing, values.tobytes())
        os.close(writing)
        source = PcmSource(reading, encoding="f32le")
        source.open()
        np.testing.assert_array_equal(read_all(source)[:, 0], values)


def test_a_shared_descriptor_is_left_as_it_was() -> None:
    with pipe() as (reading, _):
        source = PcmSource(reading)
        source.open()
        assert os.get_blocking(reading)
        assert source.read(10) is None
        source.close()
        os.fstat(reading)  # still open


def test_a_terminal_is_refused() -> None:
    master, slave = pty.openpty()
    try:
        with pytest.raises(
            StreamError, match=r"is a terminal; expected raw PCM through a pipe: `ffmpeg .* -ar 16000"
        ):
            PcmSource(slave).open()
    finally:
        os.close(master)
        os.close(slave)


def test_a_closed_descriptor_is_refused() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    os.close(reading)
    with pytest.raises(StreamError, match=r"is closed; expected raw PCM"):
        PcmSource(reading).open()


def test_a_descriptor_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        source = PcmSource(directory)
        source.open()
        with pytest.raises(StreamError, match=r"cannot be read \(Is a directory\)"):
            source.read(10)
        assert source.ended
    finally:
        os.close(directory)


@pytest.mark.parametrize(
    ("rate_hz", "channels", "encoding", "match"),
    [
        (1, 1, "s16le", "raw PCM has a sample rate of 1 Hz; expected 4000 to 384000 Hz"),
        (400_000, 1, "s16le", "raw PCM has a sample rate of 400000 Hz"),
        (16_000, 0, "s16le", "raw PCM has 0 channels; expected at least 1"),
        (16_000, 1, "opus", "raw PCM has encoding 'opus'; expected one of s16le, s16be"),
    ],
)
def test_impossible_formats_are_refused(rate_hz: int, channels: int, encoding: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        PcmSource(0, rate_hz, channels, encoding)


def test_a_device_that_makes_its_bytes_has_nothing_waiting() -> None:
    descriptor = os.open("/dev/zero", os.O_RDONLY)
    try:
        source = PcmSource(descriptor)
        source.open()
        block = source.read(100)
        assert block is not None
        assert len(block.samples) == 100
        assert source.backlog_frames() == 0
    finally:
        os.close(descriptor)


def test_a_huge_file_has_nothing_waiting(tmp_path: Path) -> None:
    with (tmp_path / "huge.raw").open("wb") as file:
        file.truncate(3 << 30)  # sparse: it takes no room
    descriptor = os.open(tmp_path / "huge.raw", os.O_RDONLY)
    try:
        source = PcmSource(descriptor)
        source.open()
        assert source.read(100) is not None
        assert source.backlog_frames() == 0
    finally:
        os.close(descriptor)


def test_a_descriptor_beyond_those_of_select_is_read() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    high = 1_500
    if hard != resource.RLIM_INFINITY and hard <= high:
        pytest.skip(f"this machine allows {hard} open files; the test needs {high + 1}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, high + 1), hard))
    try:
        with pipe() as (reading, writing):
            os.dup2(reading, high)
            os.write(writing, bytes(20))
            os.close(writing)
            source = PcmSource(high)
            source.open()
            assert read_all(source).shape == (10, 1)
            os.close(high)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_live_sound_is_left_to_gather_and_a_waiting_writer_is_not_left() -> None:
    now = [50.0]
    with pipe() as (reading, writing):
        source = PcmSource(reading, clock=lambda: now[0])
        source.open()
        now[0] += 0.02
        os.write(writing, bytes(2 * 320))  # 20 ms, in 20 ms: live
        assert source.read(1_000) is not None
        assert source.wait_s(TURN_S) == pytest.approx(TURN_S)
        now[0] += 0.012
        assert source.wait_s(TURN_S) == pytest.approx(TURN_S - 0.012)
        now[0] += 10.0
        assert source.wait_s(TURN_S) == pytest.approx(LATE_POLL_S)
        os.write(writing, bytes(2 * 16_000 * 2))
        assert source.read(100_000) is not None  # 2 s, in 10 s
        now[0] += 0.03
        os.write(writing, bytes(2 * 16_000 * 2))
        assert source.read(100_000) is not None  # 2 s, in 30 ms: a store
        assert source.wait_s(TURN_S) == POLL_S
