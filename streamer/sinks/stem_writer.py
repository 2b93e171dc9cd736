"""Write one stem into one audio file, while the disk has room."""

from __future__ import annotations

import itertools
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import soundfile

from streamer.audio.sndfile_path import sndfile_path
from streamer.audio.wav import WAV_BYTES
from streamer.config_sections import STEM_ENCODINGS
from streamer.errors import StreamError
from streamer.events.kinds import Stem

FULL_BYTES = 1 << 24
"""Free space below which a disk counts as full. Files that are open can still be finished then: the space is checked
once a second, in which twenty streams write no more than this (two stems each, stereo, 48 kHz, float WAV). A FLAC file
that is cut short by a full disk lacks its length, and libsndfile refuses it."""
FULL = f"less than {FULL_BYTES / 1e6:.0f} MB are free"
FLAC_CHANNELS = 8
"""Most channels of a FLAC file, by its format."""


def is_full(folder: Path) -> bool:
    """Return whether the disk of a folder, which need not exist, is full; False if that is not known."""
    try:
        there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
        usage = shutil.disk_usage(there)
    except OSError:
        return False
    return usage.total > 0 and usage.free < FULL_BYTES  # a file system without a size says nothing


def reason_for(error: Exception, folder: Path) -> str:
    """Return in words why nothing could be written into a folder; libsndfile calls a full disk "System error."."""
    return f"{FULL}; make room" if is_full(folder) else str(error)


class StemWriter:
    """Writes consecutive pieces of one stem into a new file.

    Parameters
    ----------
    stem : Stem
        First piece of the stem, which is not written here. Its stream, time and label name the file.
    folder : Path
    form : {"flac", "wav"}

    Attributes
    ----------
    epoch, stop : int
        Epoch and first sample that a piece must have to continue the file.
    clipped_samples : int
        Samples beyond full scale that were written so far. FLAC holds them as full scale.

    Raises
    ------
    StreamError
        If the form cannot hold so many channels, or the disk is full.
    OSError, soundfile.LibsndfileError
        If the file cannot be made.
    """

    def __init__(self, stem: Stem, folder: Path, form: str) -> None:
        self.epoch, self.stop = stem.epoch, stem.start
        self.clipped_samples = 0
        self._folder, self._form = folder, form
        self._check_room()
        channels = stem.samples.shape[1]
        if form == "flac" and channels > FLAC_CHANNELS:
            raise StreamError(
                f'{channels} channels, and FLAC has {FLAC_CHANNELS} at most: set form = "wav" in [stems]'
            )
        self._path = _unused_path(folder, f"{stem.stream}-{_time_text(stem)}-{stem.label}", form)
        try:
            self._file = soundfile.SoundFile(
                sndfile_path(self._path), "x", stem.rate, channels, STEM_ENCODINGS[form], format=form.upper()
            )
        except Exception:
            self._remove_if_empty()
            raise

    def has_room_for(self, stem: Stem) -> bool:
        """Return whether a piece still fits into the file; a WAV file is limited to `WAV_BYTES`."""
        if self._form != "wav":
            return True
        size: int = (self._file.frames + len(stem.samples)) * stem.samples.shape[1] * stem.samples.itemsize
        return size < WAV_BYTES

    def write(self, stem: Stem) -> None:
        """Append a piece.

        Raises
        ------
        StreamError
            If the disk is full; the file can still be closed.
        OSError, soundfile.LibsndfileError
            If the piece cannot be written.
        """
        self.stop = stem.stop
        if stem.start // stem.rate < stem.stop // stem.rate:  # once a second
            self._check_room()
        self._file.write(stem.samples)
        if self._form == "flac":
            self.clipped_samples += int(np.count_nonzero(np.abs(stem.samples) > 1.0))

    def close(self) -> None:
        """Finish the file.

        Raises
        ------
        soundfile.LibsndfileError
            If the file is cut short.
        """
        try:
            self._file.close()
        finally:
            self._remove_if_empty()

    def _check_room(self) -> None:
        if is_full(self._folder):
            raise StreamError(FULL)

    def _remove_if_empty(self) -> None:
        """Remove a file into which not even a header was written."""
        if self._path.is_file() and not self._path.stat().st_size:
            self._path.unlink()


def _time_text(stem: Stem) -> str:
    """Return the time of the first sample: UTC to a millisecond, or seconds in the stream where UTC is not known."""
    if stem.time is None:
        return f"{stem.start / stem.rate:010.3f}s"
    began = stem.time - timedelta(seconds=(stem.stop - stem.start) / stem.rate)
    return began.strftime("%Y%m%dT%H%M%S.%f")[:-3] + "Z"


def _unused_path(folder: Path, name: str, form: str) -> Path:
    """Return the first path of that name, numbered if need be, at which nothing lies."""
    for number in itertools.count(1):
        path = folder / (f"{name}.{form}" if number == 1 else f"{name}-{number}.{form}")
        if not path.exists():
            return path
    raise AssertionError  # there are numbers enough
