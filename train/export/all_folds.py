"""Release of a run, also of one that learnt from all folds: runs of the same settings then give its figures.

What learnt from every recording cannot be measured on any of them. So the thresholds and figures of such a model are
those of runs that differ from it in nothing but the folds, and the collections, that they held out.
"""

from __future__ import annotations

import dataclasses
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.special import expit, logit

from streamer.errors import ConfigError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.model_folders import read_manifest
from train.export.release import MeasuredRelease
from train.export.to_onnx import export
from train.loop.commands.cross_validation import pool_figures
from train.loop.config import flatten, read_config
from train.loop.registry import Plugin
from train.loop.run import read_metrics

HELD_OUT = ("fold", "validation_fold", "left_out")
"""Settings by which a run may differ from the one that it measures: what it did not learn from."""
MEASURED_BY = "measured by"
"""Name of the group of results that has descriptions and models' hashes of the runs by which a model was measured."""
RELEASED = "released"
"""Subfolder of a run for the release that gives figures."""
WHAT = (
    "Runs with the same settings that held out folds: thresholds and figures are theirs, while the weights of this "
    "model learnt from all folds."
)
ABOUT = (
    "The weights of this model learnt from all folds, so no recording is left to measure them on. Figures and "
    "thresholds are those of {whose} that held out folds: {runs}. The rest of this text is about {which}; the weights "
    "of this model differ from its weights by what they learnt from, and by nothing else."
)


@dataclass(frozen=True)
class HeldOutRun:
    """A run that held out folds, with its release.

    Attributes
    ----------
    run : Path
        Folder of the run.
    config : dataclass
        Configuration of the run, a `train.loop.folds.HoldsOut`.
    model : MeasuredRelease
        Model of the run.
    manifest : Manifest
        Manifest of the model's release, with its thresholds and figures.
    """

    run: Path
    config: Any
    model: MeasuredRelease
    manifest: Manifest

    @property
    def description(self) -> str:
        """Description of the folds that the run learnt from, chose by and was measured on."""
        learnt = ", ".join(map(str, self.config.learnt_folds))
        # Few tasks learn from collections that can be left out.
        left_out = getattr(self.config, "left_out", ())
        without = f" without {', '.join(left_out)}" if left_out else ""
        last = read_metrics(self.run)[-1]["step"]
        best = max(read_metrics(self.run), key=lambda line: line["score"])["step"]
        return (
            f"folds {learnt}{without} learnt from, fold {self.config.validation_fold} for the choice of weights (those "
            f"of step {best} of {last}) and thresholds, fold {self.config.fold} for the figures"
        )


def release_run(
    plugin: Plugin, run: Path, measured_by: Sequence[Path], folder: Path, data: Path, cache: Path
) -> Manifest:
    """Release a run into `folder`, with its own figures or those of runs with the same settings.

    Parameters
    ----------
    plugin : Plugin
        Task of the runs.
    run : Path
        Folder of the run.
    measured_by : sequence of Path
        Runs that held out folds, if `run` learnt from all folds; otherwise none. Each is released as well, into its
        subfolder ``released``. Of several, figures are pooled to mean and spread, and the logits of thresholds are
        averaged.
    folder : Path
        Folder of the released model.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Returns
    -------
    Manifest
        Manifest as written.

    Raises
    ------
    ConfigError
        If `run` learnt from all folds and no other run is given, or did not and one is given; or if another run has
        other settings, another input model, no validation fold, or the same test fold as one before it.
    """
    config = read_config(plugin.config, run / "config.json")
    if not config.learns_from_all_folds:
        if measured_by:
            raise ConfigError(
                f"got --measured-by, but run {run.name} held out fold {config.fold} itself; expected a run that learnt "
                "from all folds: release it without --measured-by, or train with --set fold=0 --set validation_fold=0"
            )
        return plugin.release(run, data, cache).release(folder)
    if not measured_by:
        raise ConfigError(
            f"run {run.name} learnt from all folds, so nothing is left to measure it on; expected --measured-by RUN, a "
            "run with the same settings that held out folds; or export this one, without thresholds and figures"
        )
    configs = [_check_measures(plugin, run, other) for other in measured_by]
    if len({other.fold for other in configs}) < len(configs):
        raise ConfigError(
            f"--measured-by names runs that hold out folds {', '.join(str(other.fold) for other in configs)}; expected "
            "each to hold out another test fold"
        )
    held_out = []
    for other, its_config in zip(measured_by, configs, strict=True):
        model = _measured_release(plugin, other, data, cache)
        held_out.append(HeldOutRun(other, its_config, model, model.release(other / RELEASED)))
    whole = _measured_release(plugin, run, data, cache)
    return _release_measured(whole, held_out, plugin.name, folder)


