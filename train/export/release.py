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
    """Refuse to release a run without a validation fold, since no fold is left to choose thresholds on.

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
    """Return the folds that a run did not learn from, as the entry ``held out`` of a manifest's results.

    Parameters
    ----------
    config : dataclass
        Configuration of the run, with ``fold`` and ``validation_fold``.
    """
    return {"held out": {"fold": config.fold, "validation_fold": config.validation_fold}}


def set_points(manifest: Manifest, points: Mapping[str, tuple[Thresholds, ...]], folder: Path) -> Manifest:
    """Return a manifest with operating points added, and write it into the folder.

    Parameters
    ----------
    manifest : Manifest
        Manifest of the exported model.
    points : mapping of str to tuple of Thresholds
        Thresholds of each label, or a single one for all labels, by preference; `order_points` puts them in order.
    folder : Path
        Folder for ``manifest.json``.
    """
    return _write_manifest(dataclasses.replace(manifest, operating_points=order_points(points)), folder)


def finish(manifest: Manifest, results: dict[str, Any], folder: Path, about: str, limits: str) -> Manifest:
    """Return a manifest with figures added, and write it and the model card into the folder.

    Parameters
    ----------
    manifest : Manifest
        Manifest of the exported model.
    results : dict
        Figures by name, and the ``command`` that prints them. The results that the manifest has already, such as
        `held_out`, are kept.
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
