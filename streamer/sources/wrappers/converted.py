"""Convert a source to another sample rate and number of channels, as one of several files to those of the first."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.dsp.downmix import Downmix
from streamer.dsp.resample import Resample
from streamer.sources.source import Block, Source
from streamer.sources.wrappers.in_turn import Shape
from streamer.sources.wrappers.wrapper import SourceWrapper

READ_FRAMES = 4_096
"""Most frames of the source that are converted at once."""


class Converted(SourceWrapper):
    """The sound of a source at another rate, or with another number of channels.

    If the numbers of channels differ, all channels are mixed into one, which every channel of the result is.

    Parameters
    ----------
    inner : Source
        The source, which is open, and gives its sound without gaps.
    rate_hz, channels : int
        Format of the result.
    """

    def __init__(self, inner: Source, rate_hz: int, channels: int) -> None:
        super().__init__(inner)
        self.rate_hz, self.channels = rate_hz, channels
        mixed = channels != inner.channels
        self._downmix = Downmix(inner.rate_hz, inner.channels) if mixed else None
        self._mix_state = self._downmix.init() if self._downmix else ()
        self._resample = Resample(inner.rate_hz, rate_hz)
        self._state = self._resample.init(1 if mixed else channels)
        self._waiting = np.zeros((0, channels), np.float32)
        self._position = 0
        self._flushed = False

    def read(self, max_frames: int) -> Block | None:
        if not len(self._waiting):
            self._convert()
        if not len(self._waiting):
            return None
        samples, self._waiting = np.split(self._waiting, [max_frames])
        block = Block(self._position, samples, captured_at=None)
        self._position = block.stop
        return block

    @property
    def ended(self) -> bool:
        return super().ended and self._flushed and not len(self._waiting)

    def close(self) -> None:
        super().close()
        self._flushed, self._waiting = True, self._waiting[:0]

    def _convert(self) -> None:
        """Convert the next sound of the source, or after its end what the filter still holds."""
        block = super().read(READ_FRAMES)
        if block is not None:
            rows, self._state = self._resample.step(self._rows(block.samples), self._state)
        elif super().ended and not self._flushed:
            self._flushed = True
            rows = self._resample.flush(self._state)
        else:
            return
        self._waiting = np.ascontiguousarray(np.broadcast_to(rows.T, (rows.shape[1], self.channels)))

    def _rows(self, samples: Array) -> Array:
        """Return frames as one row for each channel that is resampled."""
        if self._downmix is None:
            return np.ascontiguousarray(samples.T)
        mixed, self._mix_state = self._downmix.step(samples[None], self._mix_state)
        return mixed


class Shaped(SourceWrapper):
    """The sound of a source that is not open yet, of a given shape.

    Parameters
    ----------
    inner : Source
        The source, which gives its sound without gaps.
    shape : tuple of int or None
        Sample rate in Hz and number of channels to which its sound is converted; None leaves it its own.
    """

    def __init__(self, inner: Source, shape: Shape) -> None:
        super().__init__(inner)
        self._shape = shape

    def open(self) -> None:
        super().open()
        if self._shape is not None and self._shape != (self.rate_hz, self.channels):
            self._inner = Converted(self._inner, *self._shape)
            self.rate_hz, self.channels = self._shape
