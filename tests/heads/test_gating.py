"""A gate opens and closes what it gates between the same items, however they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from streamer.arrays import Array, State
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.timeline import Timeline
from streamer.heads.gating import Gated, GatedState, GateState, Switch
from streamer.heads.hysteresis import Change
from streamer.heads.loudness import PowerAt


def test_a_gate_is_open_while_one_of_its_labels_goes_on() -> None:
    gate = GateState()
    opening = gate.switches([Change("music", "off", 0, 10, 0.1), Change("music", "on", 20, 50, 0.9)])
    assert opening == [Switch(True, 20, 50)]
    assert gate.switches([Change("music", "update", 20, 60, 0.9), Change("choir", "on", 50, 70, 0.9)]) == []
    assert gate.switches([Change("music", "off", 70, 90, 0.1)]) == []
    assert gate.switches([Change("choir", "off", 80, 95, 0.1)]) == [Switch(False, 80, 95)]


@dataclass
class ListedRun:
    """Items that a `Listed` was given since it opened."""

    items: list[int]


class Listed(Gated[ListedRun, tuple[str, list[int]]]):
    """Lists the items of its pre-roll, of each step and of the end; a pre-roll has 4 items."""

    def __init__(self, delay_samples: int) -> None:
        super().__init__(Timeline(), history_items=4, delay_samples=delay_samples)

    def _pre_roll_start(self, opening: int) -> int:
        return max(0, opening - 4)

    def _open(
        self, pre_roll: Array | None, first: int, switch: Switch, place: State
    ) -> Calls[tuple[ListedRun, list[tuple[str, list[int]]]]]:
        yield from ()
        items = [] if pre_roll is None else pre_roll[0].tolist()
        assert not items or first == items[0]
        return ListedRun([]), [("open", items)]

    def _process(self, items: Array, run: ListedRun, power_at: PowerAt) -> Calls[list[tuple[str, list[int]]]]:
        yield from ()
        run.items += items[0].tolist()
        return []

    def _close(self, at: int, run: ListedRun, power_at: PowerAt) -> list[tuple[str, list[int]]]:
        return [("close", run.items)]

    def _finish(
        self, items: Array | None, end: int, run: ListedRun, power_at: PowerAt
    ) -> list[tuple[str, list[int]]]:
        run.items += [] if items is None else items[0].tolist()
        return []


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 40])
@pytest.mark.parametrize("delay", [0, 1, 7])
def test_switches_are_carried_out_between_the_same_items_however_they_come(cut: int, delay: int) -> None:
    listed, state, found = Listed(delay), GatedState[ListedRun](), []
    switches = [
        Switch(True, 0, 3),
        Switch(False, 0, 9),
        Switch(True, 0, 12),
        Switch(False, 0, 13),
        Switch(True, 0, 21),
    ]
    for first in range(0, 40, cut):
        items = np.arange(first, min(first + cut, 40))
        listed.add(items[None], state)
        new = [switch for switch in switches if first < switch.at <= first + len(items)]
        found += run_alone(listed.advance(new, first + len(items), state))
        assert sum(piece.shape[1] for piece in state.pieces) < 4 + cut + delay
    found += listed.finish([], 40, state) + listed.close(40, state)
    opened = [max(0, at + delay - 1) for at in (3, 9, 12, 13, 21)]  # item k is complete at sample k + 1
    spans = [(opened[0], opened[1]), (opened[2], opened[3]), (opened[4], 40)]
    expected = []
    for start, stop in spans:
        expected += [("open", list(range(max(0, start - 4), start))), ("close", list(range(start, stop)))]
    assert found == expected
