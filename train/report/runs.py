"""Reader of the folders of runs for a report, with the files that exist in each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError
from train.evaluate import saliency
from train.evaluate.predictions import Predictions, load, pool
from train.loop.run import read_metrics


@dataclass(frozen=True)
class Run:
    """Content of a run's folder, for a report. What is absent is empty or None.

    Attributes
    ----------
    folder : Path
        Folder of the run.
    metrics : list of dict
        Lines of ``metrics.jsonl``, one for each validation: values by name.
    config, environment, evaluation : dict
        Contents of ``config.json``, ``environment.json`` and ``evaluation.json``.
    robustness, cost : dict
        Contents of ``robustness.json`` (`train.evaluate.robustness.measure`) and ``cost.json``
        (`train.evaluate.cost.measure`).
    predictions : Predictions or None
        Content of ``predictions/NAME.npz``.
    songs : dict
        Content of ``predictions/NAME.json``, which separations have.
    maps : list of SaliencyMap
        Contents of ``saliency/*.npz``.
    """

    folder: Path
    metrics: list[dict[str, float]]
    config: dict[str, Any]
    environment: dict[str, Any]
    evaluation: dict[str, Any]
    robustness: dict[str, Any]
    cost: dict[str, Any]
    predictions: Predictions | None
    songs: dict[str, Any]
    maps: list[saliency.SaliencyMap]

    @property
    def name(self) -> str:
        return self.folder.resolve().name


def read_run(folder: Path, predictions: str = "test") -> Run:
    """Return the content of a run's folder; `predictions` is the name, without suffix, of the predictions to read.

    Raises
    ------
    ConfigError
        If the folder is not a run, or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; expected a run, runs/TASK/TIME-HASH")
    stored = folder / "predictions" / f"{predictions}.npz"
    others = sorted(path.stem for path in stored.parent.glob("*.npz"))
    if others and not stored.is_file():
        raise ConfigError(
            f"{folder} has no predictions {predictions!r}, it has {', '.join(others)}; name one of them"
        )
    run = Run(
        folder=folder,
        metrics=read_metrics(folder),
        **{
            name: _json(folder / f"{name}.json")
            for name in ("config", "environment", "evaluation", "robustness", "cost")
        },
        predictions=load(stored) if others else None,
        songs=_json(stored.with_suffix(".json")),
        maps=[saliency.load(path) for path in sorted((folder / "saliency").glob("*.npz"))],
    )
    if not (run.metrics or run.config or run.predictions or run.songs or run.evaluation):
        raise ConfigError(f"{folder} has none of a run's files; expected a run, runs/TASK/TIME-HASH")
    return run


def pool_runs(runs: Sequence[Run]) -> Predictions | None:
    """Return the predictions of all runs, joined to one; None if no run has any."""
    parts = [run.predictions for run in runs if run.predictions]
    return pool(parts) if parts else None


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON ({error}); make it again or remove it") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} holds a {type(content).__name__}; expected an object: make it again")
    return content
