"""Learning rates over a run, and when to give up: pure functions of the step and of the scores so far.

Nothing here has a state of its own. What a schedule must remember, the validation scores, is kept by the
checkpoint, so that a resumed run follows the same rates as one that never stopped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from streamer.errors import ConfigError


class Schedule(Protocol):
    """A learning rate relative to the configured one."""

    def factor(self, step: int, steps: int, scores: Sequence[float]) -> float:
        """Factor of the learning rate.

        Parameters
        ----------
        step, steps : int
            Updates done, and updates of the whole run.
        scores : sequence of float
            Of all validations so far; higher is better.
        """
        ...


@dataclass(frozen=True)
class Cosine:
    """A linear rise, then half a cosine down (Loshchilov and Hutter 2017, without restarts).

    Attributes
    ----------
    warm_up_steps : int
        Of the rise.
    final : float
        What is left at the end, a share of the learning rate.
    """

    warm_up_steps: int = 200
    final: float = 0.01

    def factor(self, step: int, steps: int, scores: Sequence[float]) -> float:  # noqa: ARG002
        if step < self.warm_up_steps:
            return _rise(step, self.warm_up_steps)
        progress = (step - self.warm_up_steps) / max(1, steps - self.warm_up_steps)
        return self.final + (1 - self.final) * (0.5 + 0.5 * math.cos(math.pi * progress))


@dataclass(frozen=True)
class StepDecay:
    """A linear rise, then a fall at regular distances.

    Attributes
    ----------
    warm_up_steps : int
        Of the rise.
    every : int
        Steps between two falls, counted from the start.
    decay : float
        Factor of each fall.
    """

    warm_up_steps: int = 200
    every: int = 1_000
    decay: float = 0.3

    def factor(self, step: int, steps: int, scores: Sequence[float]) -> float:  # noqa: ARG002
        return _rise(step, self.warm_up_steps) * self.decay ** (step // self.every)


@dataclass(frozen=True)
class Plateau:
    """A linear rise, then a fall whenever the score has stopped to grow.

    Attributes
    ----------
    warm_up_steps : int
        Of the rise.
    patience : int
        Validations without a new best score before a fall, counted anew after each.
    decay : float
        Factor of each fall.
    final : float
        The rate falls no lower, a share of the learning rate.
    """

    warm_up_steps: int = 200
    patience: int = 4
    decay: float = 0.3
    final: float = 0.001

    def factor(self, step: int, steps: int, scores: Sequence[float]) -> float:  # noqa: ARG002
        best, waited, falls = -math.inf, 0, 0
        for score in scores:
            waited = 0 if score > best else waited + 1
            best = max(best, score)
            if waited >= self.patience:
                waited, falls = 0, falls + 1
        return _rise(step, self.warm_up_steps) * max(self.final, self.decay**falls)


@dataclass(frozen=True)
class OneCycle:
    """Half a cosine up to the learning rate, then half a cosine down (Smith and Topin 2018); no cycle of momentum.

    Attributes
    ----------
    rise : float
        Share of the run that the way up takes, 0 to 1.
    first, final : float
        Where it starts and ends, shares of the learning rate.
    """

    rise: float = 0.3
    first: float = 0.04
    final: float = 0.0001

    def factor(self, step: int, steps: int, scores: Sequence[float]) -> float:  # noqa: ARG002
        top = self.rise * steps
        if step < top:
            return 1 + (self.first - 1) * (0.5 + 0.5 * math.cos(math.pi * step / top))
        progress = (step - top) / max(1.0, steps - top)
        return self.final + (1 - self.final) * (0.5 + 0.5 * math.cos(math.pi * progress))


@dataclass(frozen=True)
class ScheduleConfig:
    """Which schedule a run follows, and how each of them is set.

    Attributes
    ----------
    name : {"cosine", "step_decay", "plateau", "one_cycle"}
    cosine, step_decay, plateau, one_cycle
        Only the named one has an effect.
    """

    name: str = "cosine"
    cosine: Cosine = Cosine()
    step_decay: StepDecay = StepDecay()
    plateau: Plateau = Plateau()
    one_cycle: OneCycle = OneCycle()

    def __post_init__(self) -> None:
        if self.name not in self._by_name():
            raise ConfigError(f"schedule name is {self.name!r}; expected one of {', '.join(self._by_name())}")
        if self.step_decay.every < 1 or self.plateau.patience < 1:
            raise ConfigError(
                f"step_decay.every is {self.step_decay.every} and plateau.patience is {self.plateau.patience}; "
                "expected 1 or more"
            )
        if not 0 <= self.one_cycle.rise <= 1:
            raise ConfigError(f"one_cycle.rise is {self.one_cycle.rise}; expected 0 to 1, a share of the run")

    @property
    def chosen(self) -> Schedule:
        """The one that is followed."""
        return self._by_name()[self.name]

    def _by_name(self) -> dict[str, Schedule]:
        return {
            "cosine": self.cosine,
            "step_decay": self.step_decay,
            "plateau": self.plateau,
            "one_cycle": self.one_cycle,
        }


def validations_since_best(scores: Sequence[float]) -> int:
    """How many validations ago the best score was reached; 0 where there was none."""
    return len(scores) - 1 - scores.index(max(scores)) if scores else 0


def _rise(step: int, warm_up_steps: int) -> float:
    return min(1.0, (step + 1) / max(1, warm_up_steps))
