"""The first 3 s of 980 tracks of GTZAN as log-mel, in one file, and ten folds of them."""

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
    """Tracks as log-mel, and what is known of them.

    Attributes
    ----------
    mel : int8 array, shape (tracks, mel_bands, frames)
        22,050 Hz, 2,048 samples a window, 512 a hop, Slaney's mel, dB, z-scored over each track's whole 30 s.
    scale : float
        `mel` times this is the value.
    genres : tuple of str
    genre : int64 array, shape (tracks,)
        Index into `genres`.
    group : int64 array, shape (tracks,)
        Tracks of one number are one recording.
    audio : tuple of str
        The track's stem in ``gtzan/audio``, or "".
    ten_fold : int64 array, shape (tracks,)
        1 to 10; even over each genre, a group in one fold.
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
        """SHA-256 of all that is learnt from."""
        arrays = self.mel, self.genre, self.group, self.ten_fold
        return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """None: the file is whole, or refused."""
        return ()

    @property
    def fold(self) -> Array:
        """1 to 5, two of the ten each: the folds of ``gtzan/audio``, where a track is in both."""
        return (self.ten_fold + 1) // 2

    def frames(self, tracks: Array) -> Array:
        """Values of some tracks, float32, shape (tracks, frames, mel_bands)."""
        return self.mel[tracks].transpose(0, 2, 1).astype(np.float32) * np.float32(self.scale)


def load(root: Path) -> MelTracks:
    """Read ``root/gtzan/mels.npz``.

    Raises
    ------
    ConfigError
        If it is not there or is another file.
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
    """Refuse tracks with sound that the file does not know, or has in another fold: they would be learnt and tested.

    Raises
    ------
    ConfigError
    """
    fold = {name: int(number) for name, number in zip(mels.audio, mels.fold, strict=True) if name}
    for recording in recordings:
        if recording.source == "gtzan" and fold.get(recording.name) != recording.fold:
            raise ConfigError(
                f"gtzan/{recording.name} is in fold {recording.fold}, and in {fold.get(recording.name)} of the mel "
                "file; expected one fold: learn from a mel file that was made with these tracks"
            )


def assign_ten_folds(genre: Array, group: Array, audio: tuple[str, ...]) -> Array:
    """Deal tracks out over ten folds: each genre evenly, each group to one, the five-fold of `audio` kept.

    Parameters
    ----------
    genre, group : int array, shape (tracks,)
    audio : tuple of str
        Stems of tracks whose five-fold is fixed, as `train.data.sets.gtzan` deals them and `train.data.duplicates`
        brings them together; "" for the others.

    Returns
    -------
    int64 array, shape (tracks,)
        1 to 10; the five-fold is ``(fold + 1) // 2``.
    """
    fixed: dict[int, int] = {}
    for number in np.unique(genre):
        stems = {audio[i]: int(group[i]) for i in np.flatnonzero(genre == number) if audio[i]}
        for stem, fold in folds_by_order(stems).items():  # a repetition's is that of the first
            fixed.setdefault(stems[stem], fold)
    folds: dict[int, int] = {}
    for number in np.unique(genre):
        sizes = Counter(group[genre == number].tolist())
        filled = Counter({folds[g]: n for g, n in sizes.items() if g in folds})
        # Fixed ones first, then large ones, so that single tracks even out what is left.
        for g in sorted(sizes, key=lambda g: (g not in fixed, -sizes[g], g)):
            if g not in folds:
                may = (2 * fixed[g] - 1, 2 * fixed[g]) if g in fixed else TEN_FOLDS
                folds[g] = min(may, key=lambda fold: (filled[fold], fold))
                filled[folds[g]] += sizes[g]
    return np.array([folds[g] for g in group.tolist()], np.int64)
