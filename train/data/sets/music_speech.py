"""GTZAN music/speech: clips of 30 s, music or speech (Tzanetakis, no licence stated, for research)."""

from __future__ import annotations

from pathlib import Path

from train.data.recordings import Kind, Recording, folds_by_order, sound_files

LICENCE = "none stated; research"


def recordings(root: Path) -> list[Recording]:
    """Return all clips of GTZAN music/speech, below ``root/music_speech/{music,speech}``.

    They are assigned to the folds in turn by name. ``corea`` and ``corea1`` may be one performance, so names that
    differ in a final digit stay together.
    """
    kinds: tuple[Kind, ...] = ("music", "speech")
    found = []
    for kind in kinds:
        files = sound_files(root / "music_speech" / kind)
        folds = folds_by_order(path.stem.rstrip("0123456789") for path in files)
        found += [
            Recording("music_speech", path.stem, (path,), kind, kind, folds[path.stem.rstrip("0123456789")])
            for path in files
        ]
    return found
