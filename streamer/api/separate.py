"""`streamer.separate`: the voice and the music of whole sounds."""

from __future__ import annotations

import logging
import os
from contextlib import closing
from typing import NamedTuple

import numpy as np

from streamer.api.configure import path_from
from streamer.api.sound import Sound, source_of
from streamer.arrays import Array
from streamer.pipeline.build_separation import load_separation
from streamer.separation.separate_file import separated

logger = logging.getLogger(__name__)


class Separated(NamedTuple):
    """Voice and music of a sound, which add up to the sound.

    Attributes
    ----------
    voice, music : float32 array
        Samples in the shape of the array that was given; of a file, or of one channel of an array with several, shape
        (samples, channels). Full scale is -1 to 1.
    rate_hz : int
        Sample rate of both, which is that of the sound.
    """

    voice: Array
    music: Array
    rate_hz: int


def separate(
    sound: Sound,
    rate_hz: float | None = None,
    *,
    model: str | os.PathLike[str] = "separation",
    channel: int | None = None,
    track: int | str = "",
) -> Separated:
    """Return the voice and the music of a whole sound.

    Parameters
    ----------
    sound : path or array, shape (samples,) or (samples, channels)
    rate_hz : float, optional
        As in `streamer.analyze`.
    model : str or path
        Name or folder of a separation model.
    channel : int, optional
        Number, from 1, of the one channel that is heard; by default all are.
    track : int or str, optional
        Sound track of a file that has several: its number, from 1, or its language; by default the first.

    Returns
    -------
    Separated
        ``voice, music, rate_hz``; both have the length, rate and channels of what is heard, sample for sample.

    Raises
    ------
    StreamError
        If the samples or their rate cannot be used, or the file cannot be read.
    ModelError
        If there is no such model, or it is no separation model.

    Examples
    --------
    >>> import soundfile, streamer
    >>> samples, rate_hz = soundfile.read(streamer.DEMO_PATH, dtype="float32", frames=64_000)
    >>> voice, music, rate_hz = streamer.separate(samples, rate_hz)
    >>> voice.shape, music.dtype, rate_hz
    ((64000,), dtype('float32'), 32000)
    >>> abs(voice + music - samples).max() < 1e-6
    np.True_
    """
    source, network = (
        source_of(sound, rate_hz, channel, track),
        load_separation(str(path_from("model", model))),
    )
    with closing(source):
        source.open()
        pieces = list(separated(source, network))
    if muted := sum(piece.muted_samples for piece in pieces):
        logger.warning("%d samples were no sound (NaN, infinite) and muted", muted)
    voice = np.concatenate([piece.stems.voice[0] for piece in pieces])
    music = np.concatenate([piece.stems.music[0] for piece in pieces])
    is_flat = not isinstance(sound, str | os.PathLike) and np.ndim(sound) == 1
    shape = (-1,) if is_flat else voice.shape
    return Separated(voice.reshape(shape), music.reshape(shape), source.rate_hz)
