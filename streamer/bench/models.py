"""What each model costs by itself: a step's time, and a core's for a second of sound."""

from __future__ import annotations

import time

import numpy as np

from streamer.bench.chosen import Chosen
from streamer.bench.measure import Stepped, each, percentiles
from streamer.bench.section import BenchSection
from streamer.inference.model import Model

STREAMS = (1, Model.max_batch)
"""In one call."""
WARM_UP_STEPS = 20


def models(chosen: Chosen, seconds: float) -> list[BenchSection]:
    """Measure each model without what it hears, which is noise here: the arithmetic is the same for any sound.

    Parameters
    ----------
    chosen : Chosen
    seconds : float
        Sound that each stream is stepped through.

    Returns
    -------
    list of BenchSection
        For one stream and for several in one call, of which each has its share.
    """
    rows = [_measured(model, streams, seconds) for model in chosen.models for streams in STREAMS]
    title = "Models: milliseconds of a core for a second of sound, and a step's milliseconds, for each stream"
    return [BenchSection("models", title, rows)]


def _measured(model: Model, streams: int, seconds: float) -> dict[str, object]:
    manifest = model.manifest
    hop_s = manifest.hop_frames * manifest.frame_ms / 1_000
    rng = np.random.default_rng(0)
    xs = rng.standard_normal((WARM_UP_STEPS, streams, manifest.hop_frames, manifest.input_size), np.float32)
    stepped = Stepped(model, streams)
    for x in xs:
        stepped.step(x)
    steps = max(1, round(seconds / hop_s))
    items = [xs[n % len(xs)] for n in range(steps)]
    before_s = time.process_time()
    took_s = each(stepped.step, items)
    core_s = time.process_time() - before_s
    return {
        "model": manifest.name,
        "hop_ms": round(1_000 * hop_s, 3),
        "streams": streams,
        "core_ms_per_s": round(1_000 * core_s / (steps * hop_s * streams), 3),
        "step_ms": percentiles(took_s / streams, unit=1e-3),
    }
