"""What the tests of sources share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _straight_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of this machine stands between the tests and their servers."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
