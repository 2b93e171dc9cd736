"""Test that the benchmarks run, and that they compare equal work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import report
from streamer.inference.model_folders import released_folder
from streamer.yamnet.folder import Check, write_folder
from streamer.yamnet.parity import EXACT
from tests.conftest import DEADLINE_S, ROOT
from tests.toy_separation import write_toy_separation
from tests.yamnet.toy_weights import noise, toy_weights
from train.yamnet.torch_reference import TorchYAMNet


@pytest.mark.slow
@pytest.mark.parametrize("name", ["frontend", "listening", "resample", "training_data"])
def test_benchmark_runs(name: str, tmp_path: Path) -> None:
    result = smoke(name, tmp_path / "result.json")
    assert result["machine"]["packages"]["numpy"] == np.__version__


@pytest.mark.slow
def test_the_benchmark_of_a_separation_runs(tmp_path: Path) -> None:
    model = write_toy_separation(tmp_path / "toy")
    result = smoke("separation", tmp_path / "result.json", "--model", str(model))
    for form in ("16000 Hz, 1 channels", "48000 Hz, 2 channels"):
        assert result[form]["hop_ms"] == 10.0
        assert result[form]["real_time_factor"] > 0
        assert result[form]["beside a busy core"]["hops"] == 50


@pytest.mark.slow
def test_the_benchmark_of_lateness_runs(tmp_path: Path) -> None:
    result = smoke("lateness", tmp_path / "result.json")
    assert result["cases"]["1 stream"]["late_ms"]["scores"]["p50"] > 0
    assert set(result["cases"]["1 stream"]["missed"]) == {"level", "scores", "decision"}
    assert result["peer"]["done_after_ms"]["p50"] >= result["peer"]["computes_ms"]
    assert result["freeze"]["dropped_s"] > 0
    assert "lost" in result["freeze"]["said"][0]


@pytest.mark.slow
def test_the_benchmark_of_slow_subscribers_runs(tmp_path: Path) -> None:
    found = smoke("slow_subscriber", tmp_path / "result.json")["waiting"]["TCP"]
    assert len(found) == 3  # lengths of messages
    assert all(count > 2_000 for count in found.values())


@pytest.mark.slow
def test_the_benchmark_of_calls_compares_two_builds(tmp_path: Path) -> None:
    other = ("--rows", "1", "3", "--models", "gate", "sounds", "--other", str(released_folder()))
    result = smoke("calls", tmp_path / "result.json", *other)
    assert list(result["models"]) == ["gate", "sounds"]
    for model in result["models"].values():
        assert list(model) == ["1", "3"]
        assert all(figures["us_per_row"] > 0 and figures["ratio"] > 0 for figures in model.values())


@pytest.mark.slow
def test_the_benchmark_of_a_gpu_runs_on_a_processor(tmp_path: Path) -> None:
    found = smoke(
        "gpu", tmp_path / "result.json", "--device", "cpu", "--models", "gate", "sounds", "--rows", "1", "3"
    )
    assert list(found["models"]) == ["gate", "sounds"]
    for model in found["models"].values():
        assert 0 < model["difference"] < 1e-3
        assert all(min(row["us"]["p50"], row["transfer_us"]["p50"]) > 0 for row in model["rows"].values())
    assert found["together"]["hop_ms"] == pytest.approx(93.0, abs=0.1)
    assert list(found["together"]["turn_ms"]) == ["64"]


@pytest.mark.slow
def test_the_benchmark_of_bounds_runs(tmp_path: Path) -> None:
    result = smoke("bounds", tmp_path / "result.json")
    assert list(result["models"]) == ["gate", "ear", "sounds", "genre", "separation"]
    for model in result["models"].values():
        for call in model["streams"].values():
            assert 0 < call["share_of_products"] < 1
            assert call["operators"] > 5
            assert 0 < call["time_of_products"] < 1 - call["time_of_moving"] < 1
    for ms in result["core_ms_per_stream_s"].values():
        parts = ms["models"] + ms["front_ends"] + ms["rest"]
        assert parts == pytest.approx(ms["all"], abs=0.01)  # rounded
        assert 0 < ms["products_alone"] < ms["models"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what memory a process has to itself")
def test_the_benchmark_of_memory_runs(tmp_path: Path) -> None:
    found = list(smoke("memory", tmp_path / "result.json")["private_mb"].values())
    assert len(found) == 7
    assert found[0] < found[2] < found[5]


@pytest.mark.slow
def test_the_benchmark_of_the_first_message_runs(tmp_path: Path) -> None:
    found = smoke("first_message", tmp_path / "result.json")["this build"]
    assert 0 < found["processor_s"] < found["seconds"] * 8
    assert 0 < found["private_mb"] < found["memory_mb"]


@pytest.mark.slow
def test_the_benchmark_of_many_streams_runs(tmp_path: Path) -> None:
    found = smoke("streams", tmp_path / "result.json")["streams"]
    assert list(found) == ["1", "3"]
    assert all(one["core_ms_per_stream_s"] > 0 and one["late_ms"]["p50"] > 0 for one in found.values())
    picture = tmp_path / "streams.svg"
    command = [sys.executable, "-m", "benchmarks.plot_streams", str(tmp_path / "result.json"), str(picture)]
    subprocess.run(command, cwd=ROOT, check=True)
    assert "share of one core" in picture.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_benchmark_of_many_streams_apart_runs(tmp_path: Path) -> None:
    apart = smoke("streams", tmp_path / "result.json", "--stems", "--rate", "16000")["streams"]["1"]
    assert apart["core_ms_per_stream_s"] > 0


@pytest.mark.slow
def test_the_benchmark_of_files_runs(tmp_path: Path) -> None:
    found = smoke("analyze", tmp_path / "result.json")["files"]["16000 Hz, 1 channels"]
    assert found["times_real_time"] == pytest.approx(10.0 / found["took_s"], rel=0.01, abs=0.05)  # rounded


@pytest.mark.slow
def test_the_benchmark_against_yamnet_runs(tmp_path: Path) -> None:
    weights = toy_weights()
    folder = tmp_path / "yamnet"
    write_folder(weights, 10, [Check(TorchYAMNet(weights), EXACT)], [noise()], folder)
    absent = str(tmp_path / "absent")
    result = smoke(
        "yamnet_live",
        tmp_path / "result.json",
        *("--yamnet", str(folder), "--tflite", absent, "--silero", absent),
    )
    compared = result["compared"]
    ours = ["streamer, 1 together", "streamer, 2 together"]
    yamnet = [f"YAMNet, ONNX Runtime, {how}" for how in ("a window every 0.1 s", "a window every 0.48 s")]
    assert list(compared) == [*ours, *yamnet, "YAMNet, ONNX Runtime, stepped every 0.1 s"]
    assert all(row["core_ms_per_s"] > 0 and list(row["times"]) == ours for row in compared.values())
    assert compared[ours[0]]["times"][ours[0]] == 1.0
    assert list(result["left_out"]) == ["YAMNet, LiteRT", "Silero VAD"]


def smoke(name: str, out: Path, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--smoke", "--out", str(out), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return result


def test_front_ends_do_the_same_work() -> None:
    from benchmarks.frontend import measure

    differences = measure(seconds=0.5, rounds=1, least_s=0.0)["median_difference"]
    assert set(differences) == {"streamer", "librosa", "torchaudio", "kaldi-native-fbank"}
    assert differences["streamer"] == 0
    # Log-mel values: triangles over hertz for mel, another window, no offset; not another spectrum.
    assert max(differences.values()) < 0.005


def test_calls_are_timed_in_turn() -> None:
    order: list[str] = []
    calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    timed = report.in_turn(calls, rounds=3, least_s=0.0)
    assert [len(timed[name]) for name in "ab"] == [3, 3]
    assert order[-6:] == ["a", "b", "a", "b", "a", "b"]
