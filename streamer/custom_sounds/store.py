"""Keep taught sounds: a folder for each label, a FLAC file for each recording.

Nothing but the sound is kept. Embeddings are computed when they are needed, so that a new ear knows all that was taught
before.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from platformdirs import user_data_path

from streamer.arrays import Array
from streamer.audio.sndfile_path import sndfile_path
from streamer.errors import ConfigError, StreamError, reason_of

LONGEST_LABEL = 40
"""Largest number of characters of a label."""
_FULL_SCALE = 2**15


def taught_folder() -> Path:
    """Return the path of the folder of the user's taught sounds; the folder need not exist."""
    return user_data_path("streamer", appauthor=False) / "taught"


@dataclass(frozen=True)
class TaughtRecording:
    """A recording in the store.

    Attributes
    ----------
    path : Path
        FLAC file with one channel, 16 bits, at the ear's rate.
    """

    path: Path

    @property
    def name(self) -> str:
        """Name of the file or device that the sound came from."""
        return self.path.stem.rpartition("-")[0]

    @property
    def seconds(self) -> float:
        """Length of the recording in seconds.

        Raises
        ------
        StreamError
            If the file cannot be read.
        """
        try:
            return float(soundfile.info(sndfile_path(self.path)).duration)
        except (soundfile.LibsndfileError, OSError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> StreamError:
        return StreamError(
            f"taught recording {self.path} cannot be read ({reason_of(error)}); {self._way_out}"
        )

    @property
    def _way_out(self) -> str:
        return f"delete it, or remove {self.path.parent.name!r} and teach it again"

    def samples(self, rate_hz: int) -> Array:
        """Return the samples of the recording: float32, shape (samples,).

        Parameters
        ----------
        rate_hz : int
            Sample rate that the recording must have. It is only checked; nothing is resampled.

        Raises
        ------
        StreamError
            If the file cannot be read, has another rate than `rate_hz`, or more than one channel.
        """
        try:
            samples, found_hz = soundfile.read(sndfile_path(self.path), dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, OSError) as error:
            raise self._unreadable(error) from error
        if found_hz != rate_hz or samples.shape[1] != 1 or not len(samples):
            raise StreamError(
                f"taught recording {self.path} has {len(samples)} samples of {samples.shape[1]} channels at "
                f"{found_hz} Hz; expected one channel at {rate_hz} Hz: {self._way_out}"
            )
        return np.ascontiguousarray(samples[:, 0])


class SoundStore:
    """The taught sounds of a folder: a subfolder for each label, and in it a FLAC file for each recording.

    Parameters
    ----------
    folder : Path
        Folder of the store; it is made when the first recording is added.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def labels(self) -> list[str]:
        """Return the names of all taught sounds, in alphabetical order. A subfolder without a recording is none."""
        found = {path.parent.name for path in self.folder.glob("*/*.flac")}
        return sorted(unicodedata.normalize("NFC", label) for label in found)

    def folder_of(self, label: str) -> Path:
        """Return the path of the folder of a label; the folder need not exist."""
        # A copy from another file system may spell its accents as letters of their own.
        plain = self.folder / label
        spelt = (path for path in self.folder.glob("*") if unicodedata.normalize("NFC", path.name) == label)
        return plain if plain.is_dir() else next(spelt, plain)

    def check_spelling(self, label: str) -> None:
        """Check that a label is known, or differs from all that are by more than capital and small letters.

        Raises
        ------
        ConfigError
            If it differs from a known label in that alone: on many file systems, both would be one folder.
        """
        known = self.labels()
        twins = [other for other in known if other.lower() == label.lower()]
        if twins and label not in known:
            raise ConfigError(
                f"label is {label!r} and {twins[0]!r} is taught already; expected labels that differ by more than "
                f"capital and small letters, which many file systems do not tell apart: teach {twins[0]!r}, or remove "
                "it first"
            )

    def recordings(self, label: str) -> list[TaughtRecording]:
        """Return a label's recordings, sorted by name; empty if there is no such label."""
        return [TaughtRecording(path) for path in sorted(self.folder_of(label).glob("*.flac"))]

    def all(self) -> Iterator[tuple[str, list[TaughtRecording]]]:
        """Return an iterator over the labels, each with its recordings."""
        return ((label, self.recordings(label)) for label in self.labels())

    def add(self, label: str, name: str, samples: Array, rate_hz: int) -> TaughtRecording:
        """Write a recording into the store, and return it.

        Parameters
        ----------
        label : str
            Label as `checked_label` returns it.
        name : str
            Name of the file or device that the sound came from.
        samples : float array, shape (samples,)
            Sound as `as_kept` returns it, one channel.
        rate_hz : int
            Sample rate of the sound, that of the ear.

        Raises
        ------
        ConfigError
            If `check_spelling` refuses the label.
        StreamError
            If the file cannot be written.
        """
        self.check_spelling(label)
        path = self._path(label, name, samples)
        partial = path.with_suffix(".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(sndfile_path(partial), samples, rate_hz, subtype="PCM_16", format="FLAC")
            partial.replace(path)
        except (OSError, soundfile.LibsndfileError) as error:
            raise StreamError(
                f"{path} cannot be written ({reason_of(error)}); expected a folder that may be written to: give "
                "another with --folder"
            ) from error
        return TaughtRecording(path)

    def holds(self, label: str, samples: Array) -> bool:
        """Return whether a label has a recording with exactly these samples, as `as_kept` returns them."""
        return any(self.folder_of(label).glob(f"*-{_digest(samples)}.flac"))

    def remove(self, label: str) -> list[str]:
        """Forget a label and delete its recordings.

        Returns
        -------
        list of str
            Names of the recordings that were deleted.

        Raises
        ------
        ConfigError
            If there is no such label.
        """
        known = self.labels()
        if label not in known:
            raise ConfigError(
                f"no taught sound {label!r}; {'expected one of ' + ', '.join(known) if known else 'there is none'} "
                f"in {self.folder}"
            )
        names = [one.name for one in self.recordings(label)]
        shutil.rmtree(self.folder_of(label))
        return names

    def _path(self, label: str, name: str, samples: Array) -> Path:
        origin = re.sub(r"[^\w.-]+", "-", name).strip("-")[:60] or "recording"
        return self.folder_of(label) / f"{origin}-{_digest(samples)}.flac"


def as_kept(samples: Array) -> Array:
    """Return samples as the store gives them back: float32, rounded to 16 bits and clipped at full scale, -1 to 1."""
    whole = np.clip(np.round(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
    return np.asarray(whole / _FULL_SCALE, np.float32)


def checked_label(text: str) -> str:
    """Return a label without spaces around it and with composed accents (NFC), as the store keeps it.

    Raises
    ------
    ConfigError
        If the text cannot be the name of a folder and of a sound.
    """
    label = unicodedata.normalize("NFC", text.strip())
    if not re.fullmatch(r"[^\W_](?:[\w' -]*[^\W_])?", label) or len(label) > LONGEST_LABEL:
        raise ConfigError(
            f"label is {text!r}; expected 1 to {LONGEST_LABEL} letters, digits, spaces, '-', '_' or \"'\", the first "
            "and the last a letter or a digit"
        )
    return label


def _digest(samples: Array) -> str:
    return hashlib.sha256(samples.astype(np.float32).tobytes()).hexdigest()[:8]
