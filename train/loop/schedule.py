"""Schedules of the learning rate, and early stopping: pure functions of the step and of the scores so far.

A schedule has no state of its own. It depends on the validation scores, which the checkpoint keeps, so that a resumed
run follows the same rates as one that was never interrupted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from streamer.errors import ConfigError


class Schedule(Protocol):
    """Interface of a schedule of the learning rate over a run."""

    def factor(self, step: int, steps: int, scores: Sequence[float]) -> float:
        """Return the factor by which the configured learning rate is multiplied at a step.

        Parameters
        ----------
        step, steps : int
            Updates done so far, and updates of the whole run.
        scores : sequence of float
            Scores of all validations so far; higher is better.
        """
        ...


@dataclass(frozen=True)
class Cosine:
    """Schedule that rises linearly to the full rate, then falls along half a cosine (Loshchilov and Hutter 2017).

    Attributes
    ----------
    warm_up_steps : int
        Steps of the rise.
    final : float
        Rate at the end of the run, as a share of the configured learning rate.
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
    """Schedule that rises linearly to the full rate, then falls each time after a fixed number of steps.

    Attributes
    ----------
    warm_up_steps : int
        Steps of the rise.
    every : int
        Number of steps from one fall to the next, counted from the start of the run.
    decay : float
        Factor by which the rate is multiplied at each fall.
    """

    warm_up_steps: int = 200
    every: int = 1_000
    decay: float = 0.3

    def factor(self, step: int, steps: int, scores: Sequence[float]) -> float:  # noqa: ARG002
        return _rise(step, self.warm_up_steps) * self.decay ** (step // self.every)


@dataclass(frozen=True)
class Plateau:
    """Schedule that rises linearly to the full rate, then falls whenever the score has stopped growing.

    Attributes
    ----------
    warm_up_steps : int
        Steps of the rise.
    patience : int
        Number of validations without a new best score after which the rate falls; after a fall they are counted anew.
    decay : float
        Factor by which the rate is multiplied at each fall.
    final : float
        Lowest rate, as a share of the configured learning rate.
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
    """Schedule that rises to the full rate and falls, along half a cosine each (Smith and Topin 2018).

    Unlike there, momentum stays constant.

    Attributes
    ----------
    rise : float
        Share of the run that the rise takes, 0 to 1.
    first, final : float
        Rates at the start and at the end, as shares of the configured learning rate.
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
    """Name of the schedule that a run follows, with the settings of all schedules.

    Attributes
    ----------
    name : {"cosine", "step_decay", "plateau", "one_cycle"}
        Name of the schedule that the run follows.
    cosine, step_decay, plateau, one_cycle
        Settings of each schedule; only the named one has an effect.
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
        """Settings of the schedule that the run follows."""
        return self._by_name()[self.name]

    def _by_name(self) -> dict[str, Schedule]:
        return {
            "cosine": self.cosine,
            "step_decay": self.step_decay,
            "plateau": self.plateau,
            "one_cycle": self.one_cycle,
        }


def validations_since_best(scores: Sequence[float]) -> int:
    """Return the number of validations since the one with the best score; 0 if there was none yet."""
    return len(scores) - 1 - scores.index(max(scores)) if scores else 0


def _rise(step: int, warm_up_steps: int) -> float:
    return min(1.0, (step + 1) / max(1, warm_up_steps))
