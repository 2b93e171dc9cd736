"""Read the sound of a file that only ffmpeg can read."""

from __future__ import annotations

import logging
import re
import subprocess
from collections.abc import Sequence
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path

from streamer.sources.ffmpeg.ffmpeg_source import MP4_HEAD_BYTES, FfmpegSource, is_unedited_mp4
from streamer.sources.formats.announced_frames import announced_frames, rounding, shortness
from streamer.sources.source import Source
from streamer.sources.wrappers.converted import Shaped
from streamer.sources.wrappers.forgiving import Forgiving
from streamer.sources.wrappers.in_turn import InTurn, Shape

logger = logging.getLogger(__name__)

STANDARD_INPUT = Path("/dev/stdin")
"""Path by which standard input is opened as a file, if it is one."""

HEAD_BYTES = 4_096
"""Length of the beginning of a file in which the number of its frames is."""

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
    rate_hz : int, optional
        Rate to which the sound is converted.
    name : str, optional
        Name of the source in messages; by default it names the path.
    """

    place = "the path"

    def __init__(
        self,
        path: Path,
        span: tuple[int, int] | None = None,
        rate_hz: int | None = None,
        name: str | None = None,
    ) -> None:
        part = "" if span is None else f"subfile,,start,{span[0]},end,{span[1]},,:"
        super().__init__(
            name or f"file {path}",
            ["-protocol_whitelist", "file,subfile", "-i", f"{part}file:{path}"],
            rate_hz=rate_hz,
        )
        self._path = path
        self._span = span
        self.input_handle = _input_handle(path)

    def is_unedited(self, container: str) -> bool:
        if container.startswith("mov,"):
            with self._path.open("rb") as file:
                return is_unedited_mp4(file.read(MP4_HEAD_BYTES))
        return super().is_unedited(container)

    def _finish(self, code: int) -> None:
        super()._finish(code)
        if self._span is None or self._log.rate_hz != self.rate_hz:
            return
        with self._path.open("rb") as file:
            file.seek(self._span[0])
            head = file.read(HEAD_BYTES)
        if short := shortness(self._name, announced_frames(head), self._position, rounding(head)):
            logger.warning(short)

    @cached_property
    def total_s(self) -> float | None:
        """Length of the sound in seconds, as ffprobe estimates it at the first access; None if ffprobe cannot."""
        return _length_s(self._path)


def media_parts(
    path: Path,
    begins: Sequence[int],
    track: int | str = "",
    name: str | None = None,
    end: int | None = None,
) -> Source:
    """Return the source of a file that consists of several that were joined end to end, not yet opened.

    Parameters
    ----------
    path : Path
    begins : sequence of int
        Byte offsets of the files.
    track : int or str
        Number or language of the sound track that is heard; empty for the first.
    name : str, optional
        As of `MediaFileSource`.
    end : int, optional
        Byte offset at which the last file ends; by default the end of all.
    """
    spans = list(pairwise((*begins, end or path.stat().st_size)))
    whole = [(0, path.stat().st_size)]

    def opened(number: int, shape: Shape) -> Source:
        rate_hz = shape[0] if shape else None
        source = MediaFileSource(path, None if spans == whole else spans[number], rate_hz, name)
        source.track = track
        return source if number == 0 else Forgiving(Shaped(source, shape))

    return (
        InTurn([partial(opened, number) for number in range(len(spans))])
        if len(spans) > 1
        else opened(0, None)
    )


def _length_s(path: Path) -> float | None:
    """Return the length of the first audio stream, or else of the whole file; None if unknown."""
    asked = ["-select_streams", "a:0", "-show_entries", "stream=duration:format=duration", "-of", "csv=p=0"]
    command = ["ffprobe", "-v", "error", "-protocol_whitelist", "file", *asked, f"file:{path}"]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=PROBE_TIMEOUT_S, check=True, stdin=_input_handle(path)
        )
    except (OSError, subprocess.SubprocessError):
        return None
    numbers = [line for line in done.stdout.decode().split() if re.fullmatch(r"[0-9.]+", line)]
    return float(numbers[0]) if numbers else None


def _input_handle(path: Path) -> int | None:
    """Return the standard input of a program that opens a path, which may be its standard input."""
    return None if path == STANDARD_INPUT else subprocess.DEVNULL
