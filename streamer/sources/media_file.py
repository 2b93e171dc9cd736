"""Read the sound of a file that only ffmpeg can read."""

from __future__ import annotations

import re
import subprocess
from functools import cached_property
from pathlib import Path

from streamer.sources.ffmpeg import MP4_HEAD_BYTES, FfmpegSource, is_unedited_mp4

PROBE_TIMEOUT_S = 5.0
"""Longest time that ffprobe may take to find the length of a file."""


class MediaFileSource(FfmpegSource):
    """A file that ffmpeg decodes, as fast as it is read.

    Parameters
    ----------
    path : Path
        Any file that ffmpeg reads. A playlist may refer to other files, but not to the network.
    span : tuple of int, optional
        First byte of the file that is read and the one after the last, of a file in which several were joined.
    shape : tuple of int, optional
        Rate and number of channels to which the sound is converted.
    """

    place = "the path"

    def __init__(
        self, path: Path, span: tuple[int, int] | None = None, shape: tuple[int, int] | None = None
    ) -> None:
        part = "" if span is None else f"subfile,,start,{span[0]},end,{span[1]},,:"
        converted = () if shape is None else ("-ar", str(shape[0]), "-ac", str(shape[1]))
        super().__init__(
            f"file {path}",
            ["-protocol_whitelist", "file,subfile", "-i", f"{part}file:{path}"],
            output_arguments=converted,
        )
        self._path = path

    def is_unedited(self, container: str) -> bool:
        if container.startswith("mov,"):
            with self._path.open("rb") as file:
                return is_unedited_mp4(file.read(MP4_HEAD_BYTES))
        return super().is_unedited(container)

    @cached_property
    def total_s(self) -> float | None:
        """Length of the sound in seconds, as ffprobe estimates it at the first access; None if ffprobe cannot."""
        return _length_s(self._path)


def _length_s(path: Path) -> float | None:
    """Return the length of the first audio stream, or else of the whole file; None if unknown."""
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
