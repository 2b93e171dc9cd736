"""Record a source into one array, for a model to learn from."""

from __future__ import annotations

from contextlib import closing

import numpy as np

from streamer.arrays import Array
from streamer.dsp.downmix import downmixed
from streamer.dsp.resample import Resample
from streamer.dsp.stage import offline
from streamer.errors import StreamError
from streamer.sources.read_blocks import read_blocks
from streamer.sources.source import Source

READ_FRAMES = 4_096
"""Largest number of frames in a read."""


def record(source: Source, rate_hz: int, longest_s: float) -> Array:
    """Return the sound of a source until its end, at most `longest_s` seconds; open and close the source.

    Parameters
    ----------
    source : Source
        A source that is not open yet.
    rate_hz : int
        Sample rate of the returned sound.
    longest_s : float
        Longest sound to return, in seconds; above 0.

    Returns
    -------
    float32 array, shape (samples,)
        Sound with one channel, as a pipeline processes it: invalid samples are silence.

    Raises
    ------
    StreamerError
        If the source cannot be opened, fails, loses sound, or is another microphone from some moment on.
    """
    blocks: list[Array] = []
    stop = 0
    with closing(source):
        source.open()
        wanted = round(longest_s * source.rate_hz)
        for block in read_blocks(source, READ_FRAMES):
            if block.change and blocks:
                raise StreamError(f"{block.change}; expected one microphone to the end: record it again")
            if block.start != stop:
                raise StreamError(
                    f"sound was lost while recording (up to sample {block.start}); record it again, with less else "
                    "going on"
                )
            blocks.append(block.samples)
            stop = block.stop
            if stop >= wanted:
                break
    sound = np.concatenate([np.zeros((0, source.channels), np.float32), *blocks])[:wanted]
    return np.asarray(offline(Resample(source.rate_hz, rate_hz), downmixed(sound, source.rate_hz)[None])[0])
