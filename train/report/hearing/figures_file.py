"""Store what `python -m train hearing` measures: the figures of all models, in ``docs/hearing/figures.json``."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from streamer.errors import ConfigError
from train.evaluate.hearing.listeners import Listener

FILE = "figures.json"
BEFORE = " before"
"""End of the name under which the figures of a model are kept when another one takes its place."""
Figures: TypeAlias = dict[str, Any]
"""Figures of a model in one row, by name."""


def store(
    folder: Path, listeners: Sequence[Listener], rows: Mapping[str, Figures], command: str, commit: str
) -> None:
    """Write the figures of a model into the file of a folder, which is created if it is absent.

    Rows that were not measured this time are kept if they are of the same model. Otherwise all that is stored of the
    other model of that name is kept as of the one before.

    Parameters
    ----------
    folder : Path
        Folder of the file.
    listeners : sequence of Listener
        The model; or several of one name, each of which left out the collections that it was measured on.
    rows : mapping of str to dict
        Figures by row, as `train.evaluate.hearing.measure.measure` returns them for this model.
    command, commit : str
        Command that measured them, and commit of its code.
    """
    stored, name, version = read(folder), listeners[0].name, _version(listeners)
    entry = stored.get(name)
    if entry and entry["version"] != version:
        stored[name + BEFORE] = entry
        entry = None
    run = {"command": command, "commit": commit, "date": time.strftime("%Y-%m-%d"), "rows": dict(rows)}
    kept = [_without(old, rows) for old in (entry["runs"] if entry else [])]
    runs = [*(old for old in kept if old["rows"]), run]
    stored[name] = {"version": version, "labels": list(listeners[0].labels), "runs": runs}
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(stored, indent=1, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """Return what is stored in a folder, by the name of the model; empty if nothing is.

    Raises
    ------
    ConfigError
        If the file is not JSON.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(
            f"{path} is not JSON ({error}); expected what `python -m train hearing --into` wrote: restore it"
        ) from error
    return found


def rows_of(entry: Mapping[str, Any]) -> dict[str, Figures]:
    """Return the figures of a model by row, of all its measurements in the file."""
    return {row: figures for run in entry["runs"] for row, figures in run["rows"].items()}


def _version(listeners: Sequence[Listener]) -> str:
    """Return the version of a model, or of several together."""
    versions = [listener.version for listener in listeners]
    return versions[0] if len(versions) == 1 else hashlib.sha256(repr(versions).encode()).hexdigest()[:12]


def _without(run: Mapping[str, Any], rows: Mapping[str, Figures]) -> dict[str, Any]:
    return {**run, "rows": {row: figures for row, figures in run["rows"].items() if row not in rows}}
