"""What tests of sound by URL share: reading it to its end, finding its gaps, writing it as AU."""

from __future__ import annotations

import struct
import time

import numpy as np

from streamer.arrays import Array
from streamer.errors import StreamError
from streamer.sources.source import Block, Source
from tests.conftest import DEADLINE_S

RATE = 16_000

OPEN_ENDED = struct.pack(">4s5I", b".snd", 24, 2**32 - 1, 3, RATE, 1)
"""Header of AU (16 bits, mono), without a length. ffmpeg would hold back the first two seconds of a WAV."""


def blocks_of(source: Source) -> tuple[list[Block], StreamError | None]:
    """Open a source and return all its blocks, and the error that ended it."""
    blocks: list[Block] = []
    deadline = time.monotonic() + DEADLINE_S
    source.open()
    try:
        while not source.ended:
            assert time.monotonic() < deadline
            if (block := source.read(10_000)) is not None:
                blocks.append(block)
            else:
                time.sleep(0.002)
    except StreamError as error:
        return blocks, error
    finally:
        source.close()
    return blocks, None


def gaps(blocks: list[Block]) -> list[tuple[int, int]]:
    """Return where sound is missing, and how many frames."""
    stops = [0, *(block.stop for block in blocks)]
    starts = [block.start for block in blocks]
    return [(stop, start - stop) for stop, start in zip(stops, starts, strict=False) if start != stop]


def pcm(x: Array) -> bytes:
    return np.round(x * 2**15).astype(">i2").tobytes()
