"""Where a training runs: its device, and the processes that ``torchrun`` started for it."""

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
    """One process among those that train together.

    Attributes
    ----------
    device : torch.device
        Where this one computes.
    rank, world : int
        Its number, from 0, and how many there are.
    """

    device: torch.device
    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process validates and writes."""
        return self.rank == 0

    @property
    def device_name(self) -> str:
        """The GPU's name, or torch's name of the device."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else str(self.device)

    def share(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The clips of a batch that this process learns from: every `world`-th one.

        Raises
        ------
        ConfigError
            If the clips cannot be dealt out evenly.
        """
        clips = len(batch[0])
        if clips % self.world:
            raise ConfigError(
                f"a batch has {clips} clips for {self.world} processes; expected a multiple: set loop.batch"
            )
        return tuple(part[self.rank :: self.world] for part in batch)

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model, its gradients averaged over the processes; batch norms too see all clips on GPUs.

        On CPUs, where torch has no such batch norm, each process normalises by its own share.
        """
        if self.world == 1:
            return model
        if self.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return DistributedDataParallel(model)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Each value's mean over the processes."""
        if self.world == 1:
            return values
        together = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        distributed.all_reduce(together)
        return dict(zip(values, (together / self.world).tolist(), strict=True))

    def agree(self, make: Callable[[], T]) -> T:
        """What `make` gives in the first process, in all of them; an error there is raised in all."""
        if self.world == 1:
            return make()
        box: list[Any] = [None, None]
        if self.first:
            try:
                box[0] = make()
            except Exception as error:  # noqa: BLE001 - raised again, here and in every other process
                box[1] = error
        distributed.broadcast_object_list(box, src=0)
        if box[1] is not None:
            raise box[1]
        return box[0]  # type: ignore[no-any-return]


def single_process(device: str = "auto") -> Ranks:
    """A single process on a device.

    Parameters
    ----------
    device : str
        ``auto`` (the first GPU if there is one, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises
    ------
    ConfigError
        If torch has no such device here.
    """
    return Ranks(_device(device, 0))


@contextmanager
def joined(device: str = "auto") -> Iterator[Ranks]:
    """One process among those of ``torchrun``; alone where it was started without.

    Parameters
    ----------
    device : str
        As of `single_process`; with ``auto`` and ``cuda`` each process has a GPU of its own.
    """
    if "WORLD_SIZE" not in os.environ:
        yield single_process(device)
        return
    chosen = _device(device, int(os.environ["LOCAL_RANK"]))
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    # Its functions take the group that there is when it is first imported as their default, and keep it for ever. If
    # DistributedDataParallel imports it, later, the group's threads outlive it into the interpreter's end, and abort.
    importlib.import_module("torch.distributed.nn.functional")
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Ranks(chosen, distributed.get_rank(), distributed.get_world_size())
        distributed.barrier()  # leave together: who is left behind would see its connections break
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
