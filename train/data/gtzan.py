"""GTZAN: tracks of 30 s in ten genres (Tzanetakis 2002, no licence stated, for research)."""

from __future__ import annotations

from pathlib import Path

from train.data.recordings import Recording, sound_files, split_by_order

LICENCE = "none stated; research"


def recordings(root: Path) -> list[Recording]:
    """All tracks below ``root/gtzan/audio/GENRE``; of five of a genre, one for validation and one for test."""
    found = []
    for folder in sorted(path for path in (root / "gtzan" / "audio").glob("*") if path.is_dir()):
        files = sound_files(folder)
        splits = split_by_order([path.stem for path in files], every=5)
        found += [
            Recording("gtzan", path.stem, (path,), "music", folder.name, splits[path.stem]) for path in files
        ]
    return found
