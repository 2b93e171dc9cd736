"""Heads: the model's own operating point, thresholds from the configuration, and models that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.config import Config
from streamer.config_sections import ModelsConfig
from streamer.errors import ConfigError
from streamer.head_slots import DecisionConfig
from streamer.heads.head import Head
from streamer.inference.model_cache import ModelCache
from streamer.inference.onnx import OnnxModel
from streamer.pipeline.build_heads import build_heads
from tests.toy_model import write_toy_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A toy gate, which opens at 0.6 and closes below 0.4."""
    return write_toy_model(tmp_path / "toy")


def config(folder: Path, **gate: float) -> Config:
    return Config(
        models=ModelsConfig({"gate": str(folder), "sounds": "off", "genre": "off"}),
        decisions={"gate": DecisionConfig(**gate)},
    )


@pytest.mark.parametrize(
    ("gate", "on", "off"),
    [
        ({}, 0.6, 0.4),
        ({"on": 0.4}, 0.4, 0.4),
        ({"off": 0.6}, 0.6, 0.6),
        ({"on": 0.3, "off": 0.2}, 0.3, 0.2),
    ],
)
def test_thresholds_are_the_model_s_own_unless_set(
    folder: Path, gate: dict[str, float], on: float, off: float
) -> None:
    (head,) = build_heads(config(folder, **gate), ModelCache())
    (decider,) = head.decisions_at(16_000, 0).deciders
    assert (decider.on, decider.off) == (on, off)


@pytest.mark.parametrize(
    ("gate", "match"),
    [
        ({"on": 0.3}, r"on = 0\.3 \(from the configuration\), off = 0\.4 \(from model toy\) for loud"),
        ({"off": 0.7}, r"on = 0\.6 \(from model toy\), off = 0\.7 \(from the configuration\) for loud"),
    ],
)
def test_one_threshold_does_not_turn_the_hysteresis_round(
    folder: Path, gate: dict[str, float], match: str
) -> None:
    with pytest.raises(
        ConfigError, match=rf"^thresholds of gate are {match}; expected off <= on: set both in \[gate\], or"
    ):
        build_heads(config(folder, **gate), ModelCache())
    with pytest.raises(ConfigError, match=match):
        Head("gate", "gate", OnnxModel(folder), DecisionConfig(**gate))
