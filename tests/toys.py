"""Small stages with simple arithmetic, to test the contract, Chain and offline on."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.stage import Stage


class MovingSum(Stage):
    """Sum of `width` items, every `hop_items`; right in every clause, and broken on purpose in subclasses."""

    def __init__(self, width: int = 5, hop_items: int = 3) -> None:
        self.width, self.hop_items = width, hop_items

    @property
    def hop(self) -> Fraction:
        return Fraction(self.hop_items)

    @property
    def latency(self) -> Fraction:
        return Fraction(self.width)

    def init(self, batch: int = 1) -> State:
        return np.zeros((batch, self.width)), np.zeros(batch, np.int64)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        pending, filled = state
        heard = np.concatenate([pending[:, : filled[0]], x], axis=1)
        frames = max(0, (heard.shape[1] - self.width) // self.hop_items + 1)
        starts = [k * self.hop_items for k in range(frames)]
        sums = [heard[:, start : start + self.width].sum(axis=1) for start in starts]
        rest = heard[:, frames * self.hop_items :]
        pending[:, : rest.shape[1]] = rest
        filled[:] = rest.shape[1]
        return np.stack(sums, axis=1) if sums else np.zeros((len(x), 0)), state

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0))


class Tail(MovingSum):
    """Gives the sum of what is left over at the end, if anything is."""

    def flush(self, state: State) -> Array:
        pending, filled = state
        return pending[:, : filled[0]].sum(axis=1, keepdims=True)[:, : min(1, filled[0])]


class Repeat(Stage):
    """Every item `times` times: a hop below one."""

    def __init__(self, times: int) -> None:
        self.times = times

    @property
    def hop(self) -> Fraction:
        return Fraction(1, self.times)

    @property
    def latency(self) -> Fraction:
        return Fraction(1)

    def init(self, batch: int = 1) -> State:
        return (np.zeros((batch, 0)),)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        return np.repeat(x, self.times, axis=1), state

    def flush(self, state: State) -> Array:
        return state[0]
