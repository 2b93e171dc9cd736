"""What every release ends with: operating points and figures into the manifest, and the card."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest, Thresholds
from train.evaluate.calibration import order_points
from train.export.card import card

SHIPPED = Path("models") / "released"
"""Folder of the models that the wheel holds."""


def check_chosen(validation_fold: int) -> None:
    """Refuse a run that learnt from all folds but the test's: nothing is left to choose thresholds on.

    Raises
    ------
    ConfigError
    """
    if not validation_fold:
        raise ConfigError(
            "the run has validation_fold 0; expected a fold to calibrate and choose thresholds on: train one with "
            "--set validation_fold=N, or export this one"
        )


def held_out(config: Any) -> dict[str, Any]:
    """What every manifest's results begin with: the folds that a run did not learn from.

    Parameters
    ----------
    config : dataclass
        Of the run, with ``fold`` and ``validation_fold``.
    """
    return {"held out": {"fold": config.fold, "validation_fold": config.validation_fold}}


def set_points(manifest: Manifest, points: Mapping[str, tuple[Thresholds, ...]], folder: Path) -> Manifest:
    """The manifest with its operating points, written into the folder.

    Parameters
    ----------
    manifest : Manifest
    points : mapping of str to tuple of Thresholds
        Of each label, or one for all, by preference; they are put `in_order`.
    folder : Path
    """
    return _written(dataclasses.replace(manifest, operating_points=order_points(points)), folder)


def finish(manifest: Manifest, results: dict[str, Any], folder: Path, about: str, limits: str) -> Manifest:
    """The manifest with its figures, written into the folder with the card.

    Parameters
    ----------
    manifest : Manifest
    results : dict
        The ``command`` that gives them, and figures; what the manifest has already (`held_out`) is kept.
    folder : Path
        Takes ``manifest.json`` and ``card.md``.
    about, limits : str
        As in `train.export.card.card`.
    """
    manifest = _written(dataclasses.replace(manifest, results={**results, **manifest.results}), folder)
    (folder / "card.md").write_text(card(manifest, about, limits), encoding="utf-8")
    return manifest


def _written(manifest: Manifest, folder: Path) -> Manifest:
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    return manifest
