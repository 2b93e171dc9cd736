"""Choose a sound track of a file or a stream that has several, such as a film's languages."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from streamer.errors import StreamError

logger = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 20.0
"""Longest time that ffprobe may take to list the sound tracks."""

LANGUAGES = """
ar ara/bg bul/cs ces cze/da dan/de deu ger/el ell gre/en eng/es spa/et est/fi fin/fr fra fre/ga gle/he heb/hi hin/
hr hrv/hu hun/it ita/ja jpn/ko kor/lt lit/lv lav/mt mlt/nl nld dut/no nor nob/pl pol/pt por/ro ron rum/ru rus/
sk slk slo/sl slv/sv swe/tr tur/uk ukr/zh zho chi
"""
"""Codes of one language: of two letters (ISO 639-1), and those of three that films are tagged with (ISO 639-2)."""

FIRST = ("-map", "0:a:0")
"""ffmpeg's options that choose the first sound track."""


@dataclass(frozen=True)
class SoundTrack:
    """A sound track.

    Attributes
    ----------
    codec : str
        ffmpeg's name of its codec.
    language : str
        Language with which it is tagged, in small letters; empty if it is not.
    """

    codec: str
    language: str


def track_options(track: int | str, input_arguments: Sequence[str], name: str) -> tuple[str, ...]:
    """Return ffmpeg's output options that choose a sound track.

    Parameters
    ----------
    track : int or str
        Its number, from 1, or its language as it is tagged, such as ``deu``; ``de`` finds what is tagged ``deu`` or
        ``ger`` too. Empty chooses the first track. Of several of a language, the first is chosen, and that is told.
    input_arguments : sequence of str
        ffmpeg's options for the input.
    name : str
        Name of the input in messages.

    Raises
    ------
    StreamError
        If no track has the language.
    """
    text = str(track).lower()
    if not text:
        return FIRST
    if text.isdecimal():
        return "-map", f"0:a:{int(text) - 1}"
    rows = (row.split() for row in LANGUAGES.split("/"))
    codes = next((row for row in rows if text in row), [text])
    tracks = _tracks(input_arguments)
    numbers = [number for number, found in enumerate(tracks, 1) if found.language in codes]
    if not numbers:
        raise without_track(track, tracks, name)
    if len(numbers) > 1:
        logger.warning(
            "%s has several sound tracks of the language %r (%s): number %d is heard; choose another by its number",
            name,
            track,
            ", ".join(map(str, numbers)),
            numbers[0],
        )
    return "-map", f"0:a:{numbers[0] - 1}"


def without_track(track: int | str, tracks: Sequence[SoundTrack], name: str) -> StreamError:
    """Return the error to raise for an input that does not have the sound track that was asked for.

    Parameters
    ----------
    track : int or str
        Number or language that was asked for.
    tracks : sequence of SoundTrack
        The sound tracks that there are.
    name : str
        Name of the input in messages.
    """
    there = "; ".join(
        f"{number}: {found.codec}, {found.language or 'no language'}"
        for number, found in enumerate(tracks, 1)
    )
    return StreamError(
        f"{name} cannot be opened by ffmpeg with the sound track {track!r}; "
        f"expected the number or the language of one of its sound tracks ({there or 'none were found'})"
    )


def _tracks(input_arguments: Sequence[str]) -> list[SoundTrack]:
    """Return the sound tracks of an input; none if ffprobe cannot open it."""
    asked = ["-select_streams", "a", "-show_entries", "stream=codec_name:stream_tags=language", "-of", "json"]
    try:
        done = subprocess.run(
            ["ffprobe", "-v", "quiet", *asked, *input_arguments],
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    streams = json.loads(done.stdout or "{}").get("streams", [])
    return [
        SoundTrack(stream.get("codec_name", "unknown"), stream.get("tags", {}).get("language", "").lower())
        for stream in streams
    ]
