"""The training loop, for every task."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

_log = logging.getLogger(__name__)
Batch = tuple[Tensor, ...]


@dataclass(frozen=True)
class LoopConfig:
    """How long and how fast to learn.

    Attributes
    ----------
    seed : int
        Of the weights and of everything that is drawn.
    steps, batch : int
        Updates, and clips in each.
    learning_rate, weight_decay : float
        Of AdamW; the rate rises over `warm_up_steps` and then falls as a cosine to a hundredth.
    warm_up_steps : int
    average : float
        Of the weights that are validated and released: each update they move ``1 - average`` of the way.
    gradient_norm : float
        Gradients are cut to this.
    validate_every : int
        Steps between validations, each of which writes a checkpoint.
    threads, workers : int
        Of torch, and processes that make batches (0: none).
    """

    seed: int = 1
    steps: int = 3_500
    batch: int = 24
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warm_up_steps: int = 200
    average: float = 0.998
    gradient_norm: float = 1.0
    validate_every: int = 250
    threads: int = 1
    workers: int = 1


class Task(Protocol):
    """What the loop must know of a task."""

    def make_model(self) -> nn.Module:
        """A model of random weights, drawn from torch's generator."""
        ...

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """The batch of a step: the same for the same arguments."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """What is to become small."""
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures on the validation split; the model with the highest ``score`` is kept."""
        ...


class _Batches(Dataset[Batch]):
    """The batches from a step on; each depends on its number alone, so that a run can resume anywhere."""

    def __init__(self, task: Task, config: LoopConfig, first: int) -> None:
        self._task, self._config, self._first = task, config, first

    def __len__(self) -> int:
        return self._config.steps - self._first

    def __getitem__(self, place: int) -> Batch:
        return self._task.make_batch(self._config.seed, self._first + place, self._config.batch)


def train(task: Task, config: LoopConfig, folder: Path) -> Path:
    """Train, or go on training, a task in a run's folder.

    Parameters
    ----------
    task : Task
    config : LoopConfig
    folder : Path
        Takes ``last.pt`` (to resume from), ``best.pt`` (the weights to release) and ``metrics.jsonl``.

    Returns
    -------
    Path
        Of ``best.pt``.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    model = task.make_model()
    averaged = _averaged(model, config.average)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    first, best = _resume(folder, model, averaged, optimiser)
    began, total = time.monotonic(), 0.0
    for step, batch in enumerate(_loader(task, config, first), start=first):
        torch.manual_seed(config.seed + step)  # dropout too depends on the step alone
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(config, step)
        model.train()
        loss = task.loss(model, batch)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.gradient_norm)
        optimiser.step()
        averaged.update_parameters(model)
        total += loss.item()
        done = step + 1
        if done % config.validate_every and done != config.steps:
            continue
        averaged.eval()
        figures = task.validate(averaged.module)
        count = (done - first - 1) % config.validate_every + 1
        _note(folder, {"step": done, "loss": total / count, "s": time.monotonic() - began, **figures})
        total = 0.0
        if figures["score"] > best:
            best = figures["score"]
            save(averaged.module.state_dict(), folder / "best.pt")
        parts: dict[str, Any] = {"model": model, "averaged": averaged, "optimiser": optimiser}
        states = {name: part.state_dict() for name, part in parts.items()}
        save({"step": done, "best": best, **states}, folder / "last.pt")
    return folder / "best.pt"


def learning_rate(config: LoopConfig, step: int) -> float:
    """The rate of a step: a linear rise, then a cosine down to a hundredth."""
    if step < config.warm_up_steps:
        return config.learning_rate * (step + 1) / config.warm_up_steps
    progress = (step - config.warm_up_steps) / max(1, config.steps - config.warm_up_steps)
    return config.learning_rate * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * progress)))


def save(content: Any, path: Path) -> None:
    """Write a checkpoint so that a reader sees the old one or the new one, never a part."""
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def load(path: Path) -> Any:
    """Read a checkpoint: tensors and plain values alone, no code."""
    return torch.load(path, map_location="cpu", weights_only=True)


def write_config(folder: Path, config: Any) -> None:
    """Note a run's configuration beside its results."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")


def _averaged(model: nn.Module, average: float) -> AveragedModel:
    """Moving average of weights and batch-norm statistics; a mere mean at first, lest the start linger."""

    def move(own: Tensor, new: Tensor, updates: Tensor | int) -> Tensor:
        if not own.is_floating_point():
            return new
        return torch.lerp(new, own, min(average, float(updates) / (10.0 + float(updates))))

    return AveragedModel(model, avg_fn=move, use_buffers=True)


def _resume(
    folder: Path,
    model: nn.Module,
    averaged: AveragedModel,
    optimiser: torch.optim.Optimizer,
) -> tuple[int, float]:
    if not (folder / "last.pt").is_file():
        return 0, -math.inf
    content = load(folder / "last.pt")
    model.load_state_dict(content["model"])
    averaged.load_state_dict(content["averaged"])
    optimiser.load_state_dict(content["optimiser"])
    _log.info("going on after step %d", content["step"])
    return int(content["step"]), float(content["best"])


def _loader(task: Task, config: LoopConfig, first: int) -> Iterator[Batch]:
    batches = _Batches(task, config, first)
    return iter(DataLoader(batches, batch_size=None, num_workers=config.workers))


def _note(folder: Path, figures: dict[str, float]) -> None:
    _log.info("%s", "  ".join(f"{name} {value:.4f}" for name, value in figures.items()))
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps(figures) + "\n")
