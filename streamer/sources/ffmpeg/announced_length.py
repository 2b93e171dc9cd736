"""Tell by what ffmpeg says of an input whether the sound is as long as its container announces."""

from __future__ import annotations

from streamer.sources.ffmpeg.ffmpeg_log import FfmpegLog

STATING = ("flv", "matroska,webm", "asf")
"""ffmpeg's names of containers whose header states how long the whole is; of others it estimates that, or says itself
what is missing."""

SLACK_S = 0.25
"""Most by which a whole file may be shorter than its header says."""

BEHIND_THE_END = ("Unable to seek to the next packet",)
"""Errors of ffmpeg about what stands behind the sound, if that is whole."""


def missing_s(log: FfmpegLog, heard_s: float) -> float | None:
    """Return how much of the announced sound did not come, in seconds; None if that cannot be known.

    Where there are pictures or further tracks, the announced length may be theirs.

    Parameters
    ----------
    log : FfmpegLog
        What ffmpeg says of the input.
    heard_s : float
        Length of the sound that came, in seconds.
    """
    if log.container not in STATING or not log.duration_s or log.has_picture or len(log.tracks) > 1:
        return None
    missing = log.duration_s - max(0.0, log.start_s) - heard_s
    return missing if missing > SLACK_S else 0.0
