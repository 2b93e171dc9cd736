"""ESC-50: 2,000 clips of 5 s in 50 classes of everyday sound (Piczak 2015, CC BY-NC 3.0)."""

from __future__ import annotations

import csv
from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import Recording, Split

LICENCE = "CC BY-NC 3.0"
FOLD_SPLITS: dict[str, Split] = {"1": "train", "2": "train", "3": "train", "4": "validation", "5": "test"}
"""The official folds keep all clips of one original recording together."""


def recordings(root: Path) -> list[Recording]:
    """All clips below ``root/esc50`` (``esc50.csv`` there or in ``meta``, sound in ``audio``).

    The table may name ``.wav`` files while the folder holds other ones of the same stem.
    """
    folder = root / "esc50"
    table = next(
        (path for path in (folder / "esc50.csv", folder / "meta" / "esc50.csv") if path.is_file()), None
    )
    if table is None:
        raise ConfigError(f"{folder} has no esc50.csv; point STREAMER_DATA at the folder that holds esc50/")
    present = {path.stem: path for path in (folder / "audio").iterdir()}
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [
        Recording(
            "esc50",
            Path(row["filename"]).stem,
            (present[Path(row["filename"]).stem],),
            "sound",
            row["category"],
            FOLD_SPLITS[row["fold"]],
        )
        for row in rows
    ]
