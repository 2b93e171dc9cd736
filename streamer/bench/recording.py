"""The bundled recording, of any length and at any sample rate."""

from __future__ import annotations

import numpy as np
import soundfile

from streamer.arrays import Array
from streamer.demo_recording import DEMO_PATH
from streamer.dsp.resample import Resample
from streamer.dsp.stage import offline
from streamer.sources.source import Block, Source


def recording(rate_hz: int | None = None) -> tuple[Array, int]:
    """Return the samples and the sample rate of the whole bundled recording.

    Parameters
    ----------
    rate_hz : int or None
        Sample rate to convert the recording to; None keeps its own.

    Returns
    -------
    samples : float32 array, shape (samples,)
        Full scale is -1 to 1.
    rate_hz : int
        Sample rate of `samples`.
    """
    samples, own_hz = soundfile.read(DEMO_PATH, dtype="float32")
    if rate_hz is None:
        return samples, own_hz
    return offline(Resample(own_hz, rate_hz), samples[None])[0], rate_hz


class Looped(Source):
    """Source that repeats a recording for ever, beginning with its sample `first`.

    Parameters
    ----------
    samples : float32 array, shape (samples,)
        Recording, which becomes one channel; full scale is -1 to 1.
    rate_hz : int
        Sample rate of the recording.
    first : int
        Index of the sample that the source begins with.
    """

    def __init__(self, samples: Array, rate_hz: int, first: int) -> None:
        self.rate_hz, self.channels = rate_hz, 1
        self._samples, self._first, self._position = samples, first, 0

    def open(self) -> None:
        pass

    def read(self, max_frames: int) -> Block:
        at = (self._first + self._position) % len(self._samples)
        found = self._samples[at : at + max_frames]
        if len(found) < max_frames:
            found = np.resize(np.roll(self._samples, -at), max_frames)
        self._position += max_frames
        return Block(self._position - max_frames, found[:, None], None)

    def backlog_frames(self) -> int:
        return 0

    def skip(self, frames: int) -> int:  # noqa: ARG002 - it has flow control
        return 0

    @property
    def ended(self) -> bool:
        return False

    def close(self) -> None:
        pass
