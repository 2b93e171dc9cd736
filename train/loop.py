"""The training loop, for every task."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

from streamer.errors import ModelError
from train.checkpoint import Identity, Progress, described, load, save
from train.distributed import Ranks, alone
from train.errors import TrainingError
from train.logbook import Logbook
from train.run import write_json
from train.schedule import validations_since_best
from train.task import PRECISIONS, Batch, LoopConfig, Task

_log = logging.getLogger(__name__)


def train(task: Task, config: LoopConfig, folder: Path, ranks: Ranks | None = None) -> Path:
    """Train, or go on training, a task in a run's folder.

    Parameters
    ----------
    task : Task
    config : LoopConfig
    folder : Path
        Takes ``last.pt`` (to resume from), ``best.pt`` (the weights to release), ``metrics.jsonl`` and
        TensorBoard's event file; made if absent.
    ranks : Ranks, optional
        This process among others; alone on ``config.device`` if absent.

    Returns
    -------
    Path
        Of ``best.pt``.

    Raises
    ------
    TrainingError
        If a loss or a score is infinite or no number.
    ModelError
        If the folder's checkpoint is of another task or front end, or its model has another shape.
    """
    ranks = ranks or alone(config.device)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.threads)
    seed_all(config.seed, 0)
    model = task.make_model().to(ranks.device)
    averaged = _averaged(model, config.average)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    precision = _precision(config, ranks.device)
    scaler = torch.amp.GradScaler(ranks.device.type, enabled=precision is torch.float16)
    parts: dict[str, Any] = {"model": model, "averaged": averaged, "optimiser": optimiser, "scaler": scaler}
    identity = Identity(task.name, task.front_end)
    progress = _resume(folder / "last.pt", identity, parts)
    learner = ranks.wrap(model)
    began = time.monotonic() - progress.seconds

    logbook = Logbook(folder, progress.step, config.steps) if ranks.first else nullcontext()
    with logbook as log:  # none in the other processes
        for step, batch in _batches(task, config, progress.step, ranks):
            if 0 < config.patience <= validations_since_best(progress.scores):
                _log.info("stopping early: no better score in %d validations", config.patience)
                break
            seed_all(config.seed, step, ranks.rank)  # dropout too depends on the step alone
            rate = config.learning_rate * config.schedule.chosen.factor(step, config.steps, progress.scores)
            for group in optimiser.param_groups:
                group["lr"] = rate
            learner.train()
            with _autocast(precision, ranks.device):
                losses = task.loss(learner, batch)
            loss = torch.stack(list(losses.values())).sum()
            values = ranks.mean(_values(loss, losses))
            if not all(math.isfinite(value) for value in values.values()):
                raise _failure(values, step, rate, config, folder)
            if log:
                log.add(values)
            optimiser.zero_grad()
            scaler.scale(loss).backward()
            scaler.unscale_(optimiser)
            nn.utils.clip_grad_norm_(model.parameters(), config.gradient_norm)
            scaler.step(optimiser)
            scaler.update()
            averaged.update_parameters(model)

            progress.step = step + 1
            if progress.step % config.validate_every and progress.step != config.steps:
                continue
            averaged.eval()
            figures = ranks.agree(lambda: _validated(task, averaged.module, progress.step))
            progress.scores.append(figures["score"])
            progress.seconds = time.monotonic() - began
            if log:
                log.note(progress.step, {"learning_rate": rate, "seconds": progress.seconds, **figures})
                content = described(identity, asdict(task.config), progress)
                if validations_since_best(progress.scores) == 0:
                    save({**content, "weights": averaged.module.state_dict()}, folder / "best.pt")
                states = {name: part.state_dict() for name, part in parts.items()}
                save({**content, "states": states}, folder / "last.pt")
    return folder / "best.pt"


def seed_all(*numbers: int) -> None:
    """Seed torch's and Python's generators out of some numbers; NumPy's are made where they are used."""
    seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
    torch.default_generator.manual_seed(
        seed
    )  # torch.manual_seed queues a call for each absent device, for ever
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(seed)
    random.seed(seed)


