"""Turn the scores of one label into decisions: thresholds with hysteresis, and hold times."""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamer.events.kinds import DecisionState


@dataclass(frozen=True)
class Change:
    """A decision to be reported: the state that `label` has had since sample `since`, as decided at sample `at`."""

    label: str
    state: DecisionState
    since: int
    at: int
    score: float


@dataclass(frozen=True)
class HysteresisState:
    """State of a `Hysteresis` between two scores.

    Attributes
    ----------
    on : bool or None
        Whether the label is on; None until its state was reported for the first time.
    since : int
        Sample at which the label went on or off.
    pending_since : int or None
        Sample at which a change began that has not lasted long enough yet; None if there is none.
    reported_at : int
        Sample of the last report.
    """

    on: bool | None
    since: int
    pending_since: int | None = None
    reported_at: int = 0

    @property
    def at_rest(self) -> bool:
        """Whether the label is off with no pending change, so that a score below `on` has no effect."""
        return self.on is False and self.pending_since is None


@dataclass(frozen=True)
class Hysteresis:
    """Hysteresis over the scores of one label.

    While the label is off, a score of `on` or more begins a pending change; while it is on, a score below `off` does.
    The change is reported once it has lasted for the hold time. It is given up if a score passes the other threshold
    before. Times are in samples of the stream.

    Parameters
    ----------
    label : str
        Label that the scores belong to, as in the changes.
    on, off : float
        Upper and lower threshold, 0 <= off <= on <= 1.
    min_on_samples, min_off_samples : int
        Hold times: samples that a change to on, or to off, must last.
    update_samples : int
        Number of samples between two ``update`` reports.
    """

    label: str
    on: float
    off: float
    min_on_samples: int
    min_off_samples: int
    update_samples: int

    def init(self, origin: int, on: bool | None = None) -> HysteresisState:
        """Return the state at sample `origin`, with the label on or off; with None the first score is reported."""
        return HysteresisState(on, since=origin)

    def step(
        self, score: float, start: int, stop: int, state: HysteresisState
    ) -> tuple[Change | None, HysteresisState]:
        """Return the change that a new score leads to, if any, and the next state.

        Parameters
        ----------
        score : float
            Probability, 0 to 1.
        start, stop : int
            First sample that is new in this score, and one past the last.
        state : HysteresisState

        Returns
        -------
        change : Change or None
            Change to be reported; None if there is none.
        state : HysteresisState
        """
        state = self._with_pending(score, start, state)
        if state.pending_since is not None:
            needed = self.min_off_samples if state.on else self.min_on_samples
            if stop - state.pending_since >= needed:
                return self._report(not state.on, state.pending_since, score, stop, state)
        elif state.on is None:
            return self._report(False, state.since, score, stop, state)
        if state.on and stop - state.reported_at >= self.update_samples:
            return Change(self.label, "update", state.since, stop, score), replace(state, reported_at=stop)
        return None, state

    def end(
        self, score: float, since: int, at: int, state: HysteresisState
    ) -> tuple[Change | None, HysteresisState]:
        """Return an ``off`` since `since`, decided at `at`, or None if the label is not on; and the next state."""
        return self._report(False, since, score, at, state) if state.on else (None, state)

    def _with_pending(self, score: float, start: int, state: HysteresisState) -> HysteresisState:
        away, back = (
            (score < self.off, score >= self.on) if state.on else (score >= self.on, score < self.off)
        )
        if state.pending_since is None and away:
            return replace(state, pending_since=start)
        if state.pending_since is not None and back:
            return replace(state, pending_since=None)
        return state

    def _report(
        self, on: bool, since: int, score: float, at: int, state: HysteresisState
    ) -> tuple[Change, HysteresisState]:
        after = replace(state, on=on, since=since, pending_since=None, reported_at=at)
        return Change(self.label, "on" if on else "off", since, at, score), after
