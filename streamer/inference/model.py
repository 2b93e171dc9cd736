"""Define what all models have in common, whatever library runs them."""

from __future__ import annotations

from fractions import Fraction

from streamer.dsp.stage import Stage
from streamer.inference.manifest import Manifest


class Model(Stage):
    """Stage that is described by a manifest.

    Attributes
    ----------
    manifest : Manifest
    max_batch : int
        Largest batch that pays. On a CPU a larger one makes no stream cheaper, and it does not fit the caches.
    """

    manifest: Manifest
    max_batch: int = 32

    @property
    def hop(self) -> Fraction:
        return Fraction(self.manifest.hop_frames)

    @property
    def latency(self) -> Fraction:
        return Fraction(self.manifest.latency_frames)
