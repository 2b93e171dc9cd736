"""Imports run one way, streamer <- models <- train, and listening needs no training library."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

TRAINING = {"torch", "torchaudio", "tensorflow", "librosa", "onnx", "sklearn"}
AT_WISH = {
    ("streamer/inference/torch_model.py", "torch"),
    ("streamer/inference/torch_model.py", "torch.export.passes"),
}
"""What is imported by who asked for it, and by nobody else: a GPU."""

FORBIDDEN = {
    "streamer": {"models", "train", "tests", "benchmarks", *TRAINING},
    "models": {"train", "tests", "benchmarks"},
    "train": {"tests", "benchmarks"},
}

IMPORT_ALL = """
import importlib, pkgutil, sys
import streamer
for module in pkgutil.walk_packages(streamer.__path__, "streamer."):
    importlib.import_module(module.name)
heard = {name.partition(".")[0] for name in sys.modules}
sys.exit(" ".join(sorted(heard & set(sys.argv[1:]))) or None)
"""


def imported_by(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} has a relative import; write the full name"
            yield node.lineno, str(node.module)


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_run_one_way(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"no files in {package}"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files
        for line, name in imported_by(path)
        if name.partition(".")[0] in FORBIDDEN[package] and (str(path.relative_to(ROOT)), name) not in AT_WISH
    ]
    assert not wrong, "\n".join(wrong)


def test_streamer_loads_no_training_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *sorted(FORBIDDEN["streamer"])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"importing all of streamer loads or fails with: {done.stderr}"
