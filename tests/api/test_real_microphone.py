"""`streamer.listen` on a real device, which PulseAudio says is open or closed."""

from __future__ import annotations

import subprocess

import pytest

import streamer


def open_captures() -> list[str]:
    listed = subprocess.run(
        ["pactl", "list", "short", "source-outputs"], capture_output=True, text=True, timeout=30, check=True
    )
    return listed.stdout.splitlines()


@pytest.mark.usefixtures("toys")
def test_leaving_early_closes_the_microphone(virtual_microphone: str) -> None:
    for event in streamer.listen("mic"):
        if event.kind == "level":
            assert len(open_captures()) == 1
            break
    assert open_captures() == []
