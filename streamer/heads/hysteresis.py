"""From the scores of one label to decisions: thresholds with hysteresis, and hold times."""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamer.events import DecisionState


@dataclass(frozen=True)
class Change:
    """A decision to be told: how things stand with `label` since sample `since`, said at sample `at`."""

    label: str
    state: DecisionState
    since: int
    at: int
    score: float


@dataclass(frozen=True)
class HysteresisState:
    """What a `Hysteresis` carries from score to score.

    Attributes
    ----------
    on : bool or None
        How things stand; None until that was told for the first time.
    since : int
        Where that began.
    pending_since : int or None
        Where a change began that is not yet believed.
    told_at : int
        Sample of the last message.
    """

    on: bool | None
    since: int
    pending_since: int | None = None
    told_at: int = 0

    @property
    def at_rest(self) -> bool:
        """Whether a score below `on` tells and changes nothing."""
        return self.on is False and self.pending_since is None


@dataclass(frozen=True)
class Hysteresis:
    """Hysteresis over the scores of one label.

    While things stand one way, a score past the other threshold opens a pending change; it is believed once
    it has lasted, and given up if a score passes the first threshold again meanwhile. Times are in samples of
    the stream.

    Parameters
    ----------
    label : str
    on, off : float
        Thresholds, 0 to 1.
    min_on_samples, min_off_samples : int
        How long a change must last.
    update_samples : int
        Between ``update`` messages.
    """

    label: str
    on: float
    off: float
    min_on_samples: int
    min_off_samples: int
    update_samples: int

    def init(self, origin: int, on: bool | None = None) -> HysteresisState:
        """State at sample `origin`; where `on` is None, the first score tells how things stand."""
        return HysteresisState(on, since=origin)

    def step(
        self, score: float, start: int, stop: int, state: HysteresisState
    ) -> tuple[Change | None, HysteresisState]:
        """Take the score of samples `start` to `stop`.

        Parameters
        ----------
        score : float
            Probability, 0 to 1.
        start, stop : int
            Samples that are new in this score.
        state : HysteresisState

        Returns
        -------
        change : Change or None
            What is to be told, if anything.
        state : HysteresisState
        """
        state = self._with_pending(score, start, state)
        if state.pending_since is not None:
            needed = self.min_off_samples if state.on else self.min_on_samples
            if stop - state.pending_since >= needed:
                return self._tell(not state.on, state.pending_since, score, stop, state)
        elif state.on is None:
            return self._tell(False, state.since, score, stop, state)
        if state.on and stop - state.told_at >= self.update_samples:
            return Change(self.label, "update", state.since, stop, score), replace(state, told_at=stop)
        return None, state

    def end(
        self, score: float, since: int, at: int, state: HysteresisState
    ) -> tuple[Change | None, HysteresisState]:
        """What is to be told at sample `at` when nothing can go on from `since` on, after a last `score`."""
        return self._tell(False, since, score, at, state) if state.on else (None, state)

    def _with_pending(self, score: float, start: int, state: HysteresisState) -> HysteresisState:
        away, back = (
            (score < self.off, score >= self.on) if state.on else (score >= self.on, score < self.off)
        )
        if state.pending_since is None and away:
            return replace(state, pending_since=start)
        if state.pending_since is not None and back:
            return replace(state, pending_since=None)
        return state

    def _tell(
        self, on: bool, since: int, score: float, at: int, state: HysteresisState
    ) -> tuple[Change, HysteresisState]:
        after = replace(state, on=on, since=since, pending_since=None, told_at=at)
        return Change(self.label, "on" if on else "off", since, at, score), after
