"""Tell by the messages of ffmpeg whether a connection ended before the sound did."""

from __future__ import annotations

from streamer.sources.ffmpeg.ffmpeg_log import FfmpegLog

BROKEN_OFF = (
    "Stream ends prematurely",
    "Connection reset",
    "Connection timed out",
    "Input/output error",
    "Broken pipe",
)
"""Errors of ffmpeg that say that the connection ended before the sound did."""

EXACT = ("wav", "w64", "aiff", "au", "flac")
"""Formats whose header states the length of the sound exactly; so does a CAF of plain PCM."""

WHOLE_SHARE, ESTIMATED_WHOLE_SHARE = 0.99, 0.95
"""Smallest share of an announced length that counts as the whole sound: of an exact one, and of any other."""

MP3_PADDING_S = 0.5
"""Longest padding of an MP3, which the length in its tag counts and nobody hears: 3,400 samples at 8 kHz."""

PLACEHOLDER_BYTES = 0x7FFF0000
"""Smallest length that programs write into a header when they do not know it."""


def broken_off(log: FfmpegLog) -> str:
    """Return ffmpeg's error that says that the connection ended too early; empty if there was none."""
    return next((text for text in log.errors if any(mark in text for mark in BROKEN_OFF)), "")


def is_whole(log: FfmpegLog, heard_s: float, is_plain_pcm: bool) -> bool | None:
    """Return whether all the sound came that the header announces; None if it does not say, or not exactly.

    Parameters
    ----------
    log : FfmpegLog
        What ffmpeg says of the input: its container, and the length that its header announces.
    heard_s : float
        Length of the sound that came, in seconds.
    is_plain_pcm : bool
        Whether the sound is plain PCM.
    """
    if log.duration_s is None or 125 * log.bitrate_kbps * log.duration_s >= PLACEHOLDER_BYTES:
        return None
    share = heard_s / log.duration_s if log.duration_s else 1.0
    if log.container == "mp3" and not log.duration_is_estimate:
        return share >= WHOLE_SHARE or heard_s >= log.duration_s - MP3_PADDING_S
    states_it = log.container in EXACT or (log.container == "caf" and is_plain_pcm)
    is_exact = states_it and not log.duration_is_estimate
    if share >= (WHOLE_SHARE if is_exact else ESTIMATED_WHOLE_SHARE):
        return True
    return False if is_exact else None
