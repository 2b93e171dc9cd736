"""Measure the front ends: microseconds for each frame."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.bench.measure import Stepped, each, percentiles
from streamer.bench.recording import recording
from streamer.bench.section import BenchSection
from streamer.bench.target import BenchTarget
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import offline

ROUNDS = 50
"""Number of times that the whole sound is framed."""
WARM_UP_HOPS = 100


def frontends(target: BenchTarget, seconds: float) -> list[BenchSection]:
    """Measure every log-mel front end whose frames the models take as input.

    Parameters
    ----------
    target : BenchTarget
    seconds : float
        Length of the sound: the bundled recording, repeated if it is shorter.

    Returns
    -------
    list of BenchSection
        Percentiles of microseconds for each frame, for single hops and for the whole sound at once.
    """
    hearing: dict[LogMelConfig, list[str]] = {}
    for manifest in (model.manifest for model in target.models if not model.manifest.is_separation):
        if manifest.ear is None:
            hearing.setdefault(manifest.log_mel, []).append(manifest.name)
    rows: list[dict[str, object]] = []
    for config, names in hearing.items():
        described = {
            "heard_by": ", ".join(names),
            "bands": config.mel_bands,
            "hop_ms": round(1_000 * config.hop_samples / config.sample_rate_hz, 3),
        }
        sound = _sound(config, seconds)
        rows.append({**described, "taken": "hop by hop", "us_per_frame": _hop_by_hop(config, sound)})
        rows.append({**described, "taken": "whole", "us_per_frame": _whole(config, sound)})
    return [BenchSection("frontend", "Front ends: microseconds a frame", rows)]


def _sound(config: LogMelConfig, seconds: float) -> Array:
    """Return the recording in whole hops and of at least a window, shape (1, samples)."""
    wanted = max(round(seconds * config.sample_rate_hz), config.window_samples)
    hops = -(-wanted // config.hop_samples)
    samples, _ = recording(config.sample_rate_hz)
    return np.resize(samples, (1, hops * config.hop_samples))


def _hop_by_hop(config: LogMelConfig, sound: Array) -> dict[str, float]:
    stepped = Stepped(LogMel(config))
    hops = [hop[None] for hop in sound.reshape(-1, config.hop_samples)]
    for hop in hops[:WARM_UP_HOPS]:
        stepped.step(hop)
    return percentiles(each(stepped.step, hops))


def _whole(config: LogMelConfig, sound: Array) -> dict[str, float]:
    front_end = LogMel(config)
    frames = offline(front_end, sound).shape[1]  # this call compiles it, too
    return percentiles(each(lambda x: offline(front_end, x), [sound] * ROUNDS) / frames)
