"""The training loop of every task."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from train.errors import TrainingError
from train.loop.checkpoint import Identity, describe_checkpoint
from train.loop.distributed import Ranks, single_process
from train.loop.learner import Learner
from train.loop.logbook import Logbook
from train.loop.run import write_json
from train.loop.schedule import validations_since_best
from train.loop.task import Batch, LoopConfig, Task

_log = logging.getLogger(__name__)


def train(task: Task, config: LoopConfig, folder: Path, ranks: Ranks | None = None) -> Path:
    """Train a task in a run's folder, or resume its training; return the path of the best weights.

    Parameters
    ----------
    task : Task
        Task to train.
    config : LoopConfig
        Settings of the training loop.
    folder : Path
        Folder for ``last.pt`` (to resume from), ``best.pt`` (the weights to release: those of the best score, or the
        last ones of a run without a validation fold), ``metrics.jsonl`` and TensorBoard's event file; created if
        absent.
    ranks : Ranks, optional
        Place of this process among several that train together; by default it trains alone, on ``config.device``.

    Returns
    -------
    Path
        Path of ``best.pt``.

    Raises
    ------
    TrainingError
        If a loss or a score is infinite or not a number.
    ModelError
        If the folder's checkpoint has another task or front end, or its model has another shape.
    """
    ranks = ranks or single_process(config.device)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.threads)
    seed_all(config.seed, 0)
    learner = Learner(task.make_model().to(ranks.device), config, ranks.device)
    identity = Identity(task.name, task.front_end)
    progress = learner.resume(folder / "last.pt", identity)
    wrapped = ranks.wrap(learner.model)
    began = time.monotonic() - progress.seconds

    logbook = Logbook(folder, progress.step, config.steps) if ranks.first else nullcontext()
    with logbook as log:  # None in all processes but the first
        for step, batch in _batches(task, config, progress.step, ranks):
            if 0 < config.patience <= validations_since_best(progress.scores):
                _log.info("stopping early: no better score in %d validations", config.patience)
                break
            seed_all(config.seed, step, ranks.rank)  # so that a resumed run draws the same dropout
            rate = config.learning_rate * config.schedule.chosen.factor(step, config.steps, progress.scores)
            losses = learner.losses(task, wrapped, batch)
            values = ranks.mean(_values(losses))
            if not all(math.isfinite(value) for value in values.values()):
                raise _failure(values, step, rate, config, folder)
            if log:
                log.add(values)
            learner.update(losses["loss"], rate)

            progress.step = step + 1
            if progress.step % config.validate_every and progress.step != config.steps:
                continue
            figures = ranks.agree(lambda: _validate(task, learner.averaged, progress.step))
            progress.scores.append(figures["score"])
            progress.seconds = time.monotonic() - began
            if log:
                log.note(progress.step, {"learning_rate": rate, "seconds": progress.seconds, **figures})
                content = describe_checkpoint(identity, asdict(task.config), progress)
                learner.save(content, folder, chosen=_is_chosen(task, progress.scores))
    return folder / "best.pt"


def seed_all(*numbers: int) -> None:
    """Seed the random generators of torch and of Python from `numbers`; NumPy's are made where they are used."""
    seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
    # Not torch.manual_seed, which queues a call for each absent device and never removes it.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(seed)
    random.seed(seed)


class _Batches(Dataset[tuple[int, Batch]]):
    """Shares of one process in the batches from a step on; each depends only on the seed and its step."""

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
    # With batch_size=None the loader leaves items as they are: each is a batch already.
    for step, batch in DataLoader(batches, batch_size=None, num_workers=config.workers, pin_memory=on_gpu):
        yield step, tuple(part.to(ranks.device, non_blocking=True) for part in batch)


def _values(losses: Mapping[str, Tensor]) -> dict[str, float]:
    """Return losses as numbers, by a single transfer from the GPU."""
    return dict(zip(losses, torch.stack(list(losses.values())).detach().tolist(), strict=True))


def _failure(
    values: Mapping[str, float], step: int, rate: float, config: LoopConfig, folder: Path
) -> TrainingError:
    """Return the error of a loss that is not finite, after writing its batch's seed and step to ``failed.json``."""
    failed = {"seed": config.seed, "step": step, "size": config.batch, "learning_rate": rate, **values}
    write_json(folder / "failed.json", failed)
    losses = ", ".join(f"{name} {value:g}" for name, value in values.items())
    kept = folder / "last.pt"
    return TrainingError(
        f"{losses} at step {step} and learning rate {rate:.3g}; expected finite losses. The batch is "
        f"make_batch({config.seed}, {step}, {config.batch}), noted in {folder / 'failed.json'}; the last good "
        f"checkpoint is {kept if kept.is_file() else 'none, it came before the first'}: look at the batch, or go on "
        f"from there with a lower rate, --resume {folder} --set loop.learning_rate={config.learning_rate / 3:.1g}"
    )


def _is_chosen(task: Task, scores: Sequence[float]) -> bool:
    """Return whether the latest weights are those to keep: the best so far, or the last of a run that cannot choose."""
    return not task.config.validation_fold or validations_since_best(scores) == 0


def _validate(task: Task, model: nn.Module, step: int) -> dict[str, float]:
    model.eval()
    figures = {name: float(value) for name, value in task.validate(model).items()}
    score = figures.get("score", math.nan)
    if not math.isfinite(score):
        raise TrainingError(
            f"validation of task {task.name} after {step} steps gives score {score}; expected a finite number: look "
            f"at its other figures, {figures}"
        )
    return figures
