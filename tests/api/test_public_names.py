"""The names that `streamer` exports."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest

import streamer


def test_importing_streamer_loads_nothing_else() -> None:
    program = (
        "import sys, streamer; print(sorted(m for m in sys.modules if m.startswith(('streamer', 'numpy'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['streamer', 'streamer.onnxruntime_reports']\n"


@pytest.mark.parametrize("name", streamer.__all__)
def test_every_public_name_is_there(name: str) -> None:
    found = getattr(streamer, name)
    assert not isinstance(found, ModuleType)
    if hasattr(found, "__module__") and hasattr(found, "__name__"):
        assert getattr(import_module(found.__module__), name) is found


def test_no_module_of_streamer_hides_a_public_name() -> None:
    modules = {module.name for module in iter_modules(streamer.__path__)}
    assert modules >= {"api", "engine"}
    assert not modules & set(streamer.__all__)
    assert set(streamer.__all__) <= set(dir(streamer))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'streamer' has no attribute 'lissen'"):
        streamer.lissen  # noqa: B018
