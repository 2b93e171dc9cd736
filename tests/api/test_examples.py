"""The examples of the Python interface: those of its docstrings, and those of docs/python.md."""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pytest
import soundfile

import streamer
import streamer.api
from tests.api.microphone import FakeMicrophone, plug_in
from tests.conftest import ROOT

MODULES = [module.name for module in iter_modules(streamer.api.__path__)]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def nothing_taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test begin without taught sounds, whatever was taught by others of this session."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_give_what_they_say(name: str) -> None:
    assert doctest.testmod(import_module(f"streamer.api.{name}")).failed == 0


def test_every_public_function_of_the_interface_has_an_example() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in ("listen", "analyze", "separate", "log_mel", "teach", "models"):
        (found, *_) = finder.find(getattr(streamer, name), name)
        assert found.examples, name


def test_the_page_about_the_interface_runs_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each block of Python in its order, in one namespace, with a microphone that ends after four seconds."""
    monkeypatch.chdir(tmp_path)
    plug_in(monkeypatch, FakeMicrophone(ends_s=4))
    samples, rate_hz = soundfile.read(streamer.DEMO_PATH)
    soundfile.write("talk.wav", samples[: 6 * rate_hz], rate_hz)
    soundfile.write("song.wav", samples[3 * rate_hz : 8 * rate_hz], rate_hz)
    soundfile.write("bell.wav", tone(1_500.0), 16_000)
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = [code for language, code in FENCE.findall(text) if language == "python"]
    assert len(blocks) > 5
    namespace: dict[str, object] = {}
    for code in blocks:
        if ">>>" in code:
            parsed = doctest.DocTestParser().get_doctest(code, namespace, "docs/python.md", None, 0)
            runner = doctest.DocTestRunner()
            runner.run(parsed, clear_globs=False)
            assert runner.failures == 0, code
            namespace.update(parsed.globs)
        else:
            exec(compile(code, "docs/python.md", "exec"), namespace)  # noqa: S102 - our own document


def tone(pitch_hz: float) -> np.ndarray:
    t = np.arange(2 * 16_000) / 16_000
    return 0.3 * np.sin(2 * np.pi * pitch_hz * t) + np.random.default_rng(1).normal(0, 1e-4, len(t))
