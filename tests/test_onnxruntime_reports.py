"""Test that ONNX Runtime reports nothing to its maker: no file in the user's home, no thread of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.onnxruntime_reports import SWITCH, turn_off
from tests.conftest import DEADLINE_S, ROOT
from tests.toy_model import write_toy_model

PACKAGES = ("streamer", "models", "train", "benchmarks")

ITS_IMPORT = """
import importlib, os, sys
importlib.import_module(sys.argv[1])
assert "onnxruntime" not in sys.modules, "it came too early to be kept quiet"
import numpy
before = len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 0
import onnxruntime
after = len(os.listdir("/proc/self/task")) if before else 0
assert before == after, f"{after - before} more threads"
"""
A_MODEL = """
import sys; from pathlib import Path; from streamer.inference.onnx import OnnxModel
OnnxModel(Path(sys.argv[1]))
"""
EVERYTHING = """
import importlib, pkgutil, sys
for name in ("streamer", "models", "train", "benchmarks"):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


def written_in_an_empty_home(home: Path, program: str, *arguments: str) -> list[Path]:
    """Run a program of Python as a user who has nothing yet, and return the files that it left."""
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    for variable in (SWITCH, "CI", "GITHUB_ACTIONS"):  # in each of which it is silent anyway
        environment.pop(variable, None)
    command = [sys.executable, "-c", program, *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, timeout=DEADLINE_S, check=True)
    return [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize("package", PACKAGES)
def test_its_import_after_a_package_leaves_nothing_and_starts_no_thread(package: str, tmp_path: Path) -> None:
    assert written_in_an_empty_home(tmp_path / "home", ITS_IMPORT, package) == []


def test_a_model_that_runs_leaves_nothing(tmp_path: Path) -> None:
    folder = write_toy_model(tmp_path / "toy")
    assert written_in_an_empty_home(tmp_path / "home", A_MODEL, str(folder)) == []


@pytest.mark.slow
def test_no_part_of_the_project_makes_it_report(tmp_path: Path) -> None:
    """A library that another one imports may import it as well, where no reading of our files would show it."""
    written = written_in_an_empty_home(tmp_path / "home", EVERYTHING)
    assert [path for path in written if "onnxruntime" in str(path) or path.suffix in {".db", ".sqlite"}] == []


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    turn_off()
    assert os.environ[SWITCH] == "0"
    monkeypatch.delenv(SWITCH)
    turn_off()
    assert os.environ[SWITCH] == "1"