class _Batches(Dataset[tuple[int, Batch]]):
    """A process's shares of the batches from a step on; each depends on the seed and its step alone."""

    def __init__(self, task: Task, config: LoopConfig, first: int, ranks: Ranks) -> None:
        self._task, self._config, self._first, self._ranks = task, config, first, ranks

    def __len__(self) -> int:
        return max(0, self._config.steps - self._first)

    def __getitem__(self, place: int) -> tuple[int, Batch]:
        step = self._first + place
        seed_all(self._config.seed, step)
        return step, self._ranks.share(self._task.make_batch(self._config.seed, step, self._config.batch))


def _batches(task: Task, config: LoopConfig, first: int, ranks: Ranks) -> Iterator[tuple[int, Batch]]:
    on_gpu = ranks.device.type == "cuda"
    batches = _Batches(task, config, first, ranks)
    for step, batch in DataLoader(batches, batch_size=None, num_workers=config.workers, pin_memory=on_gpu):
        yield step, tuple(part.to(ranks.device, non_blocking=True) for part in batch)


def _averaged(model: nn.Module, average: float) -> AveragedModel:
    """Moving average of weights and batch-norm statistics; a mere mean at first, lest the start linger."""

    def move(own: list[Tensor], new: list[Tensor], updates: Tensor | int) -> None:
        if own[0].is_floating_point():
            count = float(updates)
            torch._foreach_lerp_(own, new, 1 - min(average, count / (10.0 + count)))
        else:
            torch._foreach_copy_(own, new)

    return AveragedModel(model, multi_avg_fn=move, use_buffers=True)


def _precision(config: LoopConfig, device: torch.device) -> torch.dtype | None:
    """What the forward pass is cast to; none leaves it at float32."""
    if config.precision == "auto" and device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return PRECISIONS.get(config.precision)


def _autocast(precision: torch.dtype | None, device: torch.device) -> AbstractContextManager[None]:
    return torch.autocast(device.type, precision) if precision else nullcontext()


def _values(loss: Tensor, losses: Mapping[str, Tensor]) -> dict[str, float]:
    """The sum as ``loss``, each part as ``loss/NAME``: one transfer from a GPU for all."""
    together = torch.stack([loss, *losses.values()]).detach().tolist()
    return dict(zip(["loss", *(f"loss/{name}" for name in losses)], together, strict=True))


def _failure(
    values: Mapping[str, float], step: int, rate: float, config: LoopConfig, folder: Path
) -> TrainingError:
    """What to do about a loss that is no number; the batch that it came from is noted in ``failed.json``."""
    failed = {"seed": config.seed, "step": step, "size": config.batch, "learning_rate": rate, **values}
    write_json(folder / "failed.json", failed)
    said = ", ".join(f"{name} {value:g}" for name, value in values.items())
    kept = folder / "last.pt"
    return TrainingError(
        f"{said} at step {step} and learning rate {rate:.3g}; expected finite losses. The batch is "
        f"make_batch({config.seed}, {step}, {config.batch}), noted in {folder / 'failed.json'}; the last good "
        f"checkpoint is {kept if kept.is_file() else 'none, it came before the first'}: look at the batch, or go on "
        f"from there with a lower rate, --resume {folder} --set loop.learning_rate={config.learning_rate / 3:.1g}"
    )


def _validated(task: Task, model: nn.Module, step: int) -> dict[str, float]:
    figures = {name: float(value) for name, value in task.validate(model).items()}
    score = figures.get("score", math.nan)
    if not math.isfinite(score):
        raise TrainingError(
            f"validation of task {task.name} after {step} steps gives score {score}; expected a finite number: look "
            f"at its other figures, {figures}"
        )
    return figures


def _resume(path: Path, identity: Identity, parts: Mapping[str, Any]) -> Progress:
    if not path.is_file():
        return Progress()
    content = load(path, identity)
    try:
        for name, part in parts.items():
            part.load_state_dict(content["states"][name])
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[-1].strip()
        raise ModelError(
            f"{path} does not fit this model ({first}); expected the configuration that its run began with: "
            "resume without --set model..., or start a new run"
        ) from error
    _log.info("going on after step %d", content["step"])
    return Progress(content["step"], content["scores"], content["seconds"])
