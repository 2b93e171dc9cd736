"""A reference network as a system of the laboratory: it is trained as every task is, fold by fold."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from streamer.errors import ConfigError
from train.evaluate.metrics.classification import right
from train.evaluate.predictions import Predictions, load
from train.lab.measured import Measured, peak_memory_mb
from train.lab.outcomes import Outcomes, pool
from train.lab.systems.network_cost import cost_of_network
from train.loop.commands.cross_validation import hold_out, measure_run, train_or_resume
from train.loop.config import read_config
from train.loop.run import RUNS, find_same, read_metrics
from train.tasks.reference.config import ImageRunConfig
from train.tasks.reference.figures import load_network, plugin

CONFIGS = Path(__file__).parents[2] / "configs" / "reference"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Network:
    """A network with the settings in ``CONFIGS/NAME.toml``; see `train.lab.measured.System`.

    Attributes
    ----------
    kind : type
        Class of its runs' configuration.
    figures : tuple of (str, str)
        Figures that are kept: their group in `ImageRunConfig.figures`, and their name there.
    all_folds : tuple of int
        Folds that can be held out, if they are not all.
    """

    kind: type[ImageRunConfig]
    figures: tuple[tuple[str, str], ...] = (("clips", "accuracy"),)
    all_folds: tuple[int, ...] = ()
    causal: ClassVar[bool] = False

    def measured_runs(self, name: str) -> dict[int, Path]:
        """Return the runs with the row's settings that are measured, by the fold that each holds out.

        Raises
        ------
        ConfigError
            If there is none.
        """
        plug = plugin(self.kind)
        config = read_config(self.kind, CONFIGS / f"{name}.toml")
        found = {
            fold: run
            for fold in self.all_folds or config.folds
            if (run := find_same(plug.name, hold_out(plug, config, fold)))
            and (run / "predictions" / "test.npz").is_file()
        }
        if not found:
            raise ConfigError(
                f"{RUNS / plug.name} has no measured run of {name}; expected one at least: python -m train lab --only "
                f"{name}"
            )
        return found

    def measure(self, name: str, folds: Sequence[int]) -> tuple[Measured, Outcomes]:
        """Train with each of some folds held out and the fold before it choosing the weights, and measure.

        Runs that are finished are used again, and those that were interrupted are resumed.
        """
        plug = plugin(self.kind)
        config = read_config(self.kind, CONFIGS / f"{name}.toml")
        figures: dict[str, dict[str, float]] = {name: {} for _, name in self.figures}
        seconds, outcomes = [], []
        for fold in folds or self.all_folds or config.folds:
            own = hold_out(plug, config, fold)
            run = train_or_resume(plug, own)
            found = measure_run(plug, run, own)
            for group, figure in self.figures:
                figures[figure][str(fold)] = found[group][figure]
                _log.info("%s, fold %d: %s %.3f", name, fold, figure, found[group][figure])
            seconds.append(read_metrics(run)[-1]["seconds"])
            outcomes.append(_outcomes(load(run / "predictions" / "test.npz"), config))
        image = torch.zeros(1, config.image.bands, config.image.frames)
        cost = cost_of_network(load_network(run, config), image, config.clip_s)
        return Measured(
            figures,
            cost.parameters,
            cost.mmacs_per_s,
            cost.ms_per_s,
            peak_memory_mb(),
            round(statistics.fmean(seconds) / 60, 1),
            begins=config.begins,
        ), pool(outcomes)


def _outcomes(predictions: Predictions, config: ImageRunConfig) -> Outcomes:
    names = [config.recording_of(clip) for clip in predictions.clips]
    return Outcomes.count(names, predictions.folds, right(predictions))
