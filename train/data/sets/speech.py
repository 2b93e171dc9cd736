"""TSP speech: sentences of 24 speakers (Kabal 2002, simplified BSD)."""

from __future__ import annotations

from pathlib import Path

from train.data.recordings import Recording, folds_by_order, sound_files

LICENCE = "simplified BSD"


def recordings(root: Path) -> list[Recording]:
    """Return all sentences of TSP speech, ``root/speech/SPEAKER_NUMBER``; speakers take the folds in turn."""
    files = sound_files(root / "speech")
    folds = folds_by_order(path.stem.split("_")[0] for path in files)
    return [
        Recording("speech", path.stem, (path,), "speech", speaker, folds[speaker])
        for path in files
        for speaker in [path.stem.split("_")[0]]
    ]
