"""Run a head, and the stages that only it needs, while its gate is open."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.arrays import Array, State
from streamer.dsp.model_calls import Calls
from streamer.dsp.stage import Stage
from streamer.dsp.timeline import Timeline
from streamer.heads.gating import Gated, GatedState, Switch
from streamer.heads.head_decisions import HeadState
from streamer.heads.hysteresis import Change
from streamer.heads.results import HeadResult, HeadResults, Items


@dataclass
class HeadRun:
    """State of a gated head while its gate is open.

    Attributes
    ----------
    state : State
        State of the stage.
    timeline : Timeline
        Positions of the stage's items.
    decisions : HeadState
    given : int
        Number of items that the stage has given out.
    """

    state: State
    timeline: Timeline
    decisions: HeadState
    given: int = 0


class GatedHead(Gated[HeadRun, HeadResult]):
    """Runs a stage and decides on its scores, beginning with a pre-roll for which it reports nothing.

    The pre-roll begins with an item that a step would have begun with had the stage run all the time, so it may be
    longer by less than a step. Then its steps fall together with those of other models whose steps are as long, and
    one call of the engine serves both.

    Parameters
    ----------
    results : HeadResults
        Makes the head's results; the head has a gate.
    stage : Stage
        The stages from the parent's items to scores.
    parent : Timeline
        Positions of the items that the stage takes.
    pre_roll_items : int
        0 or more.
    settled_samples : int
        Samples from the start of the sound before the parent's items mean anything.
    """

    def __init__(
        self, results: HeadResults, stage: Stage, parent: Timeline, pre_roll_items: int, settled_samples: int
    ) -> None:
        assert results.head.opened_by is not None  # otherwise it would run always
        self._hop_items = int(stage.hop)
        super().__init__(parent, history_items=pre_roll_items + self._hop_items - 1)
        self.opened_by = results.head.opened_by
        self.results = results
        self._stage = stage
        self._pre_roll_items = pre_roll_items
        self._settled_samples = settled_samples

    def next_stop(self, state: GatedState[HeadRun]) -> int | None:
        """Return the sample up to which the next result reaches; None while the gate is closed."""
        return state.run.timeline.span(state.run.given)[1] if state.run else None

    def _pre_roll_start(self, opening: int) -> int:
        first = max(0, opening - self._pre_roll_items)
        return first - first % self._hop_items

    def _open(
        self, pre_roll: Array | None, first: int, switch: Switch
    ) -> Calls[tuple[HeadRun, list[HeadResult]]]:
        origin = max(self._timeline.span(first)[0], switch.since, self._settled_samples)
        run = HeadRun(
            self._stage.init(),
            self._timeline.after(self._stage, first),
            self.results.decisions.init(origin),
        )
        if pre_roll is not None:
            y, run.state = yield from self._stage.step_calls(pre_roll, run.state)
            run.given = y.shape[1]
        listening = Change("", "listening", min(origin, switch.at), switch.at, 0.0)
        return run, [self.results.result(switch.at, switch.at, None, [listening])]

    def _process(self, items: Array, run: HeadRun) -> Calls[list[HeadResult]]:
        y, run.state = yield from self._stage.step_calls(items, run.state)
        return self._results(y, None, run)

    def _close(self, at: int, run: HeadRun) -> list[HeadResult]:
        closing = self.results.closing_result(at, run.decisions)
        stopped = Change("", "off", at, at, 0.0)
        return [self.results.result(at, at, None, [*closing.changes, stopped])]

    def _finish(self, items: Array | None, end: int, run: HeadRun) -> list[HeadResult]:
        results = []
        if items is not None:
            y, run.state = self._stage.step(items, run.state)
            results += self._results(y, end, run)
        return results + self._results(self._stage.flush(run.state), end, run)

    def _results(self, y: Array, end: int | None, run: HeadRun) -> list[HeadResult]:
        items = Items(y[0], run.given, run.timeline, end)
        run.given += y.shape[1]
        return self.results.results(items, run.decisions)
