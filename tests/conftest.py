"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the data sets: `STREAMER_DATA`, or the default beside the checkout.

    Without it a test that needs real sound is skipped and says so; with ``STREAMER_REQUIRE_DATA=1`` it fails,
    so that a machine which should have the data cannot pass by having lost it.
    """
    folder = Path(os.environ.get("STREAMER_DATA", ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        reason = f"no data sets at {folder}; point STREAMER_DATA at the folder that holds them"
        if os.environ.get("STREAMER_REQUIRE_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
