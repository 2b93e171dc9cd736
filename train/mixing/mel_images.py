"""Mel spectrograms of whole clips as images of one size, for networks that see a clip at once."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soxr
import torch

from models import torchaudio_cpu
from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.cache import Cache, Skipped
from train.data.decode import FULL_SCALE, RATE_HZ, ClipError, decode
from train.data.recordings import Recording


class ImageSet(Protocol):
    """Images of clips with their classes, of some folds; a clip has one or more.

    Attributes
    ----------
    names, categories : sequence of str
        Name and class of the clip of each image. Several images of a clip follow each other, and have its name.
    folds : sequence of int
        Fold of the clip of each image.
    digest : str
        Hash of the clips, which identifies what a run learnt from.
    skipped : sequence of Skipped
        Clips that are left out, each with the reason.
    """

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def categories(self) -> Sequence[str]: ...

    @property
    def folds(self) -> Sequence[int]: ...

    @property
    def digest(self) -> str: ...

    @property
    def skipped(self) -> Sequence[Skipped]: ...

    def __len__(self) -> int: ...

    def image(self, index: int) -> Array:
        """Return the image with an index, float32, shape (bands, frames)."""
        ...


CENTRE_DB, SCALE_DB = -40.0, 20.0
"""Decibels, re the loudest point of a clip, that become 0, and that a unit stands for."""


@dataclass(frozen=True)
class MelImageConfig:
    """Settings of the images, as common in projects on ESC-50.

    Attributes
    ----------
    rate_hz : int
        Sample rate to which sound is converted.
    bands : int
        Bands on Slaney's mel scale.
    window_samples, hop_samples : int
        Window, of Hann's shape, and hop of the transform.
    frames : int
        Frames of an image. Longer clips are cut, shorter ones are padded with silence.
    range_db : float
        Range below the loudest point of a clip; what is softer is set to the bottom of the range.
    """

    rate_hz: int = 22_050
    bands: int = 128
    window_samples: int = 2_048
    hop_samples: int = 512
    frames: int = 215
    range_db: float = 80.0

    def __post_init__(self) -> None:
        least = {"rate_hz": 1, "bands": 8, "window_samples": 16, "hop_samples": 1, "frames": 8}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise ConfigError(f"image.{name} is {getattr(self, name)}; expected {value} or more")


class MelImages(Cache):
    """Keeps an image of each recording on disk, and computes those that are missing when it is made.

    Parameters
    ----------
    recordings : iterable of Recording
        Recordings wanted; those that cannot be read are skipped and logged.
    folder : Path
        Folder of all caches; this one's files lie in its subfolder ``images``.
    config : MelImageConfig
        Settings of the images.
    """

    def __init__(self, recordings: Iterable[Recording], folder: Path, config: MelImageConfig) -> None:
        self._config = config
        super().__init__(recordings, folder, ("images", json.dumps(asdict(config))), self._image)

    @property
    def names(self) -> list[str]:
        """Name of each clip, ``SOURCE/NAME``."""
        return [f"{recording.source}/{recording.name}" for recording in self.recordings]

    @property
    def categories(self) -> list[str]:
        """Class of each clip."""
        return [recording.category for recording in self.recordings]

    @property
    def folds(self) -> list[int]:
        """Fold of each clip."""
        return [recording.fold for recording in self.recordings]

    def image(self, index: int) -> Array:
        """Return the image of a recording: decibels, centred and scaled, float32, shape (bands, frames)."""
        return self.part(index).astype(np.float32)

    def _image(self, recording: Recording) -> Array:
        sound = decode(recording).astype(np.float32) / np.float32(FULL_SCALE)
        if not np.any(sound):
            raise ClipError(f"{recording.paths[0]} is silent; expected sound")
        return mel_image(sound, self._config).astype(np.float16)


def mel_image(sound: Array, config: MelImageConfig, rate_hz: int = RATE_HZ) -> Array:
    """Return the mel spectrogram of a sound as an image.

    Parameters
    ----------
    sound : float32 array, shape (samples,)
        Sound, not silent.
    config : MelImageConfig
        Settings of the image.
    rate_hz : int
        Sample rate of the sound, in hertz.

    Returns
    -------
    float32 array, shape (bands, frames)
        Decibels re the loudest point, less `CENTRE_DB` and divided by `SCALE_DB`.
    """
    wanted = (config.frames - 1) * config.hop_samples
    sound = soxr.resample(sound, rate_hz, config.rate_hz)[:wanted]
    padded = np.pad(sound, (0, wanted - len(sound)))
    power = _transform(config)(torch.from_numpy(padded.astype(np.float32))).numpy()
    db = 10.0 * np.log10(np.maximum(power / power.max(), 10.0 ** (-config.range_db / 10.0)))
    image: Array = ((db - CENTRE_DB) / SCALE_DB).astype(np.float32)
    return image


@functools.cache
def _transform(config: MelImageConfig) -> torch.nn.Module:
    """Return torchaudio's mel spectrogram, of which the filters are computed once."""
    transform: torch.nn.Module = torchaudio_cpu.load().transforms.MelSpectrogram(
        config.rate_hz,
        config.window_samples,
        hop_length=config.hop_samples,
        n_mels=config.bands,
        norm="slaney",
        mel_scale="slaney",
    )
    return transform
