"""The steps of every release: export, calibrate, choose thresholds, measure, and write the card."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.layers import StreamingModel
from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_json import write_manifest
from streamer.inference.manifest_parts import Thresholds
from train.evaluate.operating_points import order_points
from train.export.card import format_card
from train.export.to_onnx import export

SHIPPED = Path("models") / "released"
"""Folder of the models that the wheel holds."""


class MeasuredRelease(ABC):
    """Release of a run's model with figures and a card; each task has a subclass, which measures and describes it.

    Parameters
    ----------
    model : StreamingModel
        Network with the best weights of the run, in evaluation mode.
    manifest : Manifest
        Manifest from `train.export.to_onnx.describe`, without calibration, thresholds and figures.
    """

    def __init__(self, model: StreamingModel, manifest: Manifest) -> None:
        self.model = model
        self.manifest = manifest

    def export(self, folder: Path) -> Manifest:
        """Write ``model.onnx`` and ``manifest.json`` into `folder`, without measuring anything.

        This is the first step of `release`, which then adds operating points and figures to the manifest. Commands that
        only need the graph, such as ``python -m train export`` and those that evaluate a run, call it by itself.

        Parameters
        ----------
        folder : Path
            Made if absent. Files of these names are overwritten; if the export is refused they stay as they are.

        Returns
        -------
        Manifest
            Manifest as written, without what `release` adds.

        Raises
        ------
        ModelError
            If the graph does not give the outputs of the network.
        """
        return export(self.model, self.manifest, folder)

    def release(self, folder: Path) -> Manifest:
        """Export the model into `folder`, measure it on the test fold, and write its figures and ``card.md`` there.

        Returns
        -------
        Manifest
            Manifest as written, with operating points, if the model makes decisions, and figures.

        Raises
        ------
        ConfigError
            If the run has no validation fold and the model needs thresholds, or the folder is not allowed.
        """
        manifest = self._prepare(folder)
        results = {**self.figures(folder), **manifest.results}
        return self.write(dataclasses.replace(manifest, results=results), self.about(manifest), folder)

    def write(self, manifest: Manifest, about: str, folder: Path) -> Manifest:
        """Write the measured model's manifest and ``card.md`` beside its graph, the last step of a release.

        Parameters
        ----------
        manifest : Manifest
            Manifest with operating points and figures.
        about : str
            What the card says of the model and its training.
        folder : Path
            Folder that has the graph.

        Returns
        -------
        Manifest
            Manifest as written. A model that ships has the name of its folder, by which it is found.
        """
        if folder.resolve().parent == SHIPPED.resolve():
            manifest = dataclasses.replace(manifest, name=folder.resolve().name)
        _write_manifest(manifest, folder)
        card = format_card(manifest, about, self.limits)
        (folder / "card.md").write_text(card, encoding="utf-8")
        return manifest

    @abstractmethod
    def figures(self, folder: Path) -> dict[str, Any]:
        """Measure the exported model in `folder` on the test fold.

        Returns
        -------
        dict
            Figures by name, as the entry ``results`` of the manifest holds them. The first is ``command``, the command
            line that prints them.
        """

    @abstractmethod
    def about(self, manifest: Manifest) -> str:
        """Return what the card says of the model and its training; see `train.export.card.format_card`."""

    @property
    @abstractmethod
    def limits(self) -> str:
        """Limits of the model, a list in Markdown; see `train.export.card.format_card`."""

    def _prepare(self, folder: Path) -> Manifest:
        """Write all but the figures into `folder`."""
        return self.export(folder)


class ThresholdRelease(MeasuredRelease):
    """Release of a model that makes decisions: calibration and thresholds are chosen on the run's validation fold.

    Parameters
    ----------
    model, manifest
        Those of `MeasuredRelease`.
    validation_fold : int
        Fold that the run did not learn from and did not hold out for the test; 0 if there is none.
    """

    def __init__(self, model: StreamingModel, manifest: Manifest, validation_fold: int) -> None:
        super().__init__(model, manifest)
        self._validation_fold = validation_fold

    def calibration(self, folder: Path) -> tuple[float, float]:
        """Return temperature and bias: the released graph takes ``logits / temperature + bias`` for its probabilities.

        They are fitted to scores of the uncalibrated model in `folder`; 1 and 0 leave the model as it is.
        """
        del folder
        return 1.0, 0.0

    @abstractmethod
    def points(self, folder: Path) -> Mapping[str, tuple[Thresholds, ...]]:
        """Return operating points by preference, chosen by scores of the calibrated model in `folder`.

        A point has the thresholds of each label, or a single one for all labels. `order_points` puts them in order.
        """

    def _prepare(self, folder: Path) -> Manifest:
        if not self._validation_fold:
            raise ConfigError(
                "the run has validation_fold 0; expected a fold to calibrate and choose thresholds on: train one with "
                "--set validation_fold=N, or export this one"
            )
        manifest = self.export(folder)
        temperature, bias = self.calibration(folder)
        if (temperature, bias) != (manifest.temperature, manifest.bias):
            # Calibrated by scores of a first export, the graph that is measured; thresholds hold for the second.
            calibrated = dataclasses.replace(self.manifest, temperature=temperature, bias=bias)
            manifest = export(self.model, calibrated, folder)
        points = order_points(self.points(folder))
        return _write_manifest(dataclasses.replace(manifest, operating_points=points), folder)


def held_out(config: Any) -> dict[str, Any]:
    """Return the folds that a run did not learn from, as an entry of a manifest's results.

    Parameters
    ----------
    config : dataclass
        Configuration of the run, a `train.loop.folds.HoldsOut`.

    Returns
    -------
    dict
        ``{"held out": {"fold": ..., "validation_fold": ...}}``; of a run that learnt from all folds both are 0, and
        ``what`` says so.
    """
    said = {"what": "Nothing: the weights learnt from all folds."} if config.learns_from_all_folds else {}
    return {"held out": {**said, "fold": config.fold, "validation_fold": config.validation_fold}}


def _write_manifest(manifest: Manifest, folder: Path) -> Manifest:
    write_manifest(folder, manifest)
    return manifest
