"""Last steps of every release: write operating points and figures into the manifest, and the card."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest, Thresholds
from train.evaluate.calibration import order_points
from train.export.card import format_card

SHIPPED = Path("models") / "released"
"""Folder of the models that the wheel holds."""


def check_chosen(validation_fold: int) -> None:
    """Refuse a run that learnt from all folds but the test's, since no fold is left to choose thresholds on.

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
    """Return the first entry of every manifest's results: the folds that a run did not learn from.

    Parameters
    ----------
    config : dataclass
        Configuration of the run, with ``fold`` and ``validation_fold``.
    """
    return {"held out": {"fold": config.fold, "validation_fold": config.validation_fold}}


def set_points(manifest: Manifest, points: Mapping[str, tuple[Thresholds, ...]], folder: Path) -> Manifest:
    """Add operating points to a manifest and write it into the folder.

    Parameters
    ----------
    manifest : Manifest
    points : mapping of str to tuple of Thresholds
        Thresholds of each label, or one for all, by preference; `order_points` puts them in order.
    folder : Path
        Folder for ``manifest.json``.
    """
    return _write_manifest(dataclasses.replace(manifest, operating_points=order_points(points)), folder)


def finish(manifest: Manifest, results: dict[str, Any], folder: Path, about: str, limits: str) -> Manifest:
    """Add figures to a manifest and write it into the folder, with the card.

    Parameters
    ----------
    manifest : Manifest
    results : dict
        Figures, and the ``command`` that prints them; the manifest's own results (`held_out`) are kept.
    folder : Path
        Folder for ``manifest.json`` and ``card.md``.
    about, limits : str
        Texts for `train.export.card.format_card`.
    """
    manifest = _write_manifest(dataclasses.replace(manifest, results={**results, **manifest.results}), folder)
    (folder / "card.md").write_text(format_card(manifest, about, limits), encoding="utf-8")
    return manifest


def _write_manifest(manifest: Manifest, folder: Path) -> Manifest:
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    return manifest
