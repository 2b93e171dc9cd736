"""Mel spectrograms of recordings in parts of one length, each an image, for networks that see a part at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from train.data.cache import Cache
from train.data.decode import FULL_SCALE, ClipError, decode
from train.data.recordings import Recording
from train.mixing.mel_images import MelImageConfig, mel_image


class MelParts:
    """Keeps the images of the parts of each recording on disk, in one file that is mapped where an image is read.

    It is a `train.mixing.mel_images.ImageSet`, whose clips are the recordings. The recordings are decoded at the rate
    of the images, not at 16 kHz, so that the images show all that the files hold.

    Parameters
    ----------
    recordings : iterable of Recording
        Recordings wanted; those that cannot be read are skipped and logged.
    folder : Path
        Folder of all caches; this one's files lie in its subfolder ``images``.
    config : MelImageConfig
        Settings of the images; a part has `MelImageConfig.frames` frames.
    parts : int
        Number of parts that follow each other from the start of a recording. What comes after them is left out, and so
        is a part that is silent or lies after the end; one that the end falls into is padded with silence.
    """

    def __init__(
        self, recordings: Iterable[Recording], folder: Path, config: MelImageConfig, parts: int
    ) -> None:
        self._config, self._parts = config, parts
        depends_on = ("images", json.dumps([asdict(config), parts]))
        self._cache = Cache(recordings, folder, depends_on, self._images)
        numbers = range(len(self._cache))
        self._places = [(number, part) for number in numbers for part in range(self._cache.length(number))]
        found = [self._cache.recordings[number] for number, _ in self._places]
        self.names = [f"{recording.source}/{recording.name}" for recording in found]
        self.categories = [recording.category for recording in found]
        self.folds = [recording.fold for recording in found]
        self.digest, self.skipped = self._cache.digest, self._cache.skipped

    def __len__(self) -> int:
        return len(self._places)

    def image(self, index: int) -> Array:
        """Return the image of a part: decibels, centred and scaled, float32, shape (bands, frames)."""
        number, part = self._places[index]
        image: Array = self._cache.part(number, part, 1)[0].astype(np.float32)
        return image

    def _images(self, recording: Recording) -> Array:
        """Compute the images of a recording, float16, shape (parts, bands, frames)."""
        rate_hz, length = self._config.rate_hz, self._config.frames * self._config.hop_samples
        sound = decode(recording, rate_hz).astype(np.float32) / np.float32(FULL_SCALE)
        parts = [sound[first : first + length] for first in range(0, self._parts * length, length)]
        images = [mel_image(part, self._config, rate_hz) for part in parts if part.any()]
        if not images:
            raise ClipError(
                f"{recording.paths[0]} is silent in its first {self._parts * length / rate_hz:.1f} s; expected sound"
            )
        return np.stack(images).astype(np.float16)