def _measured_release(plugin: Plugin, run: Path, data: Path, cache: Path) -> MeasuredRelease:
    model = plugin.release(run, data, cache)
    if not isinstance(model, MeasuredRelease):
        raise ConfigError(f"models of task {plugin.name} are not released; expected one of another task")
    return model


def _check_measures(plugin: Plugin, run: Path, other: Path) -> Any:
    """Return the configuration of a run that holds out folds; refuse it where it differs from `run` in anything else.

    The input model may lie elsewhere, if it is the same model, or one by which that of `run` was measured.
    """
    config = read_config(plugin.config, other / "config.json")
    if not (config.fold and config.validation_fold):
        raise ConfigError(
            f"--measured-by {other.name} has fold {config.fold} and validation_fold {config.validation_fold}; expected "
            "a run that held out both, for figures and for thresholds"
        )
    own, its = _settings(read_config(plugin.config, run / "config.json")), _settings(config)
    differing = sorted(
        key
        for key in own.keys() | its.keys()
        if key not in (*HELD_OUT, plugin.input_model) and own.get(key) != its.get(key)
    )
    if plugin.input_model:
        own_model, its_model = (read_manifest(folder / plugin.input_model) for folder in (run, other))
        alike = {own_model.sha256, *own_model.results.get(MEASURED_BY, {}).get("models", ())}
        differing += [plugin.input_model] * (its_model.sha256 not in alike)
    if differing:
        raise ConfigError(
            f"runs {run.name} and {other.name} differ in {', '.join(differing)}; expected the same settings but for "
            "what was held out: figures of another model say nothing of this one"
        )
    return config


def _settings(config: Any) -> dict[str, Any]:
    return flatten(dataclasses.asdict(config))


def _release_measured(
    whole: MeasuredRelease, held_out: Sequence[HeldOutRun], task: str, folder: Path
) -> Manifest:
    """Write the model `whole` into `folder`, with the thresholds and figures of other runs."""
    manifests = [found.manifest for found in held_out]
    calibrated = dataclasses.replace(
        whole.manifest,
        temperature=statistics.geometric_mean(manifest.temperature for manifest in manifests),
        bias=statistics.fmean(manifest.bias for manifest in manifests),
    )
    manifest = dataclasses.replace(
        export(whole.model, calibrated, folder),
        operating_points=pool_points([manifest.operating_points for manifest in manifests]),
    )
    figures = {found.config.fold: found.manifest.results for found in held_out}
    results = {
        "command": f"python -m train evaluate {task} --model {held_out[0].run / RELEASED}",
        MEASURED_BY: {
            "what": WHAT,
            **{found.run.name: found.description for found in held_out},
            "models": [found.manifest.sha256 for found in held_out],
        },
        **_without_own(
            figures[held_out[0].config.fold] if len(figures) == 1 else pool_figures(figures), whole
        ),
        **whole.manifest.results,
    }
    about = _about(held_out, manifest)
    return whole.write(dataclasses.replace(manifest, results=results), about, folder)


def _without_own(figures: Mapping[str, Any], whole: MeasuredRelease) -> dict[str, Any]:
    """Return figures without the command, and without what each model says of itself, such as its held-out folds."""
    return {
        name: found for name, found in figures.items() if name not in ("command", *whole.manifest.results)
    }


def _about(held_out: Sequence[HeldOutRun], manifest: Manifest) -> str:
    single = len(held_out) == 1
    about = ABOUT.format(
        whose="a run with the same settings" if single else f"{len(held_out)} runs with the same settings",
        runs="; ".join(f"`{found.run.name}` ({found.description})" for found in held_out),
        which="that run" if single else "the first of these runs",
    )
    return f"{textwrap.fill(about, width=120)}\n\n{held_out[0].model.about(manifest).strip()}"


def pool_points(
    points: Sequence[Mapping[str, Sequence[Thresholds]]],
) -> dict[str, tuple[Thresholds, ...]]:
    """Return the operating points of several models of one recipe as one: each threshold is the mean of its logits.

    Parameters
    ----------
    points : sequence of mapping of str to sequence of Thresholds
        Operating points of each model by preference, with the same labels in the same order.
    """
    if len(points) == 1:
        return {name: tuple(of_labels) for name, of_labels in points[0].items()}
    return {
        name: tuple(
            Thresholds(_mean_logit(one.on for one in label), _mean_logit(one.off for one in label))
            for label in zip(*(found[name] for found in points), strict=True)
        )
        for name in points[0]
    }


def _mean_logit(probabilities: Any) -> float:
    return float(expit(statistics.fmean(float(logit(min(max(p, 1e-6), 1 - 1e-6))) for p in probabilities)))
