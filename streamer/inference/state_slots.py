"""The states of one graph's streams, each in a row of arrays of its own: what steps together lies together."""

from __future__ import annotations

import heapq
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.model_calls import BatchModel


class SlotBank:
    """Arrays of as many rows as a graph takes at once.

    Parameters
    ----------
    graph : BatchModel
    like : State
        Of a stream.
    """

    def __init__(self, graph: BatchModel, like: State) -> None:
        self._graph = graph
        self._arrays = graph.allocate_state(graph.max_batch, like)
        self.free = list(range(graph.max_batch))  # a heap

    @property
    def empty(self) -> bool:
        """Whether no row is taken."""
        return len(self.free) == self._graph.max_batch

    def put(self, state: State) -> tuple[int, State]:
        """Copy a state into the lowest free row; gives the row, and its arrays."""
        row = heapq.heappop(self.free)
        inside = tuple(array[row : row + 1] for array in self._arrays)
        for array, value in zip(inside, state, strict=True):
            array[...] = value
        return row, inside

    def run(self, x: Array, rows: Sequence[int]) -> Array:
        """Step the streams of some rows, whose states are written over.

        Parameters
        ----------
        x : Array, shape (len(rows), items, ...)
        rows : sequence of int
            Each greater than the one before.

        Returns
        -------
        Array, shape (len(rows), items_out, ...)
        """
        # The first rows are used where they lie; others are gathered.
        where = slice(len(rows)) if rows[-1] == len(rows) - 1 else np.array(rows)
        y, after = self._graph.run(x, tuple(array[where] for array in self._arrays))
        for array, value in zip(self._arrays, after, strict=True):
            array[where] = value
        return y


@dataclass(frozen=True)
class Slot:
    """Where a stream's state lies."""

    bank: SlotBank
    row: int


class StateSlots:
    """Banks for the states of one graph's streams, as many as it takes.

    Parameters
    ----------
    graph : BatchModel
    """

    def __init__(self, graph: BatchModel) -> None:
        self._graph = graph
        self._banks: list[SlotBank] = []
        self._slots: dict[int, Slot] = {}

    def find(self, state: State) -> Slot | None:
        """Where a state lies, if it is in a slot."""
        return self._slots.get(id(state[0]))

    def take_in(self, state: State) -> tuple[Slot, State]:
        """Move a stream's state into a slot, which is free again as soon as what is given is forgotten.

        Parameters
        ----------
        state : State
            At least one array.

        Returns
        -------
        slot : Slot
        state : State
            The slot itself, as arrays of one stream: stepping writes into them.
        """
        bank = next((bank for bank in self._banks if bank.free), None)
        if bank is None:
            bank = SlotBank(self._graph, state)
            self._banks.append(bank)
        row, inside = bank.put(state)
        slot, key = Slot(bank, row), id(inside[0])
        self._slots[key] = slot
        weakref.finalize(inside[0], partial(self._leave, key)).atexit = False
        return slot, inside

    def _leave(self, key: int) -> None:
        slot = self._slots.pop(key)
        heapq.heappush(slot.bank.free, slot.row)
        if slot.bank.empty:
            self._banks.remove(slot.bank)
