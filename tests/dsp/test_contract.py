"""Test that the contract finds faults: each stage here breaks one clause."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from streamer.arrays import Array, State
from streamer.dsp.ragged import Ragged
from tests import contract
from tests.toys import MovingSum


@pytest.fixture
def x() -> Array:
    return np.random.default_rng(0).standard_normal((2, 100))


class LooksAhead(MovingSum):
    """A faulty stage that removes the level of the whole block from every item."""

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, state = super().step(x, state)
        return y - x.sum(), state


class PeeksAtTheNext(MovingSum):
    """A faulty stage that mixes in a little of the next item if the block already has it."""

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, state = super().step(x, state)
        y[:, :-1] += 0.001 * y[:, 1:]
        return y, state


class KeepsOnSelf(MovingSum):
    """A faulty stage that keeps its history outside the state."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0.0

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, state = super().step(x, state)
        self.total += x.sum()
        return y + self.total, state


class DropsTheRemainder(MovingSum):
    """A faulty stage that forgets samples that did not fill a window."""

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, state = super().step(x, state)
        state[1][:] = 0
        return y, state


class SaysTooLittle(MovingSum):
    @property
    def latency(self) -> Fraction:
        return Fraction(self.width - 1)


class SaysTooMuch(MovingSum):
    @property
    def latency(self) -> Fraction:
        return Fraction(self.width + 2)


class WritesToItsInput(MovingSum):
    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, state = super().step(x, state)
        x *= 0.5
        return y, state


class LeaksBetweenSlots(MovingSum):
    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, state = super().step(x, state)
        return y + 0.1 * y.mean(axis=0), state


class ChangesStateType(MovingSum):
    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, (pending, filled) = super().step(x, state)
        return y, (pending.astype(np.float32), filled)


class ChangesStateShape(MovingSum):
    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, (pending, filled) = super().step(x, state)
        return y, (np.pad(pending, ((0, 0), (0, 1))), filled)


class SharesState(MovingSum):
    def __init__(self) -> None:
        super().__init__()
        self.zeros = np.zeros((3, self.width))

    def init(self, batch: int = 1) -> State:
        return self.zeros[:batch], np.zeros(batch, np.int64)


class ReusesItsOutput(MovingSum):
    """A faulty stage that writes every output into the same array."""

    def __init__(self) -> None:
        super().__init__()
        self.out = np.zeros((3, 100))

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, state = super().step(x, state)
        out = self.out[: len(y), : y.shape[1]]
        out[:] = y
        return out, state


class ChangesOutputType(MovingSum):
    """A faulty stage whose empty output has another dtype."""

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        y, state = super().step(x, state)
        return (y if y.shape[1] else y.astype(np.float32)), state


class ReadsBehindTheEnd(MovingSum):
    """A faulty stage that takes what lies behind the items of a shorter row for more of them."""

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:
        return super().step_rows(x._replace(counts=np.full(len(rows), x.most)), state, rows)


class StepsAllRows(MovingSum):
    """A faulty stage that changes the state of rows that have nothing new."""

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:
        y = super().step_rows(x, state, rows)
        state[1][:] = state[1][rows[0]]
        return y


def test_a_right_stage_passes(x: Array) -> None:
    contract.check_stage(MovingSum(), x)


@pytest.mark.parametrize(
    ("check", "stage", "message"),
    [
        (contract.check_future, LooksAhead(), "with the input from item .* on changed: values differ"),
        (contract.check_future, PeeksAtTheNext(), "with the input from item .* on changed: values differ"),
        (contract.check_impulse, PeeksAtTheNext(), "moves item .*, which was due before: it looks ahead"),
        (contract.check_cuttings, LooksAhead(), "cut into blocks of 1: values differ"),
        (contract.check_reset, KeepsOnSelf(), "started anew from init.*values differ"),
        (contract.check_interleaved, KeepsOnSelf(), "interleaved stream 0: values differ"),
        (contract.check_cuttings, DropsTheRemainder(), "cut into blocks of 1: shape .* expected"),
        (contract.check_latency, SaysTooLittle(), "0 items out after 4 inputs, 1 are due"),
        (contract.check_latency, SaysTooMuch(), "declared latency 7, measured 5"),
        (contract.check_impulse, SaysTooLittle(), "looks ahead of its declared latency 4"),
        (contract.check_impulse, SaysTooMuch(), "declared latency 7, measured with an impulse"),
        (contract.check_input_unchanged, WritesToItsInput(), "the input was changed"),
        (contract.check_batch, LeaksBetweenSlots(), "slot 0 beside another neighbour: values differ"),
        (contract.check_rows, ReadsBehindTheEnd(), "row .* beside others: "),
        (
            contract.check_rows,
            StepsAllRows(),
            "row .* beside others: |of a row that does not step was changed",
        ),
        (contract.check_state, ChangesStateType(), "state changed its form .*float64.* to .*float32"),
        (contract.check_state, ChangesStateShape(), r"state changed its form .*\(1, 5\).* to .*\(1, 7\)"),
        (contract.check_state, ChangesOutputType(), "step gave items float64.*; expected float32"),
        (contract.check_state, SharesState(), "state 0 is shared between two init"),
        (contract.check_outputs_stay, ReusesItsOutput(), "was changed by a later step"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, MovingSum) else None,
)
def test_a_broken_stage_is_caught(check, stage: MovingSum, message: str, x: Array) -> None:
    with pytest.raises(AssertionError, match=message):
        check(stage, x)


def test_slack_allows_a_bound_but_no_lateness(x: Array) -> None:
    contract.check_stage(SaysTooMuch(), x, slack=2)
    with pytest.raises(AssertionError, match="declared latency 7, measured 5"):
        contract.check_stage(SaysTooMuch(), x, slack=1)
    with pytest.raises(AssertionError, match="1 are due"):
        contract.check_stage(SaysTooLittle(), x, slack=10)
