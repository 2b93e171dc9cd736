"""Find the recording that comes with Streamer."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

DEMO_PATH = Path(str(files("streamer") / "data" / "demo.ogg"))
"""Path of the bundled recording: music, speech, everyday sounds and silence in turn."""
