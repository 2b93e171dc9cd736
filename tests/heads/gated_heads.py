"""Make toy heads of which one is gated, sound that opens the gate, and pipelines that process it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig
from streamer.events.kinds import Decision, Event
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.pipeline import Pipeline
from streamer.sources.source import Block
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model

RATE = 16_000
PRE_ROLL_S = 0.8
WARM_UP_FRAMES = 4
OTHER = LogMelConfig(
    sample_rate_hz=22_050, window_samples=512, hop_samples=256, fft_samples=512, mel_high_hz=9_000
)

LOUD_S = [(1.0, 3.0), (3.3, 3.5), (3.75, 5.0), (5.9, 6.05), (6.5, 8.0)]


def make_heads(
    folder: Path,
    gate_front_end: LogMelConfig = LogMelConfig(),
    with_sounds: bool = True,
    pre_roll_s: float = PRE_ROLL_S,
) -> list[Head]:
    """Make a gate on a front end, sounds on an ear, and genre on the ear while the gate is open."""
    ear_folder = write_toy_ear(folder / "ear")
    ear = OnnxModel(ear_folder)
    gate = OnnxModel(write_toy_model(folder / "gate", gate_front_end))
    sounds = OnnxModel(write_toy_head(folder / "sounds", ear_folder, "sounds"))
    genre = OnnxModel(write_toy_head(folder / "genre", ear_folder, "genre", True, WARM_UP_FRAMES))
    heads = [
        Head("gate", "gate", gate, DecisionConfig(min_on_ms=100, min_off_ms=100)),
        Head("sounds", "sound", sounds, DecisionConfig(min_on_ms=80, min_off_ms=80), ear),
        Head(
            "genre",
            "genre",
            genre,
            DecisionConfig(min_on_ms=80, min_off_ms=160, update_ms=200),
            ear,
            opened_by="gate",
            pre_roll_s=pre_roll_s,
        ),
    ]
    return [head for head in heads if with_sounds or head.name != "sounds"]


def sound(rate_hz: int, loud_s: Sequence[tuple[float, float]], total_s: float) -> Array:
    """A low hum, soft but in `loud_s`, where it is loud; a little noise in all."""
    t = np.arange(round(total_s * rate_hz)) / rate_hz
    gain = np.full(len(t), 1e-4)
    for start_s, stop_s in loud_s:
        gain[(t >= start_s) & (t < stop_s)] = 0.3
    rng = np.random.default_rng(2)
    hum = np.sin(2 * np.pi * 300 * t) + np.sin(2 * np.pi * 210 * t) + rng.normal(0, 0.02, len(t))
    return (gain * hum).astype(np.float32)


def process(pipeline: Pipeline, x: Array, cuts: Sequence[int] = (), first: int = 0) -> list[Event]:
    events = []
    for a, b in zip([0, *cuts], [*cuts, len(x)], strict=True):
        events += pipeline.step(Block(first + a, x[a:b, None], None))
    return events


def states(events: Sequence[Event], kind: str) -> list[tuple[str, str]]:
    """Return state and label of each decision of a kind, but for updates."""
    return [
        (e.state, e.label)
        for e in events
        if isinstance(e, Decision) and e.kind == kind and e.state != "update"
    ]


def of(events: Sequence[Event], kind: str, state: str) -> list[Decision]:
    return [e for e in events if isinstance(e, Decision) and (e.kind, e.state) == (kind, state)]
