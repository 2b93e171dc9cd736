"""Measure each model by itself: the time of a step, and the processor time for a second of sound."""

from __future__ import annotations

import time

import numpy as np

from streamer.bench.measure import Stepped, each, percentiles
from streamer.bench.section import BenchSection
from streamer.bench.target import BenchTarget
from streamer.inference.model import Model

STREAMS = (1, Model.max_batch)
"""Numbers of streams in one call."""
WARM_UP_STEPS = 20


def models(target: BenchTarget, seconds: float) -> list[BenchSection]:
    """Measure the cost of each model alone, on noise, since the cost does not depend on the sound.

    Parameters
    ----------
    target : BenchTarget
    seconds : float
        Length of the sound in each stream.

    Returns
    -------
    list of BenchSection
        Figures for one stream, and for each of several streams in one call.
    """
    rows = [_measured(model, streams, seconds) for model in target.models for streams in STREAMS]
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
