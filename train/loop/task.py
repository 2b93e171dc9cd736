"""Interface between the training loop and a task, and the settings of the loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn

from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.stft import StftConfig
from streamer.errors import ConfigError
from train.loop.precision import PRECISIONS
from train.loop.run import DataUsed
from train.loop.schedule import ScheduleConfig

Batch = tuple[Tensor, ...]
OPTIMISERS = ("adamw", "muon")


@dataclass(frozen=True)
class LoopConfig:
    """Settings of the training loop, which every task has under ``loop`` in its configuration.

    Attributes
    ----------
    seed : int
        Seed of the weights and of everything that is drawn at random.
    steps, batch : int
        Number of updates of the weights, and number of clips of which an update is computed, over all processes.
    optimiser : {"adamw", "muon"}
        Optimiser; with ``muon``, matrices are updated by Muon and the rest by AdamW.
    learning_rate, weight_decay : float
        Highest learning rate of the run, and weight decay, of the optimiser.
    schedule : ScheduleConfig
        Schedule of the learning rate.
    average : float
        Decay of the moving average of the weights, which is validated and released: at each update the average moves
        ``1 - average`` of the way to the weights.
    gradient_norm : float
        Largest norm of the gradient; a larger one is scaled down to it.
    validate_every : int
        Steps between two validations, each of which writes a checkpoint.
    patience : int
        Number of validations without a new best score after which training stops early; with 0 it never does.
    device : str
        Name of the device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
    precision : {"auto", "float32", "bf16", "fp16"}
        Precision of the forward pass; ``auto`` is bf16 on GPUs that have it, fp16 on other GPUs, float32 on CPUs.
    threads, workers : int
        Number of torch's threads, and number of processes that make batches; with 0 workers the training process makes
        the batches itself.
    """

    seed: int = 1
    steps: int = 3_500
    batch: int = 24
    optimiser: str = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    average: float = 0.998
    gradient_norm: float = 1.0
    validate_every: int = 250
    patience: int = 0
    device: str = "auto"
    precision: str = "auto"
    threads: int = 1
    workers: int = 1

    def __post_init__(self) -> None:
        counts = {
            "seed": 0,
            "steps": 1,
            "batch": 1,
            "validate_every": 1,
            "patience": 0,
            "threads": 1,
            "workers": 0,
        }
        for name, least in counts.items():
            if getattr(self, name) < least:
                raise ConfigError(f"loop.{name} is {getattr(self, name)}; expected {least} or more")
        if self.optimiser not in OPTIMISERS:
            raise ConfigError(f"loop.optimiser is {self.optimiser!r}; expected {' or '.join(OPTIMISERS)}")
        if self.precision not in ("auto", "float32", *PRECISIONS):
            raise ConfigError(f"loop.precision is {self.precision!r}; expected auto, float32, bf16 or fp16")


class Task(Protocol):
    """Interface of a task for the training loop.

    Attributes
    ----------
    name : str
        Name of the task, as in the registry.
    config : dataclass
        Whole configuration of the run, a `train.loop.folds.HoldsOut`.
    front_end : LogMelConfig, StftConfig or None
        Front end of the model; None if its input is neither log-mel frames nor spectra.
    """

    @property
    def name(self) -> str: ...

    @property
    def config(self) -> Any: ...

    @property
    def front_end(self) -> LogMelConfig | StftConfig | None: ...

    def data_hash(self) -> DataUsed:
        """Return a description of the data of training and validation; see `train.loop.run.data_used`."""
        ...

    def make_model(self) -> nn.Module:
        """Return a model with random weights, drawn from torch's generator."""
        ...

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """Return the batch of a step, tensors on the CPU with a row for each clip: the same for the same arguments."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the parts of the loss of a batch by name, each a scalar; training minimises their sum.

        `model` may be wrapped: call it, and use none of its attributes. `batch` is on the model's device.
        """
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return figures on the validation fold by name; the weights with the highest figure ``score`` are kept.

        Without a validation fold they are figures on a learnt fold, and the last weights are kept.

        `model` is on the device of training; move its input there.
        """
        ...
