"""Test that ONNX Runtime reports nothing to its maker: no file in the user's home, no thread of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DEADLINE_S, ROOT
from tests.imports import imported_by
from tests.toy_model import write_toy_model

PACKAGES = ("streamer", "models", "train", "benchmarks", "tests", "scripts", "examples")
THE_ONE_PLACE = ROOT / "streamer" / "inference" / "onnxruntime_import.py"

ONLY_THE_IMPORT = """
import os, numpy, streamer.inference.onnxruntime_import as one
before = len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 0
one.import_onnxruntime()
one.import_onnxruntime("capi")
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
from streamer.inference.onnxruntime_import import import_onnxruntime
import_onnxruntime("quantization")
"""


def written_in_an_empty_home(home: Path, program: str, *arguments: str) -> list[Path]:
    """Run a program of Python as a user who has nothing yet, and return what it left of ONNX Runtime's."""
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    for variable in ("ORT_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS"):  # in each of which it is silent anyway
        environment.pop(variable, None)
    command = [sys.executable, "-c", program, *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, timeout=DEADLINE_S, check=True)
    return [
        path for path in home.rglob("*") if "onnxruntime" in path.name or path.suffix in {".db", ".sqlite"}
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_imports_it_but_in_one_place(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}; expected import_onnxruntime()"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, name in imported_by(path)
        if name.partition(".")[0] == "onnxruntime" and path != THE_ONE_PLACE
    ]
    assert not wrong, "\n".join(wrong)


def test_its_import_leaves_nothing_and_starts_no_thread(tmp_path: Path) -> None:
    assert written_in_an_empty_home(tmp_path / "home", ONLY_THE_IMPORT) == []


def test_a_model_that_runs_leaves_nothing(tmp_path: Path) -> None:
    folder = write_toy_model(tmp_path / "toy")
    assert written_in_an_empty_home(tmp_path / "home", A_MODEL, str(folder)) == []


@pytest.mark.slow
def test_no_part_of_the_project_makes_it_report(tmp_path: Path) -> None:
    """A library that another one imports may import it as well, where no reading of our files would show it."""
    assert written_in_an_empty_home(tmp_path / "home", EVERYTHING) == []
