"""Read a source to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator

from streamer.sources.source import POLL_S, Block, Source


def read_blocks(source: Source, max_frames: int) -> Iterator[Block]:
    """Yield the blocks of a source to its end, and wait for sound while there is none yet.

    Parameters
    ----------
    source : Source
        An open source; the caller closes it.
    max_frames : int
        Largest number of frames in a block, 1 or more.

    Raises
    ------
    StreamError
        If the source fails.
    """
    while not source.ended:
        block = source.read(max_frames)
        if block is not None:
            yield block
        elif not source.ended:
            time.sleep(source.wait_s(POLL_S))  # for ffmpeg, or a device
