"""Store what was measured of made music, and write its table on the laboratory's page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from streamer.errors import ConfigError
from train.loop.run import write_json
from train.report.page_tables import short_commit, table, write_tables

FILE = "generated.json"
PLACE = "generated"
VOCODED, MUSIC, NOISE = "music vocoded", "music", "noise"
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "generator": "LSTM, by likelihood",
        "generator_adversarial": "the same, against a discriminator",
        VOCODED: "held-out music, through the vocoder",
        MUSIC: "held-out music as it is",
        NOISE: "noise with the genre's mean spectrum",
    }
)
"""Kinds of clips in the order of the table, and what they are, in words."""


def write(folder: Path, found: Mapping[str, Any]) -> Path:
    """Store figures by kind of clips in a folder; write the table of the page beside it; return the page's path.

    Figures of other kinds stay as they are.

    Raises
    ------
    ConfigError
        If the stored file cannot be read, or the page lacks the place of the table.
    """
    path = folder / FILE
    stored = {**_read(path), **found}
    write_json(path, stored)
    page = folder.with_suffix(".md")
    write_tables(page, {PLACE: _lines(stored)})
    return page


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(
            f"{path} cannot be read ({error}); expected what `python -m train judge` wrote: restore it"
        ) from error
    return found


def _lines(found: Mapping[str, Any]) -> list[str]:
    rows = [(title, found[kind]) for kind, title in TITLES.items() if kind in found]
    genres = sorted({genre for _, figures in rows for genre in figures["genres"]})
    cells = [
        [title, *_cells(figures, genres), f"`{figures['command']}`", short_commit(figures["commit"])]
        for title, figures in rows
    ]
    return table(("clips", "number", "music", "genre", *genres, "measured by", "at commit"), cells)


def _cells(figures: Mapping[str, Any], genres: list[str]) -> list[str]:
    of = figures["genres"]
    right = [f"{of[genre]['right']:.2f}" if genre in of else "" for genre in genres]
    return [str(figures["clips"]), f"{figures['music']:.3f}", f"{figures['right']:.3f}", *right]
