"""TSP speech: sentences of 24 speakers (Kabal 2002, simplified BSD)."""

from __future__ import annotations

from pathlib import Path

from train.data.recordings import Recording, sound_files, split_by_order

LICENCE = "simplified BSD"


def recordings(root: Path) -> list[Recording]:
    """All sentences ``root/speech/SPEAKER_NUMBER``; of six speakers, one for validation and one for test."""
    files = sound_files(root / "speech")
    splits = split_by_order([path.stem.split("_")[0] for path in files], every=6)
    return [
        Recording("speech", path.stem, (path,), "speech", speaker, splits[speaker])
        for path in files
        for speaker in [path.stem.split("_")[0]]
    ]
