"""`streamer.log_mel`: the front end of the models, on whole sounds."""

from __future__ import annotations

import os
from contextlib import closing

import numpy as np

from streamer.api.configure import path_from
from streamer.api.sound import Sound, source_of
from streamer.arrays import Array
from streamer.dsp.downmix import Downmix
from streamer.dsp.log_mel import LogMel
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain
from streamer.inference.model_folders import find_model, read_manifest
from streamer.sources.read_blocks import read_blocks

BLOCK_FRAMES = 1 << 16


def log_mel(
    sound: Sound,
    rate_hz: float | None = None,
    *,
    model: str | os.PathLike[str] = "ear",
    channel: int | None = None,
    track: int | str = "",
) -> Array:
    """Return the log-mel frames of a whole sound, as a model takes them.

    Channels are mixed and resampled to the model's rate first. The model gets the same numbers live:
    nothing is padded, so a tail that is shorter than a window gives no frame.

    Parameters
    ----------
    sound : path or array, shape (samples,) or (samples, channels)
    rate_hz : float, optional
        As in `streamer.analyze`.
    model : str or path
        Name or folder of the model whose front end is used. That of ``ear`` is YAMNet's (64 bands every 10 ms), that
        of ``gate`` has 112 bands every 23 ms.
    channel : int, optional
        Number, from 1, of the one channel that is heard; by default all are.
    track : int or str, optional
        Sound track of a file that has several: its number, from 1, or its language; by default the first.

    Returns
    -------
    float32 array, shape (frames, mel_bands)
        Natural logarithms of the bands. The first axis is time, unlike librosa's.

    Raises
    ------
    StreamError
        If the samples or their rate cannot be used, or the file cannot be read.
    ModelError
        If there is no such model, or it does not take log-mel frames.

    Examples
    --------
    >>> import streamer
    >>> frames = streamer.log_mel(streamer.DEMO_PATH)
    >>> frames.shape, frames.dtype
    ((4209, 64), dtype('float32'))
    """
    front_end = read_manifest(find_model(str(path_from("model", model)))).log_mel
    source, frames = source_of(sound, rate_hz, channel, track), []
    with closing(source):
        source.open()
        chain = Chain(
            Downmix(source.rate_hz, source.channels),
            Resample(source.rate_hz, front_end.sample_rate_hz),
            LogMel(front_end),
        )
        state = chain.init()
        for block in read_blocks(source, BLOCK_FRAMES):
            y, state = chain.step(block.samples[None], state)
            frames.append(y[0])
    frames.append(chain.flush(state)[0])
    return np.concatenate(frames)
