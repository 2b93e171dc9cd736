"""Run work only while a gate is open: from an exact item on, after a pre-roll. Heads and the separation both use it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.timeline import Timeline
from streamer.heads.hysteresis import Change
from streamer.heads.loudness import PowerAt, no_floor

RunT = TypeVar("RunT")
"""State of the work while the gate is open."""
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Switch:
    """An opening or closing of a gate that was decided at sample `at`; its cause began, or ended, at sample `since`."""

    opens: bool
    since: int
    at: int


@dataclass
class GateState:
    """The labels of a gate's head that are on; the gate is open while at least one is."""

    labels: set[str] = field(default_factory=set)

    def switches(self, changes: Iterable[Change]) -> list[Switch]:
        """Update the labels by changes of the gate's head, and return the openings and closings that follow."""
        switches = []
        for change in changes:
            was_open = bool(self.labels)
            (self.labels.discard if change.state == "off" else self.labels.add)(change.label)
            if was_open != bool(self.labels):
                switches.append(Switch(not was_open, change.since, change.at))
        return switches


@dataclass
class GatedState(Generic[RunT]):
    """State of a `Gated`.

    Attributes
    ----------
    pieces : deque of array, shape (1, items, ...)
        Items in the pieces in which `Gated.add` got them: history for an opening, and items that are not due yet.
    first, stop : int
        Index of the first item in `pieces`, and one past the last.
    next : int
        Index of the item that is processed next.
    switches : deque of Switch
        Openings and closings that are not due yet.
    run : RunT or None
        State of the work; None while the gate is closed.
    place : State
        Arrays, of one row each, in which the work keeps its state while the gate is open.
    power_at : callable
        Tells the power of the sound before a sample, for the floor of decisions: see `PowerAt`.
    """

    pieces: deque[Array] = field(default_factory=deque)
    first: int = 0
    stop: int = 0
    next: int = 0
    switches: deque[Switch] = field(default_factory=deque)
    run: RunT | None = None
    place: State = ()
    power_at: PowerAt = no_floor


