"""Log-mel frames of whole clips, computed by the front end of live listening and cached on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from train.data.cache import Cache
from train.data.decode import FULL_SCALE, RATE_HZ, ClipError, decode
from train.data.recordings import Recording


class FeatureCache(Cache):
    """Keeps the log-mel frames of recordings on disk: computes those that are missing when it is made.

    `frames` returns them. Values are natural logarithms, as the front end gives them (`LogMelConfig`).

    Parameters
    ----------
    recordings : iterable of Recording
        Recordings to keep. Those that cannot be read, or are shorter than their data set promises or than a frame, are
        skipped, and logged.
    folder : Path
        Folder of all caches; this one's files lie in its subfolder ``features``.
    front_end : LogMel
        Front end that computes the frames from sound at 16 kHz. Frames of different front ends are kept apart.
    dtype : {"float16", "float32"}
        Type on disk. Values of YAMNet's front end (`LogMel()`) lie in -6.9 to 5.6, where float16 is off by 0.002 at
        most.

    Raises
    ------
    ValueError
        If the front end does not take sound at 16 kHz.
    """

    def __init__(
        self,
        recordings: Iterable[Recording],
        folder: Path,
        front_end: LogMel,
        dtype: Literal["float16", "float32"] = "float16",
    ) -> None:
        if front_end.config.sample_rate_hz != RATE_HZ:
            raise ValueError(f"front end takes {front_end.config.sample_rate_hz} Hz; expected {RATE_HZ}")
        self.front_end = front_end
        self._dtype = dtype
        super().__init__(recordings, folder, ("features", front_end.config.fingerprint, dtype), self._frames)

    def frames(self, index: int, first: int = 0, count: int | None = None) -> Array:
        """Return the log-mel frames of a recording from `first` on, `count` of them or as many as there are.

        Parameters
        ----------
        index : int
            Index into the attribute `recordings`, which lacks those that were skipped.
        first, count : int
            First frame and number of frames; without `count`, up to the end.

        Returns
        -------
        float32 array, shape (frames, mel_bands)
        """
        return self.part(index, first, count).astype(np.float32)

    def _frames(self, recording: Recording) -> Array:
        return log_mel(recording, self.front_end).astype(self._dtype)


def log_mel(recording: Recording, front_end: LogMel) -> Array:
    """Return the log-mel frames of a whole recording.

    Parameters
    ----------
    recording : Recording
        Recording, which is decoded to 16 kHz and mixed to one channel.
    front_end : LogMel
        Front end for sound at 16 kHz.

    Returns
    -------
    float32 array, shape (frames, mel_bands)
        Natural logarithms; one frame for each whole hop of the front end that a whole window fits into.

    Raises
    ------
    ClipError
        If the recording cannot be read, or is shorter than a frame.
    """
    sound = decode(recording).astype(np.float32) / np.float32(FULL_SCALE)
    frames: Array = offline(front_end, sound[None])[0]
    if not len(frames):
        raise ClipError(
            f"{recording.paths[0]} has {len(sound)} samples; one frame takes {front_end.config.window_samples}"
        )
    return frames
