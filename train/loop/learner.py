"""A model in training: its weights, their moving average, the optimisers, and the gradient scaler."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from streamer.errors import ModelError
from train.loop.checkpoint import Identity, Progress, load, save
from train.loop.optimiser import make_optimisers
from train.loop.precision import autocast, chosen_precision
from train.loop.task import Batch, LoopConfig, Task

Weights = tuple[Tensor, ...] | list[Tensor]
_log = logging.getLogger(__name__)


class Learner:
    """A model in training, with everything that a resumed run needs: optimisers, moving average and gradient scaler.

    Parameters
    ----------
    model : Module
        Model on the device of training.
    config : LoopConfig
        Settings of the training loop.
    device : torch.device
        Device that the model is trained on.

    Attributes
    ----------
    model : Module
    averaged : Module
        Model with the moving average of the weights; it is validated and released.
    """

    def __init__(self, model: nn.Module, config: LoopConfig, device: torch.device) -> None:
        self._config, self._device = config, device
        self._precision = chosen_precision(config.precision, model, device)
        self._average = _moving_average(model, config.average)
        self.model, self.averaged = model, self._average.module
        self._optimisers = make_optimisers(model, config)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._precision is torch.float16)

    @property
    def _parts(self) -> dict[str, Any]:
        """Parts that have a state, by their names in checkpoints."""
        return {
            "model": self.model,
            "averaged": self._average,
            **self._optimisers,
            "scaler": self._scaler,
        }

    def resume(self, path: Path, identity: Identity) -> Progress:
        """Load the states of ``last.pt``, if the file exists, and return the progress of the run.

        Parameters
        ----------
        path : Path
            Path of ``last.pt``.
        identity : Identity
            Task and front end that the checkpoint must have.

        Returns
        -------
        Progress
            Progress of the run when the checkpoint was written; a fresh one if the file does not exist.

        Raises
        ------
        ModelError
            If the checkpoint has another task or front end, or its model has another shape.
        """
        if not path.is_file():
            return Progress()
        content = load(path, identity)
        try:
            for name, part in self._parts.items():
                part.load_state_dict(content["states"][name])
        except (KeyError, RuntimeError, ValueError) as error:
            first = str(error).splitlines()[-1].strip()
            raise ModelError(
                f"{path} does not fit this model ({first}); expected the configuration that its run began with: "
                "resume without --set model..., or start a new run"
            ) from error
        _log.info("going on after step %d", content["step"])
        return Progress(content["step"], content["scores"], content["seconds"])

    def losses(self, task: Task, wrapped: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of a batch by name: their sum as ``loss``, each part of the task's loss as ``loss/NAME``.

        Parameters
        ----------
        task : Task
            Task to train.
        wrapped : Module
            Model to compute the losses of, wrapped by `Ranks.wrap`.
        batch : tuple of Tensor
            Batch of the task, on the device of the model.
        """
        wrapped.train()
        with autocast(self._precision, self._device):
            parts = task.loss(wrapped, batch)
        total = torch.stack(list(parts.values())).sum()
        return {"loss": total, **{f"loss/{name}": part for name, part in parts.items()}}

    def update(self, loss: Tensor, rate: float) -> None:
        """Update the weights by the gradient of `loss` at the learning rate `rate`, and then their moving average."""
        optimisers = self._optimisers.values()
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.zero_grad()
        self._scaler.scale(loss).backward()
        for optimiser in optimisers:
            self._scaler.unscale_(optimiser)  # before clipping, which compares with an unscaled norm
        nn.utils.clip_grad_norm_(self.model.parameters(), self._config.gradient_norm)
        for optimiser in optimisers:
            self._scaler.step(optimiser)
        self._scaler.update()
        self._average.update_parameters(self.model)

    def save(self, described: Mapping[str, Any], folder: Path, chosen: bool) -> None:
        """Write the checkpoint ``last.pt`` and, if the averaged weights are to be kept, ``best.pt`` before it.

        Parameters
        ----------
        described : mapping
            Entries from `train.loop.checkpoint.describe_checkpoint`.
        folder : Path
            Folder of the run.
        chosen : bool
            Whether the averaged weights are the ones to release so far.
        """
        if chosen:
            save({**described, "weights": self.averaged.state_dict()}, folder / "best.pt")
        states = {name: part.state_dict() for name, part in self._parts.items()}
        save({**described, "states": states}, folder / "last.pt")


def _moving_average(model: nn.Module, average: float) -> AveragedModel:
    """Return the moving average of weights and batch-norm statistics.

    At first it is nearly the mean of all updates, so that the random initial weights are soon forgotten.
    """

    def move(own: Weights, new: Weights, updates: Tensor | int) -> None:
        if own[0].is_floating_point():
            count = float(updates)
            torch._foreach_lerp_(own, new, 1 - min(average, count / (10.0 + count)))
        else:
            torch._foreach_copy_(own, new)

    return AveragedModel(model, multi_avg_fn=move, use_buffers=True)
