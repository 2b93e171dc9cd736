"""Cut-outs of 2 to 3 s of GTZAN's tracks, from random places, in the folds of the mel file's tracks."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from streamer.errors import ConfigError
from streamer.yamnet.crc32c import crc32c
from train.data.recordings import Recording
from train.data.sets.gtzan.gtzan_mels import MelTracks

MIN_SECONDS = 1.5
TRACKS_OF_A_GENRE = 100
COLUMNS = ("file", "genre", "gtzan_track")


def recordings(root: Path, mels: MelTracks) -> list[Recording]:
    """Return the cut-outs of the tracks whose recording is in the mel file; the others have no fold, and are left out.

    The tag of a cut-out is its fold of ten.

    Parameters
    ----------
    root : Path
        Folder of the data sets, with ``gtzan/snippets``.
    mels : MelTracks
        The mel file, which assigns the tracks to folds.

    Raises
    ------
    ConfigError
        If ``labels.csv`` is absent or has other columns, or the mel file does not number its tracks as expected.
    """
    folder = root / "gtzan" / "snippets"
    folds = folds_of_tracks(mels)
    return [
        Recording(
            "gtzan_snippets",
            row["file"].rpartition(".")[0],
            (folder / row["file"],),
            "music",
            row["genre"],
            (fold + 1) // 2,
            MIN_SECONDS,
            (str(fold),),
        )
        for row in _rows(folder / "labels.csv")
        if (fold := folds.get(row["gtzan_track"]))
    ]


def ten_fold(recording: Recording) -> int:
    """Return the fold of ten of a cut-out from `recordings`."""
    return int(recording.tags[0])


def folds_of_tracks(mels: MelTracks) -> dict[str, int]:
    """Return the fold of ten of each track of the mel file, by its name in GTZAN, such as ``blues.00000``.

    The file names those tracks only whose sound is there. But its `group` counts the tracks of all genres in the order
    of `listed`, so it names the others too. A track that repeats another has the number of the other, and is left out.

    Raises
    ------
    ConfigError
        If a track that has a name is not where its number says.
    """
    order = listed(mels.genres)
    for name, group in zip(mels.audio, mels.group.tolist(), strict=True):
        if name and (group >= len(order) or order[group] != name):
            raise ConfigError(
                f"gtzan/mels.npz has {name} as number {group}; expected {(order[group : group + 1] or ['none'])[0]}: "
                "the tracks of gtzan/snippets cannot be found in it; learn without them, by --set snippets=0"
            )
    return {order[group]: int(fold) for group, fold in zip(mels.group, mels.ten_fold, strict=True)}


def listed(genres: Sequence[str]) -> list[str]:
    """Return the names of GTZAN's tracks, genre by genre, in the order in which a Mac lists ``NAME.wav``.

    APFS sorts the files of a folder by 22 bits of a CRC-32C of the name in UTF-32 (Apple File System Reference,
    ``j_drec_hashed_key_t``).
    """

    def place(name: str) -> int:
        return ~crc32c(f"{name}.wav".encode("utf-32-le")) & 0x3FFFFF

    return [
        name
        for genre in genres
        for name in sorted((f"{genre}.{n:05d}" for n in range(TRACKS_OF_A_GENRE)), key=place)
    ]


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise ConfigError(
            f"{path} is not there; expected the table of the cut-outs: add it, or learn without, by --set snippets=0"
        )
    with path.open(newline="", encoding="utf-8") as table:
        reader = csv.DictReader(table)
        if missing := set(COLUMNS) - set(reader.fieldnames or ()):
            raise ConfigError(
                f"{path} has no column {', '.join(sorted(missing))}; expected {', '.join(COLUMNS)}"
            )
        return list(reader)
