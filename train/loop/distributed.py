"""The device of a training, and the processes that ``torchrun`` started for it."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from streamer.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """Place of this process among those that train one model together.

    Attributes
    ----------
    device : torch.device
        Device that this process computes on.
    rank, world : int
        Number of this process, from 0, and number of all processes.
    """

    device: torch.device
    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one process that validates and writes files."""
        return self.rank == 0

    @property
    def device_name(self) -> str:
        """Name of the GPU, such as ``NVIDIA H200``; torch's name, such as ``cpu``, of another device."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else str(self.device)

    def share(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the clips of a batch that this process learns from: every `world`-th one.

        Raises
        ------
        ConfigError
            If the number of clips is not a multiple of the number of processes.
        """
        clips = len(batch[0])
        if clips % self.world:
            raise ConfigError(
                f"a batch has {clips} clips for {self.world} processes; expected a multiple: set loop.batch"
            )
        return tuple(part[self.rank :: self.world] for part in batch)

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return `model` wrapped so that its gradients are averaged over the processes; with one process, `model`.

        On GPUs batch norms see the clips of all processes. On CPUs torch has no such batch norm, and each process
        normalises by its own clips.
        """
        if self.world == 1:
            return model
        if self.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return DistributedDataParallel(model)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Return, by the same names, the mean of each value over all processes."""
        if self.world == 1:
            return values
        together = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        distributed.all_reduce(together)
        return dict(zip(values, (together / self.world).tolist(), strict=True))

    def agree(self, make: Callable[[], T]) -> T:
        """Return in every process what `make` returns in the first; an error of `make` is raised in every process."""
        if self.world == 1:
            return make()
        box: list[Any] = [None, None]
        if self.first:
            try:
                box[0] = make()
            except Exception as error:  # noqa: BLE001 - it is raised again in every process
                box[1] = error
        distributed.broadcast_object_list(box, src=0)
        if box[1] is not None:
            raise box[1]
        made: T = box[0]
        return made


def single_process(device: str = "auto") -> Ranks:
    """Return the place of a process that trains alone on a device.

    Parameters
    ----------
    device : str
        Name of the device: ``auto`` (the first GPU if there is one, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises
    ------
    ConfigError
        If torch has no such device here.
    """
    return Ranks(_device(device, 0))


@contextmanager
def join_processes(device: str = "auto") -> Iterator[Ranks]:
    """Join the processes of ``torchrun`` and yield this process's place; without ``torchrun``, train alone.

    Parameters
    ----------
    device : str
        Name of the device, as for `single_process`; with ``auto`` and ``cuda`` each process has its own GPU.
    """
    if "WORLD_SIZE" not in os.environ:
        yield single_process(device)
        return
    chosen = _device(device, int(os.environ["LOCAL_RANK"]))
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    # The functions of this module keep the process group that exists at its first import as their default. If
    # DistributedDataParallel imports it later, the group's threads live on until the interpreter ends, and abort.
    importlib.import_module("torch.distributed.nn.functional")
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Ranks(chosen, distributed.get_rank(), distributed.get_world_size())
        distributed.barrier()  # leave together, or the connections of the slower processes break
    finally:
        distributed.destroy_process_group()


def _device(name: str, local_rank: int) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise ConfigError(f"device is {name!r}; expected auto, cpu, cuda or cuda:N")
    device = torch.device(f"cuda:{local_rank}" if name == "cuda" else name)
    if device.type == "cuda" and device.index >= torch.cuda.device_count():
        raise ConfigError(
            f"device is {name!r}, this machine has {torch.cuda.device_count()} GPUs; set loop.device=cpu, or start "
            "fewer processes"
        )
    return device
