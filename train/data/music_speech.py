"""GTZAN music/speech: clips of 30 s, music or speech (Tzanetakis, no licence stated, for research)."""

from __future__ import annotations

from pathlib import Path

from train.data.recordings import Kind, Recording, sound_files, split_by_order

LICENCE = "none stated; research"


def recordings(root: Path) -> list[Recording]:
    """All clips below ``root/music_speech/{music,speech}``; of five names, one for validation and one for test.

    ``corea`` and ``corea1`` may be one performance, so names that differ in a final digit stay together.
    """
    kinds: tuple[Kind, ...] = ("music", "speech")
    found = []
    for kind in kinds:
        files = sound_files(root / "music_speech" / kind)
        splits = split_by_order([path.stem.rstrip("0123456789") for path in files], every=5)
        found += [
            Recording("music_speech", path.stem, (path,), kind, kind, splits[path.stem.rstrip("0123456789")])
            for path in files
        ]
    return found
