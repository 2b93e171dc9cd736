"""Test sound files that are paced like a device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.arrays import Array
from streamer.sources.file import FileSource
from streamer.sources.timing.paced import Paced
from tests.sources.source_contract import check_source

TURN_S = 0.05


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def sound(frames: int, channels: int = 1) -> Array:
    rng = np.random.default_rng(4)
    return (0.2 * rng.standard_normal((frames, channels))).clip(-1, 1).astype(np.float32)


def read_all_paced(source: Paced) -> Array:
    pieces = []
    while (block := source.read(999)) is not None:
        pieces.append(block.samples)
    return np.concatenate(pieces)


def test_a_paced_file_passes_the_contract(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sound(4_000), 384_000)
    expected, rate_hz = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    check_source(lambda: Paced(FileSource(tmp_path / "a.wav")), expected, rate_hz)


def test_a_paced_file_gives_what_is_due(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sound(8_000), 16_000)
    clock = Clock()
    source = Paced(FileSource(tmp_path / "a.wav"), clock)
    source.open()
    clock.now += 5.0  # what passes before the first read does not count
    assert source.backlog_frames() == 0
    assert source.read(1_000) is None
    assert source.wait_s(TURN_S) == pytest.approx(TURN_S)
    clock.now += 0.0675
    assert source.wait_s(TURN_S) == 0.0
    assert source.backlog_frames() == 960  # whole blocks of 10 ms
    first = source.read(600)
    second = source.read(600)
    assert first is not None
    assert second is not None
    assert (first.start, first.stop, second.start, second.stop) == (0, 600, 600, 960)
    assert (first.captured_at, second.captured_at) == (105.0 + 600 / 16_000, 105.0 + 960 / 16_000)
    assert source.read(600) is None
    assert source.wait_s(TURN_S) == pytest.approx(TURN_S - 0.0075)
    assert not source.ended
    clock.now += 10.0
    assert len(read_all_paced(source)) == 7_040
    assert source.ended
    assert source.backlog_frames() == 0
    source.close()


@pytest.mark.parametrize("rate_hz", [11_025, 22_050, 44_100])
def test_a_paced_file_keeps_time_at_any_rate(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "a.wav", sound(4 * rate_hz), rate_hz)
    clock = Clock()
    source = Paced(FileSource(tmp_path / "a.wav"), clock)
    source.open()
    assert source.read(1) is None
    due = []
    for seconds in (0.25, 1.0, 3.0):
        clock.now = 100.0 + seconds
        due.append(source.backlog_frames())
    assert due == [rate_hz // 4, rate_hz, 3 * rate_hz]
    source.close()


@pytest.mark.parametrize("paced", [False, True])
def test_the_length_is_known_once_it_is_open(tmp_path: Path, paced: bool) -> None:
    soundfile.write(tmp_path / "a.wav", sound(8_000), 16_000)
    file = FileSource(tmp_path / "a.wav")
    source = Paced(file) if paced else file
    assert source.total_s is None
    source.open()
    assert source.total_s == 0.5
    source.close()
    assert source.total_s == 0.5


def test_a_paced_file_that_is_behind_skips_the_oldest(tmp_path: Path) -> None:
    x = sound(8_000)
    soundfile.write(tmp_path / "a.wav", x, 16_000, subtype="FLOAT")
    clock = Clock()
    source = Paced(FileSource(tmp_path / "a.wav"), clock)
    source.open()
    assert source.read(1) is None
    clock.now += 0.25
    assert source.skip(3_000) == 3_000
    block = source.read(10_000)
    assert block is not None
    assert (block.start, block.stop) == (3_000, 4_000)
    np.testing.assert_array_equal(block.samples, x[3_000:4_000])
    assert source.skip(50) == 0  # no more is due
    clock.now += 100.0
    assert source.skip(10_000) == 4_000  # no more is there
    assert source.ended
    source.close()
