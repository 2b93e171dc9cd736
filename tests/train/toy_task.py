"""A task of a few weights, and a way to train it in a process of its own: ``-m tests.train.toy_task FOLDER``."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import l1_loss, mse_loss

from streamer.dsp.log_mel import LogMelConfig
from train.loop.checkpoint import Identity
from train.loop.checkpoint import load as load_checkpoint
from train.loop.distributed import join_processes
from train.loop.folds import HoldsOut
from train.loop.registry import Plugin
from train.loop.run import DataUsed
from train.loop.schedule import Cosine, ScheduleConfig
from train.loop.task import LoopConfig
from train.loop.train_loop import train

SCHEDULE = ScheduleConfig(cosine=Cosine(warm_up_steps=2))
LOOP = LoopConfig(
    steps=12, batch=8, validate_every=4, schedule=SCHEDULE, workers=0, average=0.5, device="cpu"
)


@dataclass(frozen=True)
class LineConfig(HoldsOut):
    width: int = 8
    fold: int = 5
    validation_fold: int = 4
    loop: LoopConfig = field(default_factory=lambda: LOOP)


class Line:
    """Learns ``y = sum(x)``, with dropout and batch norm so that their states matter."""

    name = "line"
    front_end: LogMelConfig | None = LogMelConfig()

    def __init__(self, config=LineConfig()):
        self.config = config

    def data_hash(self):
        return DataUsed("abc", recordings=3, skipped=("line/x: silent",))

    def make_model(self):
        width = self.config.width
        return nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.Dropout(0.3), nn.Linear(width, 1))

    def make_batch(self, seed, step, size):
        generator = torch.Generator().manual_seed(1_000 * seed + step)
        x = torch.randn(size, 4, generator=generator) + 0.01 * torch.randn(
            size, 4
        )  # the second by the loop's seed
        return x, x.sum(1, keepdim=True)

    def loss(self, model, batch):
        y = model(batch[0])
        return {"square": mse_loss(y, batch[1]), "absolute": 0.1 * l1_loss(y, batch[1])}

    def validate(self, model):
        assert not model.training
        device = next(model.parameters()).device
        generator = torch.Generator().manual_seed(99)
        x = torch.randn(256, 4, generator=generator).to(device)
        with torch.no_grad():
            return {"score": -mse_loss(model(x), x.sum(1, keepdim=True)).item()}


class PlainLine(Line):
    """Without what depends on which process sees a clip."""

    def make_model(self):
        return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


class Killed(Line):
    """Ends its process like a power cut, between two checkpoints."""

    def make_batch(self, seed, step, size):
        if step == 10:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().make_batch(seed, step, size)


def run_line(folder, task=None, **changes):
    """Train with `LOOP`, changed."""
    task = task or Line()
    return train(task, LoopConfig(**{**vars(LOOP), **changes}), folder)


def load(path, task=Line):
    return load_checkpoint(path, Identity(task.name, task.front_end))


class EmptyRelease:
    """Writes nothing."""

    def export(self, folder):
        pass


PLUGIN = Plugin(
    name="line",
    config=LineConfig,
    task=lambda config, data, cache: Line(config),
    release=lambda run, data, cache: EmptyRelease(),
    evaluate=lambda asked: {
        "fold": asked.config.fold,
        "model": str(asked.model),
        "kept": str(asked.predictions),
    },
)

if __name__ == "__main__":
    made = {"killed": Killed, "plain": PlainLine}[sys.argv[1]]()
    with join_processes("cpu") as ranks:
        train(made, LOOP, Path(sys.argv[2]), ranks)
