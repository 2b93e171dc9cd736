"""One recording of a data set, whatever the set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from streamer.errors import ConfigError

Split: TypeAlias = Literal["train", "validation", "test"]
Kind: TypeAlias = Literal["music", "speech", "sound", "singing"]


@dataclass(frozen=True)
class Recording:
    """A recording on disk, and what is known of it.

    Attributes
    ----------
    source : str
        The data set.
    name : str
        Unique within `source`.
    paths : tuple of Path
        Sample-aligned files whose mean is the recording; mostly one.
    kind : {"music", "speech", "sound", "singing"}
        ``singing`` is a voice without accompaniment.
    category : str
        The set's own class: genre, sound class, singer.
    split : {"train", "validation", "test"}
    """

    source: str
    name: str
    paths: tuple[Path, ...]
    kind: Kind
    category: str
    split: Split


def split_by_order(groups: Sequence[str], every: int) -> dict[str, Split]:
    """Deal groups out by their place in the alphabet: of each `every`, one for validation and one for test.

    Parameters
    ----------
    groups : sequence of str
        Whatever must not be on two sides of a split; repetitions count once.
    every : int
        At least 3.

    Returns
    -------
    dict
        Group to split.
    """
    last: dict[int, Split] = {every - 2: "validation", every - 1: "test"}
    return {group: last.get(place % every, "train") for place, group in enumerate(sorted(set(groups)))}


def sound_files(folder: Path) -> list[Path]:
    """The sound files directly in a folder, in order.

    Raises
    ------
    ConfigError
        If there is none.
    """
    found = sorted(
        path for path in folder.glob("*") if path.suffix in {".ogg", ".wav", ".flac", ".au", ".mp3"}
    )
    if not found:
        raise ConfigError(
            f"{folder} has no sound files; point STREAMER_DATA at the folder that holds the data sets"
        )
    return found
