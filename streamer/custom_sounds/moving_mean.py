"""Average the last items of a sequence, step by step."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.stage import Stage


class MovingMean(Stage):
    """Stage that gives, for each item, the mean of the last `window` items, that one included; of fewer at the start.

    Items are summed one after the other, so that the result is the same to the bit however the input was cut.

    Parameters
    ----------
    window : int
        Number of items that are averaged, 1 or more.
    size : int
        Number of values in an item.
    """

    def __init__(self, window: int, size: int) -> None:
        self._window = window
        self._size = size

    @property
    def hop(self) -> Fraction:
        return Fraction(1)

    @property
    def latency(self) -> Fraction:
        return Fraction(1)

    def init(self, batch: int = 1) -> State:
        held = np.zeros((batch, self._window - 1, self._size), np.float32)
        return held, np.zeros(batch, np.int64)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return a mean for each new item, and the next state.

        Parameters
        ----------
        x : float32 array, shape (batch, items, size)
        state : State
            The last ``window - 1`` items, zeros where there were fewer; and the number of items so far, up to `window`.

        Returns
        -------
        y : float32 array, shape of `x`
        state : State
        """
        held, before = state
        items = x.shape[1]
        history = np.concatenate([held, x], axis=1)
        y = history[:, :items].copy()
        for back in range(1, self._window):
            y += history[:, back : back + items]
        counts = np.minimum(before[:, None] + np.arange(1, items + 1), self._window)
        y /= counts[:, :, None].astype(np.float32)
        held[:] = history[:, items:]
        before[:] = np.minimum(before + items, self._window)
        return y, state

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, self._size), np.float32)
