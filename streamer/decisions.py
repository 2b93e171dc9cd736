"""From scores to decisions: thresholds with hysteresis, hold times and warm-up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from streamer.errors import ConfigError


@dataclass(frozen=True)
class DecisionConfig:
    """When a score becomes a decision.

    Attributes
    ----------
    on, off : float or None
        Probabilities, 0 <= off <= on <= 1. A span begins at a score of `on` or more and ends below `off`;
        None takes the model's own operating point.
    min_on_ms, min_off_ms : float
        How long a change must last before it is believed.
    warm_up_ms : float or None
        Scores this soon after a start are not decided on; None takes the model's own figure.
    update_ms : float
        Between two ``update`` messages while something goes on.
    """

    on: float | None = None
    off: float | None = None
    min_on_ms: float = 200.0
    min_off_ms: float = 600.0
    warm_up_ms: float | None = None
    update_ms: float = 1_000.0

    def __post_init__(self) -> None:
        on = 1.0 if self.on is None else self.on
        off = 0.0 if self.off is None else self.off
        if not 0.0 <= off <= on <= 1.0:
            raise ConfigError(
                f"thresholds are on = {self.on}, off = {self.off}; expected 0 <= off <= on <= 1"
            )
        times = self.min_on_ms, self.min_off_ms, self.warm_up_ms or 0.0, self.update_ms
        if min(times) < 0:
            raise ConfigError(
                f"min_on_ms = {self.min_on_ms}, min_off_ms = {self.min_off_ms}, warm_up_ms = {self.warm_up_ms}, "
                f"update_ms = {self.update_ms}; expected none below 0"
            )


@dataclass(frozen=True)
class Change:
    """A decision to be told: how things stand since sample `since`, said at sample `at`."""

    state: Literal["on", "update", "off"]
    since: int
    at: int
    score: float


@dataclass(frozen=True)
class DeciderState:
    """What a `Decider` carries from score to score.

    Attributes
    ----------
    origin : int
        First sample of the epoch.
    on : bool or None
        How things stand; None until the first decision.
    since : int
        Where that began.
    pending_since : int or None
        Where a change began that is not yet believed.
    told_at : int
        Sample of the last message.
    """

    origin: int
    on: bool | None = None
    since: int = 0
    pending_since: int | None = None
    told_at: int = 0


@dataclass(frozen=True)
class Decider:
    """Hysteresis over the scores of one label.

    While things stand one way, a score past the other threshold opens a pending change; it is believed once
    it has lasted, and given up if a score passes the first threshold again meanwhile. Times are in samples of
    the stream.

    Parameters
    ----------
    on, off : float
        Thresholds, 0 to 1.
    min_on_samples, min_off_samples : int
        How long a change must last.
    warm_up_samples : int
        From the origin on, nothing is decided.
    update_samples : int
        Between ``update`` messages.
    """

    on: float
    off: float
    min_on_samples: int
    min_off_samples: int
    warm_up_samples: int
    update_samples: int

    def init(self, origin: int) -> DeciderState:
        """State of a stream whose epoch begins at sample `origin`."""
        return DeciderState(origin, since=origin)

    def step(
        self, score: float, start: int, stop: int, state: DeciderState
    ) -> tuple[Change | None, DeciderState]:
        """Take the score of samples `start` to `stop`.

        Parameters
        ----------
        score : float
            Probability, 0 to 1.
        start, stop : int
            Samples that are new in this score.
        state : DeciderState

        Returns
        -------
        change : Change or None
            What is to be told, if anything.
        state : DeciderState
        """
        if stop - state.origin <= self.warm_up_samples:
            return None, state
        state = self._with_pending(score, start, state)
        if state.pending_since is not None:
            needed = self.min_off_samples if state.on else self.min_on_samples
            if stop - state.pending_since >= needed:
                return self._tell(not state.on, state.pending_since, score, stop, state)
        elif state.on is None:
            return self._tell(False, state.origin, score, stop, state)
        if state.on and stop - state.told_at >= self.update_samples:
            return Change("update", state.since, stop, score), replace(state, told_at=stop)
        return None, state

    def end(self, score: float, stop: int, state: DeciderState) -> Change | None:
        """What is to be told when the sound ends or is lost at `stop`, after a last `score`: nothing goes on."""
        return Change("off", stop, stop, score) if state.on else None

    def _with_pending(self, score: float, start: int, state: DeciderState) -> DeciderState:
        away, back = (
            (score < self.off, score >= self.on) if state.on else (score >= self.on, score < self.off)
        )
        if state.pending_since is None and away:
            return replace(state, pending_since=start)
        if state.pending_since is not None and back:
            return replace(state, pending_since=None)
        return state

    @staticmethod
    def _tell(
        on: bool, since: int, score: float, stop: int, state: DeciderState
    ) -> tuple[Change, DeciderState]:
        after = replace(state, on=on, since=since, pending_since=None, told_at=stop)
        return Change("on" if on else "off", since, stop, score), after
