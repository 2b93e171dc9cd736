"""What every model is, whatever runs it."""

from __future__ import annotations

from fractions import Fraction

from streamer.dsp.stage import Stage
from streamer.inference.manifest import Manifest


class Model(Stage):
    """A stage that a manifest describes.

    Attributes
    ----------
    manifest : Manifest
    streams_at_once : int
        As many as are worth one call: more make it no cheaper for each on a CPU, and spill its caches.
    """

    manifest: Manifest
    max_batch: int = 32

    @property
    def hop(self) -> Fraction:
        return Fraction(self.manifest.hop_frames)

    @property
    def latency(self) -> Fraction:
        return Fraction(self.manifest.latency_frames)
