"""Check any source of sound."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from streamer.arrays import Array
from streamer.sources.source import Source
from tests.conftest import DEADLINE_S


def check_source(make_source: Callable[[], Source], expected: Array, rate_hz: int, atol: float = 0.0) -> None:
    """Check a source that gives a known, finite sound.

    Whatever `max_frames` it is read with, it gives the same samples, without a gap from index 0; then it has
    ended and gives nothing more; closing it twice is harmless.

    Parameters
    ----------
    make_source : callable
        A fresh source of the same sound at each call, not open yet.
    expected : float32 array, shape (frames, channels)
        All it should give.
    rate_hz : int
        At which rate.
    atol : float
        By how much samples may differ from `expected`.
    """
    for name, lengths in _cuttings(len(expected)).items():
        source = make_source()
        source.open()
        try:
            assert (source.rate_hz, source.channels) == (rate_hz, expected.shape[1]), name
            got = read_all(source, lengths)
            assert source.ended, name
            assert source.read(100) is None, name
            assert source.backlog_frames() == 0, name
        finally:
            source.close()
        source.close()
        assert got.dtype == np.float32, name
        assert got.shape == expected.shape, name
        np.testing.assert_allclose(got, expected, rtol=0, atol=atol, err_msg=name)


def read_all(source: Source, lengths: Iterator[int] | None = None) -> Array:
    """Read an open source to its end, checking that the blocks follow each other.

    Parameters
    ----------
    source : Source
        Open.
    lengths : iterator of int, optional
        `max_frames` of one read after the other; 1,000 if absent.

    Returns
    -------
    float32 array, shape (frames, channels)
    """
    deadline = time.monotonic() + DEADLINE_S
    pieces = [np.zeros((0, source.channels), np.float32)]
    position = 0
    while not source.ended:
        max_frames = next(lengths) if lengths else 1_000
        block = source.read(max_frames)
        if block is None:
            assert time.monotonic() < deadline, f"no end after {position} frames within {DEADLINE_S} s"
            time.sleep(0.001)
            continue
        assert block.start == position
        assert 0 < len(block.samples) <= max_frames
        position = block.stop
        pieces.append(block.samples)
    return np.concatenate(pieces)


def _cuttings(frames: int) -> dict[str, Iterator[int]]:
    def constant(length: int) -> Iterator[int]:
        while True:
            yield length

    def seeded() -> Iterator[int]:
        rng = np.random.default_rng(5)
        while True:
            yield int(rng.integers(1, 2_000))

    return {
        "7 frames at once": constant(7),
        "160 frames at once": constant(160),
        "more than there are at once": constant(frames + 1),
        "seeded random lengths": seeded(),
    }
