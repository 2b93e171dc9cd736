"""What is measured, and of what; how long it took is nobody's to assert."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.bench.frontend import frontends
from streamer.bench.latency import latency
from streamer.bench.models import models
from streamer.bench.recording import recording
from streamer.bench.target import BenchTarget
from streamer.bench.throughput import Streams, throughput
from streamer.config import Config, StreamConfig
from streamer.config_sections import ModelsConfig, PublishConfig
from streamer.dsp.log_mel import LogMelConfig
from streamer.errors import ConfigError, StreamError
from streamer.head_slots import DecisionConfig
from streamer.inference.onnx import OnnxModel
from tests.toy_model import write_toy_model
from tests.toy_separation import write_toy_separation


@pytest.fixture(scope="module")
def target(toys: ModelsConfig) -> BenchTarget:
    return BenchTarget.load(Config(models=toys))


def test_models_of_all_streams_are_chosen(toys: ModelsConfig, tmp_path: Path) -> None:
    other = ModelsConfig({"gate": str(write_toy_model(tmp_path / "other")), "sounds": "off", "genre": "off"})
    streams = (StreamConfig("mic"), StreamConfig("mic", models=other), StreamConfig("mic"))
    found = BenchTarget.load(Config(models=toys, stream=streams))
    assert [model.manifest.name for model in found.models] == ["gate", "ear", "sounds", "genre", "other"]
    assert [head.model.manifest.name for head in found.heads] == ["gate", "sounds", "genre", "other"]
    assert len(found.listeners) == 3
    assert found.versions.keys() == {"streamer", "ear", "gate", "sounds", "genre"}


def test_there_has_to_be_a_model() -> None:
    off = ModelsConfig({"gate": "off", "sounds": "off", "genre": "off"})
    with pytest.raises(ConfigError, match=r"^every model is off; expected one at least .* leave --model"):
        BenchTarget.load(Config(models=off))


def test_a_front_end_is_measured_once(toys: ModelsConfig, tmp_path: Path) -> None:
    fine = write_toy_model(tmp_path / "fine", LogMelConfig(mel_bands=80, hop_samples=200))
    other = ModelsConfig({"gate": str(fine), "sounds": "off", "genre": "off"})
    both = Config(models=toys, stream=(StreamConfig(), StreamConfig(models=other)))
    (section,) = frontends(BenchTarget.load(both), seconds=0.01)
    described = [(row["heard_by"], row["bands"], row["hop_ms"], row["taken"]) for row in section.rows]
    assert described == [
        ("gate, ear", 64, 10.0, "hop by hop"),
        ("gate, ear", 64, 10.0, "whole"),
        ("fine", 80, 12.5, "hop by hop"),
        ("fine", 80, 12.5, "whole"),
    ]
    assert all(row["us_per_frame"]["p50"] > 0 for row in section.rows)


def test_each_model_is_stepped_alone_and_with_others(toys: ModelsConfig, tmp_path: Path) -> None:
    separation = write_toy_separation(tmp_path / "separation")
    separating = ModelsConfig({**toys.names, "separation": str(separation)})
    (section,) = models(BenchTarget.load(Config(models=separating)), seconds=0.2)
    described = {(row["model"], row["streams"]): row["hop_ms"] for row in section.rows}
    hops = {"gate": 40.0, "ear": 80.0, "sounds": 80.0, "genre": 80.0, "separation": 10.0}
    assert described == {(name, count): hop for name, hop in hops.items() for count in (1, 32)}
    assert all(row["core_ms_per_s"] > 0 for row in section.rows)
    assert all(row["step_ms"]["max"] >= row["step_ms"]["p50"] for row in section.rows)


def test_throughput_is_said_by_the_number_of_streams(target: BenchTarget) -> None:
    (section,) = throughput(target, seconds=0.5)
    assert [row["streams"] for row in section.rows] == [1, 8, 32, 64]
    assert all(row["core_ms_per_stream_s"] > 0 and row["streams_per_core"] > 0 for row in section.rows)


def test_a_stream_that_fails_is_no_figure(target: BenchTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams(target.listeners, 3, *recording(), 0.1, PublishConfig())
    streams.turn()

    def broken(*_: object) -> None:
        raise RuntimeError("the model broke")

    monkeypatch.setattr(OnnxModel, "run", broken)
    with pytest.raises(RuntimeError, match="the model broke"):
        streams.turn()


def test_messages_are_received_and_models_declare_their_part(target: BenchTarget) -> None:
    received, declared = latency(target, seconds=1.0)
    counts = {row["message"]: row["count"] for row in received.rows}
    assert counts.keys() == {"level", "scores", "decision"}
    assert counts["level"] > 0
    assert counts["scores"] > 0
    levels = received.rows[0]["late_ms"]
    assert 0 < levels["p50"] <= levels["p95"] <= levels["p99"] <= levels["max"]
    resampler, *heads = declared.rows
    assert resampler["part"] == "resampler, 32000 to 16000 Hz"
    assert 6 < resampler["latency_ms"] < 7
    # A window, and the hops that a step waits for: of 4 frames, of 8, and of the ear's 8.
    assert [(row["part"].split(",")[0], row["every_ms"], row["latency_ms"]) for row in heads] == [
        ("gate", 40.0, 55.0),
        ("sounds", 80.0, 95.0),
        ("genre", 80.0, 95.0),
    ]


def test_nothing_received_is_no_figure(toys: ModelsConfig) -> None:
    rare = PublishConfig(level_hz=0.1, scores_hz=0.1)
    gate = ModelsConfig({"gate": toys.names["gate"], "sounds": "off", "genre": "off"})
    never = DecisionConfig(on=1.0, off=1.0)
    deaf = BenchTarget.load(Config(models=gate, decisions={"gate": never}, publish=rare))
    with pytest.raises(StreamError, match=r"^nothing was received of 0\.01 s of sound; .* more --seconds$"):
        latency(deaf, seconds=0.01)
