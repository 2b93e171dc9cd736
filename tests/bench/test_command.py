"""`streamer bench`: tables for people, one JSON document for machines."""

from __future__ import annotations

import json
import platform
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streamer.cli.main import main
from streamer.config_sections import ModelsConfig


@pytest.fixture
def options(toys: ModelsConfig) -> list[str]:
    models = {slot: toys.names[slot] for slot in ("gate", "sounds", "genre")}
    chosen = [word for place, folder in models.items() for word in ("--model", f"{place}={folder}")]
    return [*chosen, "--seconds", "0.2"]


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["bench", *arguments])


def document(*arguments: str) -> dict[str, Any]:
    done = bench(*arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_without_a_command_everything_is_measured(options: list[str]) -> None:
    found = document(*options, "--json")
    assert list(found) == [
        "machine",
        "versions",
        "seconds",
        "frontend",
        "models",
        "throughput",
        "latency",
        "declared_latency",
    ]
    assert found["machine"]["python"] == platform.python_version()
    assert found["machine"]["packages"].keys() == {"numba", "numpy", "onnxruntime", "pyzmq", "rocket-fft"}
    assert found["versions"]["gate"].startswith("gate@")
    assert found["seconds"] == 0.2


def test_options_may_stand_before_the_command_or_behind_it(options: list[str]) -> None:
    before = document(*options, "--json", "models")
    behind = document("models", *options, "--json")
    assert list(before) == list(behind) == ["machine", "versions", "seconds", "models"]
    assert before["versions"] == behind["versions"]
    assert before["seconds"] == behind["seconds"] == 0.2


def test_a_table_says_the_machine_and_the_figures(options: list[str]) -> None:
    done = bench("frontend", *options)
    assert done.exit_code == 0, done.output
    assert f"Python {platform.python_version()}, numba" in done.stdout
    assert "with ear@" in done.stdout
    assert "Front ends: microseconds a frame" in done.stdout
    (row,) = [line for line in done.stdout.splitlines() if "hop by hop" in line]
    assert row.split()[:4] == ["gate,", "ear", "64", "10.000"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["models", "--seconds", "inf"], "--seconds is inf; expected seconds"),
        (["--model", "gat=off"], "--model is 'gat=off'; expected SLOT=MODEL"),
        (["frontend", *(f"--model={p}=off" for p in ("gate", "sounds", "genre"))], "every model is off"),
    ],
)
def test_what_cannot_be_measured_is_one_line(arguments: list[str], text: str) -> None:
    done = bench(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"Error: {text}")
    assert done.stdout == ""
