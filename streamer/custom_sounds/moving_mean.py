"""The mean of what was just heard, step by step."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.stage import Stage


class MovingMean(Stage):
    """Each item's mean with those before it, up to `window` of them; fewer where fewer were heard.

    Items are added one after the other, so that the cutting of the input does not change a bit.

    Parameters
    ----------
    window : int
        Items, 1 or more.
    size : int
        Numbers in an item.
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
        """Take items, give as many means.

        Parameters
        ----------
        x : float32 array, shape (batch, items, size)
        state : State
            The items before, zeros where there were none, and how many there were, up to the window's.

        Returns
        -------
        y : float32 array, shape of `x`
        state : State
        """
        held, heard = state
        items = x.shape[1]
        history = np.concatenate([held, x], axis=1)
        y = history[:, :items].copy()
        for back in range(1, self._window):
            y += history[:, back : back + items]
        counts = np.minimum(heard[:, None] + np.arange(1, items + 1), self._window)
        y /= counts[:, :, None].astype(np.float32)
        held[:] = history[:, items:]
        heard[:] = np.minimum(heard + items, self._window)
        return y, state

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, self._size), np.float32)
