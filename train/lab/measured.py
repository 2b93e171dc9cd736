"""Figures and cost of a system of the laboratory, and the interface of a system."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streamer.errors import ConfigError
from train.lab.outcomes import Outcomes


@dataclass(frozen=True)
class Measured:
    """Figures and cost of a system.

    Attributes
    ----------
    figures : dict of str to dict of str to float
        Figures by name, such as ``accuracy``: values by the number of the fold that was held out.
    parameters : int or None
        Number of learnt numbers; None if it cannot be counted.
    mmacs_per_s : float or None
        Millions of multiply-accumulates for a second of sound; None if it does not multiply, or they cannot be counted.
    ms_per_s : float
        Milliseconds of processor time for a second of sound, on one thread; without its features, but with the
        transforms of a separation.
    memory_mb : float
        Largest resident memory of the process that trained and measured it.
    minutes : float or None
        Minutes of training of a fold, on average; None if they are not known.
    begins : str
        What its weights were before training, ``pretrained`` or ``from scratch``; empty if they can only be random.
    """

    figures: dict[str, dict[str, float]]
    parameters: int | None
    mmacs_per_s: float | None
    ms_per_s: float
    memory_mb: float
    minutes: float | None
    begins: str = field(default="", kw_only=True)


class System(Protocol):
    """Interface of a system that can be trained and measured.

    Attributes
    ----------
    causal : bool
        Whether it answers while the sound goes on, by what came before; otherwise it sees a whole segment or clip.
    """

    @property
    def causal(self) -> bool: ...

    def measure(self, name: str, folds: Sequence[int]) -> tuple[Measured, Outcomes | None]:
        """Train the system with each of some folds held out, and measure it; without `folds`, with each of all.

        Parameters
        ----------
        name : str
            Name of the system's row.
        folds : sequence of int
            Folds to hold out.

        Returns
        -------
        Measured
            Figures and cost.
        Outcomes or None
            How often the system was right about each held-out recording; None if it does not answer right or wrong.
        """
        ...


def check_folds(name: str, folds: Sequence[int], known: Sequence[int]) -> None:
    """Refuse folds that a row does not have.

    Raises
    ------
    ConfigError
        If one of `folds` is not among those that are known.
    """
    if unknown := sorted(set(folds) - set(known)):
        raise ConfigError(f"{name} has no fold {unknown[0]}; expected some of {list(known)}")


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in megabytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