class Gated(ABC, Generic[RunT, ResultT]):
    """Work on a sequence of items that runs only while a gate is open.

    An opening or closing takes effect between two items: items that stop before its sample are processed before it, and
    the next item is the first one after it. So the results depend on the sound alone, whichever of gate and items was
    computed first, and however the sound was cut into blocks.

    A subclass says how the work opens, processes items, closes, and finishes with the sound.

    Parameters
    ----------
    timeline : Timeline
        Positions of the items on the sample clock.
    history_items : int
        Number of items to keep, so that they are there for the pre-roll of an opening.
    delay_samples : int
        An opening or closing that was decided at sample T takes effect at T + `delay_samples`.
    """

    def __init__(self, timeline: Timeline, history_items: int, delay_samples: int = 0) -> None:
        self._timeline = timeline
        self._history_items = history_items
        self._delay_samples = delay_samples

    def add(self, items: Array, state: GatedState[RunT]) -> None:
        """Append the next items, shape (1, items, ...); `advance` processes them once they are due."""
        state.pieces.append(items)
        state.stop += items.shape[1]

    def stays(self, switches: Sequence[Switch], state: GatedState[RunT]) -> bool:
        """Return whether the gate stays open, or closed, by these latest switches and all that were not due yet."""
        return not switches and not state.switches

    def take(self, known_until: int, state: GatedState[RunT]) -> Array | None:
        """Go past the items up to `known_until`, as `advance` does where the gate stays as it is, and return them.

        Returns
        -------
        array, shape (1, items, ...), or None
            Items to process; None if no item is due, or the gate is closed.
        """
        items = self._take_before(self._timeline.items_before(known_until + 1), state)
        self._forget(state)
        return items

    def advance(
        self, switches: Sequence[Switch], known_until: int, state: GatedState[RunT]
    ) -> Calls[list[ResultT]]:
        """Process all items up to `known_until`, and open and close the work as the gate does.

        Parameters
        ----------
        switches : sequence of Switch
            Openings and closings of the gate since the last call.
        known_until : int
            Sample up to which all items and switches are known.
        state : GatedState
            State of this work, which is updated.

        Returns
        -------
        generator
            Generator that yields model calls and returns a list of results.
        """
        state.switches.extend(switches)
        results: list[ResultT] = []
        while state.switches and state.switches[0].at + self._delay_samples <= known_until:
            switch = state.switches.popleft()
            due = self._timeline.items_before(switch.at + self._delay_samples)
            results += yield from self._process_before(due, state)
            if switch.opens:
                first = self._pre_roll_start(state.next)
                pre_roll = self._items(first, state.next, state)
                state.run, opening = yield from self._open(pre_roll, first, switch, state.place)
                results += opening
            else:
                results += self.close(switch.at, state)
        results += yield from self._process_before(self._timeline.items_before(known_until + 1), state)
        self._forget(state)
        return results

    def finish(self, switches: Sequence[Switch], end: int, state: GatedState[RunT]) -> list[ResultT]:
        """Process all items that are left when the sound ends at sample `end`; return the results. Close nothing."""
        results = run_alone(self.advance(switches, end, state))
        if state.run is not None:
            results += self._finish(
                self._items(state.next, state.stop, state), end, state.run, state.power_at
            )
        return results

    def close(self, at: int, state: GatedState[RunT]) -> list[ResultT]:
        """Stop the work at sample `at`, if it runs, and return the results of that."""
        run, state.run = state.run, None
        return [] if run is None else self._close(at, run, state.power_at)

    @abstractmethod
    def _pre_roll_start(self, opening: int) -> int:
        """Return the first item of the pre-roll of an opening before item `opening`."""

    @abstractmethod
    def _open(
        self, pre_roll: Array | None, first: int, switch: Switch, place: State
    ) -> Calls[tuple[RunT, list[ResultT]]]:
        """Begin the work.

        Parameters
        ----------
        pre_roll : array, shape (1, items, ...), or None
            Items from before the opening; None where there are none.
        first : int
            Index of the first of them, or else of the next item.
        switch : Switch
        place : State
            Arrays in which the work may keep its state; see `GatedState`.

        Returns
        -------
        generator
            Yields model calls; returns the state of the work and the results of the opening.
        """

    @abstractmethod
    def _process(self, items: Array, run: RunT, power_at: PowerAt) -> Calls[list[ResultT]]:
        """Process the next items, shape (1, items, ...); `run` is updated."""

    @abstractmethod
    def _close(self, at: int, run: RunT, power_at: PowerAt) -> list[ResultT]:
        """Stop the work at sample `at`; its state is of no use afterwards."""

    @abstractmethod
    def _finish(self, items: Array | None, end: int, run: RunT, power_at: PowerAt) -> list[ResultT]:
        """Process the last items of a sound that ends at sample `end`, and give all that they complete."""

    def _process_before(self, due: int, state: GatedState[RunT]) -> Calls[list[ResultT]]:
        """Pass the items before item `due`, and process them if the gate is open."""
        items = self._take_before(due, state)
        if items is None or state.run is None:
            return []
        return (yield from self._process(items, state.run, state.power_at))

    def _take_before(self, due: int, state: GatedState[RunT]) -> Array | None:
        first, state.next = state.next, max(state.next, due)
        return None if state.run is None else self._items(first, state.next, state)

    @staticmethod
    def _items(first: int, stop: int, state: GatedState[RunT]) -> Array | None:
        """Join the items from `first` to `stop`; None if there are none."""
        parts: list[Array] = []
        piece_stop = state.stop
        for piece in reversed(state.pieces):  # the newest are asked for most
            if piece_stop <= first:
                break
            piece_start = piece_stop - piece.shape[1]
            part = piece[:, max(0, first - piece_start) : max(0, stop - piece_start)]
            if part.shape[1]:
                parts.append(part)
            piece_stop = piece_start
        if len(parts) < 2:
            return parts[0] if parts else None
        return np.concatenate(parts[::-1], axis=1)

    def _forget(self, state: GatedState[RunT]) -> None:
        """Drop pieces of which no opening can need an item any more."""
        needed = state.next - self._history_items
        while state.pieces and state.first + state.pieces[0].shape[1] <= needed:
            state.first += state.pieces.popleft().shape[1]
