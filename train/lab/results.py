"""Store and read what the laboratory measured: ``results.json``, an entry for each row, and ``outcomes/ROW.npz``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError
from train.lab.measured import Measured
from train.lab.outcomes import Outcomes, load
from train.loop.run import write_json

FOLDER = Path("docs") / "laboratory"
FILE = "results.json"
OUTCOMES = "outcomes"


@dataclass(frozen=True)
class Result(Measured):
    """Figures and cost of a row, and how they were measured.

    Attributes
    ----------
    command, commit, date : str
        Command that measured it, commit of its code, and date.
    """

    command: str
    commit: str
    date: str

    def named(self, title: str) -> str:
        """Return the title of its row, with what the weights were before training, if they can be pretrained."""
        return f"{title}, {self.begins}" if self.begins else title


def read(folder: Path) -> dict[str, Result]:
    """Return the results in a folder by the name of their row; none if there is no file.

    Raises
    ------
    ConfigError
        If the file is not what `store` writes.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {name: Result(**entry) for name, entry in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}); expected what `python -m train lab` wrote: restore it"
        ) from error


def read_outcomes(folder: Path, name: str) -> Outcomes | None:
    """Return how often a row was right about each recording; None if that was not stored when it was measured."""
    path = folder / OUTCOMES / f"{name}.npz"
    return load(path) if path.is_file() else None


def store(folder: Path, name: str, result: Result, outcomes: Outcomes | None) -> None:
    """Write the result of a row, and its outcomes if there are any, into the files of a folder; other rows stay."""
    if outcomes:
        outcomes.save(folder / OUTCOMES / f"{name}.npz")
    stored = {**read(folder), name: result}
    write_json(folder / FILE, {row: asdict(found) for row, found in stored.items()})
