"""MIR-1K: karaoke clips, accompaniment and voice apart (Hsu & Jang 2010, no licence stated, for research)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from train.data.recordings import Recording, folds_by_size, sound_files

LICENCE = "none stated; research"
HELD_OUT = {"annar": 4, "bobon": 4, "ariel": 5, "davidson": 5, "heycat": 5}
"""Folds of the singers that validate and test by default; the others share folds 1 to 3."""


def recordings(root: Path) -> list[Recording]:
    """Accompaniment and mixture (music) and the voice alone (singing) of all clips below ``root/mir1k``.

    Folds are of singers. (The literature's split for separation trains on two singers; a gate needs more voices.)
    """
    clips = sound_files(root / "mir1k" / "music")
    clips_of = Counter(_singer(path) for path in clips)
    others = {singer: count for singer, count in clips_of.items() if singer not in HELD_OUT}
    folds = {**folds_by_size(others, (1, 2, 3)), **HELD_OUT}
    found = []
    for music in clips:
        voice = root / "mir1k" / "voice" / music.name
        fold = folds[_singer(music)]
        found += [
            Recording("mir1k", f"{music.stem}/music", (music,), "music", "accompaniment", fold),
            Recording("mir1k", f"{music.stem}/sum", (music, voice), "music", "song", fold),
            Recording("mir1k", f"{music.stem}/voice", (voice,), "singing", "voice", fold),
        ]
    return found


def _singer(path: Path) -> str:
    return path.stem.split("_")[0]
