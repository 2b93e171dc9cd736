"""A reference network as a system of the laboratory: it is trained as every task is, fold by fold."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from train.lab.measured import Measured, peak_memory_mb
from train.lab.network_cost import cost_of_network
from train.loop.commands.cross_validation import hold_out, measure_run, train_or_resume
from train.loop.config import read_config
from train.loop.run import read_metrics
from train.tasks.reference.config import ImageRunConfig
from train.tasks.reference.figures import load_network, plugin

CONFIGS = Path(__file__).parent.parent / "configs" / "reference"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Network:
    """A network with the settings in ``CONFIGS/NAME.toml``; see `train.lab.measured.System`.

    Attributes
    ----------
    kind : type
        Class of its runs' configuration.
    """

    kind: type[ImageRunConfig]

    def measure(self, name: str, folds: Sequence[int]) -> Measured:
        """Train with each of some folds held out and the fold before it choosing the weights, and measure.

        Runs that are finished are used again, and those that were interrupted are resumed.
        """
        plug = plugin(self.kind)
        config = read_config(self.kind, CONFIGS / f"{name}.toml")
        accuracy, seconds = {}, []
        for fold in folds or config.folds:
            own = hold_out(plug, config, fold)
            run = train_or_resume(plug, own)
            accuracy[str(fold)] = measure_run(plug, run, own)["clips"]["accuracy"]
            seconds.append(read_metrics(run)[-1]["seconds"])
            _log.info("%s, fold %d: accuracy %.3f", name, fold, accuracy[str(fold)])
        image = torch.zeros(1, config.image.bands, config.image.frames)
        cost = cost_of_network(load_network(run, config), image, config.clip_s)
        return Measured(
            {"accuracy": accuracy},
            cost.parameters,
            cost.mmacs_per_s,
            cost.ms_per_s,
            peak_memory_mb(),
            round(statistics.fmean(seconds) / 60, 1),
        )
