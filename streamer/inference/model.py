"""Define what all models have in common, whatever library runs them."""

from __future__ import annotations

from fractions import Fraction

from streamer.dsp.stage import Stage
from streamer.inference.manifest import Manifest


class Model(Stage):
    """A stage that a manifest describes.

    Attributes
    ----------
    manifest : Manifest
    max_batch : int
        The largest number of streams that is worth one call. On a CPU a larger batch makes no stream cheaper, and
        it spills the caches.
    """

    manifest: Manifest
    max_batch: int = 32

    @property
    def hop(self) -> Fraction:
        return Fraction(self.manifest.hop_frames)

    @property
    def latency(self) -> Fraction:
        return Fraction(self.manifest.latency_frames)
