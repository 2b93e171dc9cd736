"""Real sounds, which the released ear was not trained on, are taught and recognised."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from streamer.arrays import Array
from streamer.cli.main import main
from streamer.config import Config
from streamer.config_sections import ModelsConfig
from streamer.custom_sounds.background import FILE
from streamer.dsp.stage import Chain, offline
from streamer.inference.model_cache import ModelCache
from streamer.inference.model_folders import released_folder
from streamer.pipeline.build_heads import build_heads
from streamer.sources.file import FileSource
from streamer.sources.record import record

HELD_OUT_FOLD = "5"
SHOWN = 3
CLASSES = ("church_bells", "crow", "rooster", "siren", "toilet_flush")

pytestmark = pytest.mark.skipif(
    not (released_folder() / "ear" / FILE).is_file(), reason="no ear with a background is released yet"
)


def clips(data: Path) -> dict[str, list[Path]]:
    """The held-out clips of some classes."""
    with (data / "esc50" / "esc50.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["fold"] == HELD_OUT_FOLD]
    audio = data / "esc50" / "audio"
    return {
        name: sorted(
            next(audio.glob(f"{Path(row['filename']).stem}.*")) for row in rows if row["category"] == name
        )
        for name in CLASSES
    }


def test_sounds_are_recognised_from_three_recordings(data_dir: Path, tmp_path: Path) -> None:
    found = clips(data_dir)
    for name, paths in found.items():
        arguments = ["teach", name.replace("_", " "), *map(str, paths[:SHOWN]), "--folder", str(tmp_path)]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        assert f"learnt from {SHOWN} recordings" in done.stdout
    head = build_heads(Config(models=ModelsConfig({"taught": str(tmp_path)})), ModelCache())[-1]
    chain = Chain(*head.path)
    on = np.array([point.on for point in head.model.manifest.thresholds()])
    own, others = [], []
    for n, name in enumerate(CLASSES):
        for path in found[name][SHOWN:]:
            said = heard(chain, path) >= on
            own.append(said[n])
            others.append(np.delete(said, n).sum())
    assert np.mean(own) >= 0.6
    assert np.mean(others) <= 0.1


def heard(chain: Chain, path: Path) -> Array:
    """The best score of each label over a clip after a second of silence."""
    samples = record(FileSource(path), 16_000, 30.0)
    scores = offline(chain, np.concatenate([np.zeros(16_000, np.float32), samples])[None])[0]
    return np.asarray(scores.max(axis=0))
