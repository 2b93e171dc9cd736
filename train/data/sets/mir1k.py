"""MIR-1K: karaoke clips with separate accompaniment and voice (Hsu & Jang 2010, no licence stated, for research)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from train.data.recordings import Recording, folds_by_size, sound_files
from train.data.songs import Song

LICENCE = "none stated; research"
HELD_OUT = {"annar": 4, "bobon": 4, "ariel": 5, "davidson": 5, "heycat": 5}
"""Folds of the singers whose clips validate (4) and test (5); the other singers are in folds 1 to 3."""
LEARNT_IN_LITERATURE = ("abjones", "amy")
"""Singers on whose clips papers have trained separation since Huang et al. 2014; they measure on all other singers."""


def recordings(root: Path) -> list[Recording]:
    """Return three recordings of every clip of MIR-1K: accompaniment, mixture (both music), and voice (singing).

    The clips lie below ``root/mir1k``. A singer is in one fold. (The literature's split for separation trains on two
    singers; a gate needs more voices.)
    """
    found = []
    for song in songs(root):
        stem, fold = song.name, song.fold
        paths = song.music.paths + song.voice.paths
        found += [
            song.music,
            Recording("mir1k", f"{stem}/sum", paths, "music", "song", fold),
            song.voice,
        ]
    return found


def songs(root: Path) -> list[Song]:
    """Return the clips of MIR-1K below ``root/mir1k`` as songs. The artist is the singer, who is in one fold."""
    clips = sound_files(root / "mir1k" / "music")
    clip_counts = Counter(_singer(path) for path in clips)
    others = {singer: count for singer, count in clip_counts.items() if singer not in HELD_OUT}
    folds = {**folds_by_size(others, (1, 2, 3)), **HELD_OUT}
    return [_song(path, folds[_singer(path)]) for path in clips]


def literature_songs(root: Path) -> list[Song]:
    """Return the clips of MIR-1K as songs in the literature's split: two singers in folds 1 to 4, the others in 5."""
    clips = sound_files(root / "mir1k" / "music")
    learnt = Counter(_piece(path) for path in clips if _singer(path) in LEARNT_IN_LITERATURE)
    folds = folds_by_size(learnt, (1, 2, 3, 4))
    return [_song(path, folds.get(_piece(path), 5)) for path in clips]


def _song(music: Path, fold: int) -> Song:
    voice = music.parent.parent / "voice" / music.name
    return Song(
        Recording("mir1k", f"{music.stem}/voice", (voice,), "singing", "voice", fold),
        Recording("mir1k", f"{music.stem}/music", (music,), "music", "accompaniment", fold),
        name=music.stem,
        artist=_singer(music),
    )


def _singer(path: Path) -> str:
    return path.stem.split("_")[0]


def _piece(path: Path) -> str:
    """Return singer and song of a clip, ``amy_3`` for ``amy_3_02``."""
    return path.stem.rsplit("_", 1)[0]
