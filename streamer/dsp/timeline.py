"""Place the items of a stage on the sample clock of the captured sound, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from streamer.arrays import Array
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Stage
from streamer.kernels.kernel import kernel


@dataclass(frozen=True)
class Timeline:
    """Positions of a stage's items on the sample clock.

    Item ``k`` is complete once ``(k * hop + latency) / scale`` captured samples have come in.

    Attributes
    ----------
    hop, latency : int
        Captured samples from one item to the next, and captured samples that the first item needs; both are
        multiplied by `scale`, so that they are whole.
    scale : int
        Common denominator of hop and latency.
    """

    hop: int = 1
    latency: int = 1
    scale: int = 1

    @classmethod
    def every(cls, samples: int) -> Timeline:
        """Return the timeline of intervals of so many captured samples, from sample 0 on."""
        return cls(samples, samples)

    @classmethod
    def of(cls, hop: Fraction, latency: Fraction) -> Timeline:
        """Return the timeline of items with this hop and latency, both in captured samples."""
        scale = hop.denominator * latency.denominator
        return cls(int(hop * scale), int(latency * scale), scale)

    @property
    def hop_samples(self) -> Fraction:
        """Captured samples from one item to the next, as an exact fraction."""
        return Fraction(self.hop, self.scale)

    def after(self, stage: Stage, first: int = 0) -> Timeline:
        """Return the timeline of the outputs of `stage`, whose inputs are the items of this timeline from `first` on.

        A resampled sample is placed where it describes the sound. The filter looks to both sides and so gives it
        out later, but this does not move it.
        """
        hop, latency = self.hop_samples, Fraction(self.latency, self.scale)
        needed = stage.hop if isinstance(stage, Resample) else stage.latency
        return Timeline.of(stage.hop * hop, latency + (first + needed - 1) * hop)

    def thinned(self, every: int) -> Timeline:
        """Return the timeline of every second, third, ... item, from the first one on."""
        return Timeline(self.hop * every, self.latency, self.scale)

    def span(self, k: int) -> tuple[int, int]:
        """Return the first sample that is new in item `k`, and one past the last sample that it depends on."""
        stop = k * self.hop + self.latency
        return max(0, -((self.hop - stop) // self.scale)), -(-stop // self.scale)

    def spans(self, first: Array, items: int) -> Array:
        """Return the `span` of each of some items of several streams.

        Parameters
        ----------
        first : int64 array, shape (streams,)
            Index of the first item of each stream.
        items : int
            Number of items from there on.

        Returns
        -------
        int64 array, shape (2, streams, items)
        """
        spans = np.empty((2, len(first), items), np.int64)
        _fill_spans(first, self.hop, self.latency, self.scale, spans)
        return spans

    def reached(self, items: Array) -> Array:
        """Return the samples up to which so many first items describe the sound; both are int arrays of one shape."""
        return items * self.hop // self.scale

    def stop(self, k: int) -> int:
        """Return one past the last sample that item `k` depends on; 0 for the item before the first one."""
        return -(-(k * self.hop + self.latency) // self.scale) if k >= 0 else 0

    def items_before(self, sample: int) -> int:
        """Return the number of items whose span stops before `sample`."""
        return max(0, ((sample - 1) * self.scale - self.latency) // self.hop + 1)


@kernel("const int64[:], int, int, int, int64[:,:,:]")
def _fill_spans(first: Array, hop: int, latency: int, scale: int, spans: Array) -> None:
    for n in range(spans.shape[1]):
        for k in range(spans.shape[2]):
            stop = (first[n] + k) * hop + latency
            spans[0, n, k] = max(0, -((hop - stop) // scale))
            spans[1, n, k] = -(-stop // scale)
