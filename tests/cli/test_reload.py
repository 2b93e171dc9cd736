"""`streamer reload`: what it waits for."""

from __future__ import annotations

import importlib

import pytest
from click.testing import CliRunner

from streamer.cli.main import main
from tests.programs import free_address


def test_a_reload_says_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("streamer.cli.reload")
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    monkeypatch.setattr(module, "ANSWER_S", 0.2)
    address = free_address()
    done = CliRunner().invoke(main, ["reload", "--address", address])
    waiting, error = done.stderr.splitlines()
    assert waiting == f"waiting up to 0.2 s for a `streamer listen` on {address}"
    assert error.startswith(f"Error: no message from {address} for 0.2 s")
