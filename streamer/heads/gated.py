"""What runs only while a gate is open: opened to the exact item, with a pre-roll, whatever it hears."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.stage import Stage
from streamer.dsp.timeline import Timeline
from streamer.heads.head_decisions import HeadState
from streamer.heads.hysteresis import Change
from streamer.heads.results import HeadResult, HeadResults, Items


@dataclass(frozen=True)
class Switch:
    """A gate opens or closes at sample `at`, for what has stood so since sample `since`."""

    opens: bool
    since: int
    at: int


@dataclass
class GateState:
    """What goes on at a gate, and its switches that are not yet due."""

    going_on: set[str] = field(default_factory=set)
    switches: list[Switch] = field(default_factory=list)

    def hear(self, changes: Iterable[Change]) -> None:
        """Take what the gate's head says: it is open while any of its labels goes on."""
        for change in changes:
            was_open = bool(self.going_on)
            (self.going_on.discard if change.state == "off" else self.going_on.add)(change.label)
            if was_open != bool(self.going_on):
                self.switches.append(Switch(not was_open, change.since, change.at))

    def due(self, horizon: int) -> list[Switch]:
        """Take out the switches up to sample `horizon`."""
        due = [switch for switch in self.switches if switch.at <= horizon]
        self.switches = self.switches[len(due) :]
        return due


@dataclass
class _OpenHead:
    """A stage that hears, from its opening on."""

    state: State
    placement: Timeline
    head: HeadState
    given: int = 0


@dataclass
class GatedHeadState:
    """What a `GatedHead` carries.

    Attributes
    ----------
    held : array or None, shape (1, items, ...)
        The last items of the parent, for the next opening or not yet due.
    first : int
        Which item of the parent the first of them is.
    due : int
        Which item of the parent is heard next.
    running : _OpenHead or None
        None while the gate is closed.
    """

    held: Array | None = None
    first: int = 0
    due: int = 0
    running: _OpenHead | None = None


class GatedHead:
    """A stage with a head that hears its parent's items only while a gate is open.

    An opening at sample T takes effect between two items of the parent: those that stop before T are history,
    of which the last `pre_roll_items` are heard at once, without a word; from the next one on the head speaks.
    So what is said depends on the sound alone, whichever of gate and parent was computed first, and however
    the sound was cut.

    The pre-roll begins with an item that a step would have begun with had the stage heard everything, so it may be
    longer by less than a step: then steps fall together with those of what else hears in steps as long, and whoever
    waits for one has them all.

    Parameters
    ----------
    outlet : HeadResults
    stage : Stage
    parent : Timeline
        Of the items that it hears.
    pre_roll_items : int
        0 or more.
    settled_samples : int
        Sound that the parent's items must have heard before they mean anything.
    """

    def __init__(
        self, outlet: HeadResults, stage: Stage, parent: Timeline, pre_roll_items: int, settled_samples: int
    ) -> None:
        assert outlet.head.opened_by is not None  # else it would run always
        self.opened_by = outlet.head.opened_by
        self.outlet = outlet
        self._stage = stage
        self._parent = parent
        self._pre_roll_items = pre_roll_items
        self._hop_items = int(stage.hop)
        self._settled_samples = settled_samples

    def hold(self, items: Array, state: GatedHeadState) -> None:
        """Take what the parent gives out, to be heard when it is due."""
        state.held = items if state.held is None else np.concatenate([state.held, items], axis=1)

    def run(self, switches: Sequence[Switch], horizon: int, state: GatedHeadState) -> Calls[list[HeadResult]]:
        """Hear everything up to sample `horizon`, to which the gate's switches and the parent's items are known."""
        told: list[HeadResult] = []
        for switch in switches:
            told += yield from self._hear(self._parent.items_before(switch.at), None, state)
            if switch.opens:
                told += yield from self._open(switch, state)
            else:
                told += self.close(switch.at, state)
        told += yield from self._hear(self._parent.items_before(horizon + 1), None, state)
        self._forget(state)
        return told

    def next_stop(self, state: GatedHeadState) -> int | None:
        """Sample up to which what is said next reaches; None while the gate is closed."""
        running = state.running
        return running.placement.span(running.given)[1] if running else None

    def finish(self, switches: Sequence[Switch], end: int, state: GatedHeadState) -> list[HeadResult]:
        """Hear what is left when the sound ends at sample `end`."""
        told = run_alone(self.run(switches, end, state))
        if state.held is None:
            return told
        told += run_alone(self._hear(state.first + state.held.shape[1], end, state))
        if running := state.running:
            told += self._told(self._stage.flush(running.state), end, running)
        return told

    def close(self, at: int, state: GatedHeadState) -> list[HeadResult]:
        """Stop at sample `at`: what goes on ends, and so does listening."""
        if state.running is None:
            return []
        said = self.outlet.ended(at, state.running.head)
        state.running = None
        stopped = Change("", "off", at, at, 0.0)
        return [self.outlet.said(at, at, None, [*said.changes, stopped])]

    def _open(self, switch: Switch, state: GatedHeadState) -> Calls[list[HeadResult]]:
        first = self._pre_roll_from(state)
        origin = max(self._parent.span(first)[0], switch.since, self._settled_samples)
        running = _OpenHead(
            self._stage.init(),
            self._parent.after(self._stage, first),
            self.outlet.decisions.init(origin),
        )
        state.running = running
        if state.due > first:
            items = self._items(first, state.due, state)
            y, running.state = yield from self._stage.step_calls(items, running.state)
            running.given = y.shape[1]
        listening = Change("", "listening", min(origin, switch.at), switch.at, 0.0)
        return [self.outlet.said(switch.at, switch.at, None, [listening])]

    def _hear(self, until: int, end: int | None, state: GatedHeadState) -> Calls[list[HeadResult]]:
        """Hear the parent's items before item `until`, if the gate is open."""
        first, state.due = state.due, max(state.due, until)
        running = state.running
        if running is None or state.due == first:
            return []
        y, running.state = yield from self._stage.step_calls(
            self._items(first, state.due, state), running.state
        )
        return self._told(y, end, running)

    def _told(self, y: Array, end: int | None, running: _OpenHead) -> list[HeadResult]:
        items = Items(y[0], running.given, running.placement, end)
        running.given += y.shape[1]
        return self.outlet.told(items, running.head)

    @staticmethod
    def _items(first: int, stop: int, state: GatedHeadState) -> Array:
        assert state.held is not None  # there are items that are due
        return state.held[:, first - state.first : stop - state.first]

    def _pre_roll_from(self, state: GatedHeadState) -> int:
        """Which item of the parent an opening would hear first now."""
        first = max(0, state.due - self._pre_roll_items)
        return first - first % self._hop_items

    def _forget(self, state: GatedHeadState) -> None:
        """Drop what no opening can ask for any more."""
        drop = self._pre_roll_from(state) - state.first
        if drop > 0 and state.held is not None:
            state.held = state.held[:, drop:]
            state.first += drop
