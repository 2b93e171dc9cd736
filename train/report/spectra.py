"""Log-mel spectrograms of the clips in a report, computed from the data sets."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.errors import ConfigError, StreamError
from train.data.sets.gtzan import gtzan_mels
from train.evaluate.clips import Clips

MEL_TRACKS = "gtzan_mels"
"""Source of clips named ``gtzan_mels/INDEX``: tracks of `train.data.sets.gtzan.gtzan_mels`, which has no sound."""
MEL_HOP_S = 512 / 22_050
LONGEST_S = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClipSpectrum:
    """Log-mel frames of a clip's beginning, shape (frames, mel_bands), and the seconds from one frame to the next."""

    frames: Array
    frame_s: float


class Spectra:
    """Computes spectrograms of clips of the data sets, found by their names.

    Parameters
    ----------
    data : Path or None
        Folder of the data sets; with None no clips are found.
    own : Path, optional
        Folder of the user's own sounds, as in `train.evaluate.clips.Clips`.
    """

    def __init__(self, data: Path | None, own: Path | None = None) -> None:
        self._data = data
        self._clips = Clips(data, own) if data else None
        self._front_end = LogMel()

    def find(self, clip: str) -> ClipSpectrum | None:
        """Return the spectrogram of the clip named ``SOURCE/NAME``; None, and a line in the log, if it is absent."""
        source, _, name = clip.partition("/")
        if self._data is None:
            return None
        try:
            return self._mel_track(self._data, int(name)) if source == MEL_TRACKS else self._from_sound(clip)
        except (ConfigError, StreamError, IndexError, ValueError) as error:
            _log.warning("no spectrogram of %s: %s", clip, error)
            return None

    def category(self, clip: str) -> str:
        """Return the category that a clip has in its data set; an empty text if the clip is absent."""
        if self._clips is None:
            return ""
        try:
            return self._clips.find(clip).category
        except ConfigError:
            return ""

    def _from_sound(self, clip: str) -> ClipSpectrum:
        assert self._clips is not None
        config = self._front_end.config
        sound = self._clips.sound(clip)[: int(LONGEST_S * config.sample_rate_hz)]
        return ClipSpectrum(
            offline(self._front_end, sound[None])[0], config.hop_samples / config.sample_rate_hz
        )

    def _mel_track(self, data: Path, index: int) -> ClipSpectrum:
        return ClipSpectrum(gtzan_mels.load(data).frames(np.array([index]))[0], MEL_HOP_S)
