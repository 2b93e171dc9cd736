"""What the training loop must be told, and what it must know of a task."""

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
    """How long, how fast and where to learn.

    Attributes
    ----------
    seed : int
        Of the weights and of everything that is drawn.
    steps, batch : int
        Updates, and clips in each, over all processes.
    optimiser : {"adamw", "muon"}
        Muon moves matrices, and AdamW the rest.
    learning_rate, weight_decay : float
        Of the optimiser.
    schedule : ScheduleConfig
        What becomes of the learning rate.
    average : float
        Of the weights that are validated and released: each update they move ``1 - average`` of the way.
    gradient_norm : float
        Gradients are cut to this.
    validate_every : int
        Steps between validations, each of which writes a checkpoint.
    patience : int
        Validations without a new best score after which training stops early; 0 never does.
    device : str
        ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
    precision : {"auto", "float32", "bf16", "fp16"}
        Of the model's forward pass; ``auto`` is bf16 on GPUs that have it, fp16 on others, float32 on CPUs.
    threads, workers : int
        Of torch, and processes that make batches (0: none).
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
    """What the loop must know of a task.

    Attributes
    ----------
    name : str
        As in the registry.
    config : dataclass
        The whole configuration of the run.
    front_end : LogMelConfig, StftConfig or None
        What the model hears; none where it hears neither log-mel frames nor spectra.
    """

    @property
    def name(self) -> str: ...

    @property
    def config(self) -> Any: ...

    @property
    def front_end(self) -> LogMelConfig | StftConfig | None: ...

    def data_hash(self) -> DataUsed:
        """What is learnt from and validated on; see `train.loop.run.data_used`."""
        ...

    def make_model(self) -> nn.Module:
        """A model of random weights, drawn from torch's generator."""
        ...

    def make_batch(self, seed: int, step: int, size: int) -> Batch:
        """The batch of a step, on the CPU, clips first: the same for the same arguments."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Named parts, each a scalar; their sum is to become small.

        `model` may be wrapped: call it, and reach for none of its attributes. `batch` is where the model is.
        """
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures on the validation split; the model with the highest ``score`` is kept.

        `model` is on the device of training; move what it is given there.
        """
        ...
