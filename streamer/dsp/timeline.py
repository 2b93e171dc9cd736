"""Place the items of a stage on the sample clock of the captured sound, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from streamer.dsp.resample import Resample
from streamer.dsp.stage import Stage


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

    def span(self, k: int) -> tuple[int, int]:
        """Return the first sample that is new in item `k`, and one past the last sample that it depends on."""
        stop = k * self.hop + self.latency
        return max(0, -((self.hop - stop) // self.scale)), -(-stop // self.scale)

    def reached(self, items: int) -> int:
        """Return the sample up to which the first `items` items describe the sound."""
        return items * self.hop // self.scale

    def items_before(self, sample: int) -> int:
        """Return the number of items whose span stops before `sample`."""
        return max(0, ((sample - 1) * self.scale - self.latency) // self.hop + 1)
