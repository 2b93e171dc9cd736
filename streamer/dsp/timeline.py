"""Where the items of a stage lie on the clock of the captured sound, in integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from streamer.dsp.resample import Resample
from streamer.dsp.stage import Stage


@dataclass(frozen=True)
class Timeline:
    """Item ``k`` of a stage is known from sample ``(k * hop + latency) / scale`` on.

    Attributes
    ----------
    hop, latency, scale : int
    """

    hop: int = 1
    latency: int = 1
    scale: int = 1

    @classmethod
    def of(cls, hop: Fraction, latency: Fraction) -> Timeline:
        """Of a stage whose hop and latency are so many captured samples."""
        scale = hop.denominator * latency.denominator
        return cls(int(hop * scale), int(latency * scale), scale)

    @property
    def hop_samples(self) -> Fraction:
        """Captured samples from one item to the next."""
        return Fraction(self.hop, self.scale)

    def after(self, stage: Stage, first: int = 0) -> Timeline:
        """The placement of a stage that hears these items, from item `first` on.

        A resampled sample lies where it describes the sound: that it comes out later, because the filter looks
        to both sides, moves nothing.
        """
        hop, latency = self.hop_samples, Fraction(self.latency, self.scale)
        needed = stage.hop if isinstance(stage, Resample) else stage.latency
        return Timeline.of(stage.hop * hop, latency + (first + needed - 1) * hop)

    def span(self, k: int) -> tuple[int, int]:
        """First sample that is new in item `k`, and one past the last that it knows of."""
        stop = k * self.hop + self.latency
        return max(0, -((self.hop - stop) // self.scale)), -(-stop // self.scale)

    def reached(self, items: int) -> int:
        """Up to which sample the first `items` reach from one to the next."""
        return items * self.hop // self.scale

    def items_before(self, sample: int) -> int:
        """How many items know of no sample from `sample` - 1 on: their spans stop before it."""
        return max(0, ((sample - 1) * self.scale - self.latency) // self.hop + 1)
