"""The sound of a file that only ffmpeg reads."""

from __future__ import annotations

import re
import subprocess
from functools import cached_property
from pathlib import Path

from streamer.sources.ffmpeg import FfmpegSource

PROBE_TIMEOUT_S = 5.0
"""How long ffprobe may look for a file's length."""


class MediaFileSource(FfmpegSource):
    """A file, as fast as it is read.

    Parameters
    ----------
    path : Path
        Whatever ffmpeg reads. What it refers to (playlists do) may only be files.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"file {path}", ["-protocol_whitelist", "file", "-i", f"file:{path}"])
        self._path = path

    @cached_property
    def total_s(self) -> float | None:
        """By ffprobe's estimate, made when it is first asked for; None where there is none."""
        return _length_s(self._path)


def _length_s(path: Path) -> float | None:
    """Of the first sound in it, or else of the whole file."""
    asked = ["-select_streams", "a:0", "-show_entries", "stream=duration:format=duration", "-of", "csv=p=0"]
    command = ["ffprobe", "-v", "error", "-protocol_whitelist", "file", *asked, f"file:{path}"]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=PROBE_TIMEOUT_S, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return None
    numbers = [line for line in done.stdout.decode().split() if re.fullmatch(r"[0-9.]+", line)]
    return float(numbers[0]) if numbers else None
