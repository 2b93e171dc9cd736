"""The first 3 s of 980 tracks of GTZAN as log-mel frames in one file, and their assignment to ten folds."""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.cache import Skipped
from train.data.recordings import Recording, folds_by_order

TEN_FOLDS = range(1, 11)
KEYS = ("mel", "scale", "genre", "genres", "group", "audio")


@dataclass(frozen=True)
class MelTracks:
    """Tracks of GTZAN as log-mel frames, with their labels and folds.

    Attributes
    ----------
    mel : int8 array, shape (tracks, mel_bands, frames)
        Log-mel frames in dB at 22,050 Hz (windows of 2,048 samples, hops of 512, Slaney's mel scale), less the mean and
        divided by the standard deviation of the track's whole 30 s (z-scores), and then divided by `scale`.
    scale : float
        Factor that turns `mel` into z-scores.
    genres : tuple of str
        Names of the genres.
    genre : int64 array, shape (tracks,)
        Index of each track's genre in `genres`.
    group : int64 array, shape (tracks,)
        Number of the recording that the track is; tracks with the same number are duplicates.
    audio : tuple of str
        Stem of the track's file in ``gtzan/audio``, or "" without a file.
    ten_fold : int64 array, shape (tracks,)
        Fold, 1 to 10. Each genre is spread evenly over the folds, and duplicates are in one fold.
    """

    mel: Array
    scale: float
    genres: tuple[str, ...]
    genre: Array
    group: Array
    audio: tuple[str, ...]
    ten_fold: Array

    def __len__(self) -> int:
        return len(self.mel)

    @property
    def digest(self) -> str:
        """SHA-256 of all arrays, which identifies what a run was trained on."""
        arrays = self.mel, self.genre, self.group, self.ten_fold
        return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Tracks that are left out: none, since the file is complete or refused as a whole."""
        return ()

    @property
    def fold(self) -> Array:
        """Fold of each track, 1 to 5, as in the other data sets: each consists of two of the ten folds.

        A track whose sound is there too has the fold of that sound.
        """
        return (self.ten_fold + 1) // 2

    def frames(self, tracks: Array) -> Array:
        """Return the z-scores of the tracks with the numbers `tracks`, float32, shape (tracks, frames, mel_bands)."""
        return self.mel[tracks].transpose(0, 2, 1).astype(np.float32) * np.float32(self.scale)


def load(root: Path) -> MelTracks:
    """Return the tracks in ``root/gtzan/mels.npz``, assigned to ten folds.

    Raises
    ------
    ConfigError
        If the file is not there or does not have the expected arrays.
    """
    path = root / "gtzan" / "mels.npz"
    if not path.is_file():
        raise ConfigError(f"{path} is not there; point STREAMER_DATA at the folder that holds gtzan/mels.npz")
    try:
        with np.load(path, allow_pickle=False) as content:
            mel, scale, genre, genres, group, audio = (content[key] for key in KEYS)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path} cannot be read ({error}); expected {', '.join(KEYS)}") from error
    if mel.ndim != 3 or mel.dtype != np.int8 or {len(genre), len(group), len(audio)} != {len(mel)}:
        raise ConfigError(
            f"{path} has mel {mel.dtype} {mel.shape}, genre {genre.shape}, group {group.shape}, "
            f"audio {audio.shape}; expected int8 (tracks, bands, frames) and one of each other a track"
        )
    stems = tuple(Path(str(name)).stem for name in audio)
    return MelTracks(
        mel,
        float(scale),
        tuple(str(name) for name in genres),
        genre.astype(np.int64),
        group.astype(np.int64),
        stems,
        assign_ten_folds(genre, group, stems),
    )


def check_same_folds(mels: MelTracks, recordings: Sequence[Recording]) -> None:
    """Refuse recordings of GTZAN that are in another fold of the mel file, or not in the mel file.

    Otherwise a track could be both learnt from and tested on.

    Raises
    ------
    ConfigError
        If a recording of GTZAN is not in the file, or in another fold of it.
    """
    fold = {name: int(number) for name, number in zip(mels.audio, mels.fold, strict=True) if name}
    for recording in recordings:
        if recording.source == "gtzan" and fold.get(recording.name) != recording.fold:
            raise ConfigError(
                f"gtzan/{recording.name} is in fold {recording.fold}, and in {fold.get(recording.name)} of the mel "
                "file; expected one fold: learn from a mel file that was made with these tracks"
            )


def assign_ten_folds(genre: Array, group: Array, audio: tuple[str, ...]) -> Array:
    """Return a fold, 1 to 10, for each track: each genre is spread evenly, and duplicates are in one fold.

    The ten folds are consistent with the five folds of the tracks whose sound is there.

    Parameters
    ----------
    genre, group : int array, shape (tracks,)
        Number of each track's genre and of its recording, as in `MelTracks`.
    audio : tuple of str
        Stems of the tracks' files; "" without a file. A track with a file has its fold of five fixed already, by
        `train.data.sets.gtzan.gtzan` and `train.data.duplicates`.

    Returns
    -------
    int64 array, shape (tracks,)
        Fold, 1 to 10; the fold of five is ``(fold + 1) // 2``.
    """
    fixed: dict[int, int] = {}
    for number in np.unique(genre):
        stems = {audio[i]: int(group[i]) for i in np.flatnonzero(genre == number) if audio[i]}
        for stem, fold in folds_by_order(stems).items():  # the first of several duplicates decides
            fixed.setdefault(stems[stem], fold)
    folds: dict[int, int] = {}
    for number in np.unique(genre):
        sizes = Counter(group[genre == number].tolist())
        filled = Counter({folds[g]: n for g, n in sizes.items() if g in folds})
        # Fixed groups come first, then large ones, so that single tracks even out the rest.
        for g in sorted(sizes, key=lambda g: (g not in fixed, -sizes[g], g)):
            if g not in folds:
                may = (2 * fixed[g] - 1, 2 * fixed[g]) if g in fixed else TEN_FOLDS
                folds[g] = min(may, key=lambda fold: (filled[fold], fold))
                filled[folds[g]] += sizes[g]
    return np.array([folds[g] for g in group.tolist()], np.int64)
