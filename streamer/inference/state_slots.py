"""State slots: the model states of streams that step together lie in rows of the same arrays."""

from __future__ import annotations

import heapq
import weakref
from collections.abc import Sequence

import numpy as np

from streamer.arrays import State
from streamer.dsp.model_calls import BatchModel, Slot


class SlotBank:
    """State arrays of one model with `max_batch` rows, each for one stream.

    Parameters
    ----------
    model : BatchModel
        Model that the states belong to.
    like : State
        The state of one stream, which gives the shapes.

    Attributes
    ----------
    free : list of int
        Numbers of the rows that belong to no stream, as a heap of `heapq`.
    """

    def __init__(self, model: BatchModel, like: State) -> None:
        self._arrays = model.allocate_state(model.max_batch, like)
        self.rows = model.max_batch
        self.free = list(range(model.max_batch))

    @property
    def empty(self) -> bool:
        """Whether all rows of the bank are free."""
        return len(self.free) == self.rows

    def put(self, state: State) -> tuple[int, State]:
        """Copy a stream's state into the lowest free row; return the row number, and views of the row's arrays."""
        row = heapq.heappop(self.free)
        views = tuple(array[row : row + 1] for array in self._arrays)
        for view, value in zip(views, state, strict=True):
            view[...] = value
        return row, views

    def load(self, rows: Sequence[int]) -> State:
        """Return the states in `rows`, numbers in increasing order: views if the rows are adjacent, else copies."""
        where = _index(rows)
        return tuple(array[where] for array in self._arrays)

    def store(self, rows: Sequence[int], state: State) -> None:
        """Replace the states in `rows`, numbers in increasing order, by the entries of `state` along the first axis."""
        where = _index(rows)
        for array, value in zip(self._arrays, state, strict=True):
            array[where] = value


def _index(rows: Sequence[int]) -> slice | np.ndarray[tuple[int], np.dtype[np.intp]]:
    first, last = rows[0], rows[-1]
    # Adjacent rows are used where they lie; only others cost a copy.
    return slice(first, last + 1) if last - first == len(rows) - 1 else np.array(rows)


class StateSlots:
    """The state slots of one model, in as many banks as are needed.

    Parameters
    ----------
    model : BatchModel
        Model that the states belong to; its `max_batch` is the number of rows of a bank.
    """

    def __init__(self, model: BatchModel) -> None:
        self._model = model
        self._banks: list[SlotBank] = []

    def take(self, state: State) -> tuple[Slot, State]:
        """Copy a stream's state into a free state slot; the slot is free again once nothing refers to its object.

        Parameters
        ----------
        state : State
            State of one stream; at least one array.

        Returns
        -------
        slot : Slot
            To be kept for as long as the state is used.
        state : State
            Views of the slot's row, with the same values: stepping overwrites them.
        """
        # The first bank with a free row: states that lie close together step without being copied.
        bank = next((bank for bank in self._banks if bank.free), None)
        if bank is None:
            bank = SlotBank(self._model, state)
            self._banks.append(bank)
        row, views = bank.put(state)
        slot = Slot(bank, row)
        # A stream forgets its states in many ways (a gate closes, a gap, its end), and none of them has to announce it.
        weakref.finalize(slot, self._release, bank, row).atexit = False
        return slot, views

    def _release(self, bank: SlotBank, row: int) -> None:
        heapq.heappush(bank.free, row)
        if bank.empty:
            self._banks.remove(bank)
