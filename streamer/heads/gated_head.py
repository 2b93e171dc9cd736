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
from streamer.heads.loudness import PowerAt
from streamer.heads.results import HeadResult, HeadResults, Items


@dataclass
class HeadRun:
    """State of a gated head while its gate is open.

    Attributes
    ----------
    state : State
        State of the stage that the head runs.
    timeline : Timeline
        Timeline that places the stage's output items, which are vectors of scores, on the captured samples.
    decisions : HeadState
        State of the head's decisions.
    given : int
        Number of output items since the gate opened.
    """

    state: State
    timeline: Timeline
    decisions: HeadState
    given: int = 0


class GatedHead(Gated[HeadRun, HeadResult]):
    """Runs a stage and decides on its scores, beginning with a pre-roll for which it reports nothing.

    The pre-roll begins at an item at which a step begins if steps are counted from the start of the sound. For this it
    is lengthened by less than a step. So the steps of this head fall together with those of other models whose steps
    are as long, and the engine wakes once for both.

    Parameters
    ----------
    results : HeadResults
        Maker of the head's results. The head must have a gate.
    stage : Stage
        Stage from the parent's items to scores.
    parent : Timeline
        Positions of the parent's items, which the stage takes.
    pre_roll_items : int
        Number of items in the pre-roll, 0 or more.
    settled_samples : int
        Number of samples from the start of the sound after which the parent's items are meaningful.
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
        """Return the `stop` of the head's next result, a sample index; None while the gate is closed."""
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

    def _process(self, items: Array, run: HeadRun, power_at: PowerAt) -> Calls[list[HeadResult]]:
        y, run.state = yield from self._stage.step_calls(items, run.state)
        return self._results(y, None, run, power_at)

    def _close(
        self,
        at: int,
        run: HeadRun,
        power_at: PowerAt,  # noqa: ARG002 - what ends needs no floor
    ) -> list[HeadResult]:
        closing = self.results.closing_result(at, run.decisions)
        stopped = Change("", "off", at, at, 0.0)
        return [self.results.result(at, at, None, [*closing.changes, stopped])]

    def _finish(self, items: Array | None, end: int, run: HeadRun, power_at: PowerAt) -> list[HeadResult]:
        results = []
        if items is not None:
            y, run.state = self._stage.step(items, run.state)
            results += self._results(y, end, run, power_at)
        return results + self._results(self._stage.flush(run.state), end, run, power_at)

    def _results(self, y: Array, end: int | None, run: HeadRun, power_at: PowerAt) -> list[HeadResult]:
        items = Items(y[0], run.given, run.timeline, end)
        run.given += y.shape[1]
        return self.results.results(items, run.decisions, power_at)
