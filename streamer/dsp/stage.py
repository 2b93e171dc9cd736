"""The Stage contract: one step function for live listening, files and training.

A stage turns a sequence of items (samples, frames, scores) into another sequence, block by block. A stage is immutable.
Everything that changes between two blocks is in its *state*, a flat tuple of arrays whose shapes and dtypes never
change. The first axis of every array, state included, is the batch: one row for each stream.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable
from fractions import Fraction
from itertools import pairwise

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.model_calls import Calls, StepResult, run_alone
from streamer.dsp.ragged import Ragged, joined, of_equal_length


class Stage(ABC):
    """Computation that turns a sequence of items into another, block by block, from past and present items only.

    Output items are *aligned*: item ``k`` describes the input from item ``k * hop`` on. It is given out as
    soon as ``k * hop + latency`` input items have come in, never later.
    """

    @property
    def key(self) -> Hashable:
        """Key of the computation: stages with equal keys give equal outputs for equal inputs.

        Of stages with equal keys, streams and heads share one. A stage that its constants fully describe returns its
        class and these constants. By default a stage equals only itself.
        """
        return self

    @property
    @abstractmethod
    def hop(self) -> Fraction:
        """Number of input items from one output item to the next."""

    @property
    @abstractmethod
    def latency(self) -> Fraction:
        """Largest number of input items that must come in before output item 0 is given out."""

    @abstractmethod
    def init(self, batch: int = 1) -> State:
        """Return the state of `batch` streams before their first item.

        Parameters
        ----------
        batch : int
            Number of streams that step together.

        Returns
        -------
        State
            Fresh arrays, each with `batch` as its first axis.
        """

    @abstractmethod
    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return the output items that a block completes, and the next state. A block may have any length, 0 included.

        Parameters
        ----------
        x : Array, shape (batch, items, ...)
            The next input items. Never changed.
        state : State
            State from `init` or the last `step`. The caller must not use it again: `step` may overwrite its arrays
            and return them as the next state.

        Returns
        -------
        y : Array, shape (batch, items_out, ...)
            The output items that are now complete, possibly none.
        state : State
            The state for the next block.
        """

    def step_calls(self, x: Array, state: State) -> Calls[StepResult]:
        """Return a generator that does a `step`, and yields each model call so that the caller can run it in a batch.

        Parameters
        ----------
        x : Array, shape (batch, items, ...)
            The next input items, as for `step`.
        state : State
            The state before them, as for `step`.

        Yields
        ------
        ModelCall
            A call that the stage cannot go on without; the caller sends its result back. A stage that runs no
            model yields nothing.

        Returns
        -------
        StepResult
            What `step` returns.
        """
        yield from ()
        return self.step(x, state)

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:
        """Do a `step` of some streams of a state, each with a block of its own length; update the state.

        Parameters
        ----------
        x : Ragged
            The next input items of each of `rows`. Never changed.
        state : State
            State of at least these streams, from `init`; that of `rows` is written over.
        rows : int array, shape (streams,)
            Rows of the state, each once.

        Returns
        -------
        Ragged
            The output items that are now complete, for each of `rows`.
        """
        outputs = []
        for n, row in enumerate(rows.tolist()):
            own = tuple(array[row : row + 1] for array in state)
            y, after = self.step(x.of(n), own)
            for array, value in zip(own, after, strict=True):
                array[...] = value
            outputs.append(y[0])
        return joined(outputs)

    def step_rows_calls(self, x: Ragged, state: State, rows: Array) -> Calls[Ragged]:
        """Return a generator that does `step_rows`, and yields model calls as `step_calls` does."""
        yield from ()
        return self.step_rows(x, state, rows)

    @abstractmethod
    def flush(self, state: State) -> Array:
        """Return the output items that the end of the input completes.

        Parameters
        ----------
        state : State
            State after the last block. It must not be used again.

        Returns
        -------
        Array, shape (batch, items_out, ...)
            The remaining output items, possibly none.
        """


class Chain(Stage):
    """Stages in sequence, as one stage.

    Parameters
    ----------
    *stages : Stage
        At least one. The outputs of a stage are the inputs of the next one.

    Raises
    ------
    ValueError
        If there is no stage.
    """

    def __init__(self, *stages: Stage) -> None:
        if not stages:
            raise ValueError("Chain() got no stages; expected at least one")
        self._stages = stages
        widths = [len(stage.init()) for stage in stages]
        edges = np.cumsum([0, *widths]).tolist()
        self._slices = [slice(a, b) for a, b in pairwise(edges)]

    @property
    def key(self) -> Hashable:
        return (Chain, *(stage.key for stage in self._stages))

    @property
    def hop(self) -> Fraction:
        return math.prod((stage.hop for stage in self._stages), start=Fraction(1))

    @property
    def latency(self) -> Fraction:
        # Item k of a stage needs item k * hop + latency - 1 of the stage before it.
        latency, hop = Fraction(1), Fraction(1)
        for stage in self._stages:
            latency += (stage.latency - 1) * hop
            hop *= stage.hop
        return latency

    def init(self, batch: int = 1) -> State:
        return tuple(array for stage in self._stages for array in stage.init(batch))

    def step(self, x: Array, state: State) -> StepResult:
        return run_alone(self.step_calls(x, state))

    def step_calls(self, x: Array, state: State) -> Calls[StepResult]:
        after: list[Array] = []
        for stage, part in zip(self._stages, self._slices, strict=True):
            x, stage_state = yield from stage.step_calls(x, state[part])
            after.extend(stage_state)
        return x, tuple(after)

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:
        return run_alone(self.step_rows_calls(x, state, rows))

    def step_rows_calls(self, x: Ragged, state: State, rows: Array) -> Calls[Ragged]:
        for stage, part in zip(self._stages, self._slices, strict=True):
            faults = x.faults
            x = yield from stage.step_rows_calls(x, state[part], rows)
            x = x._replace(faults={**faults, **x.faults}) if faults else x
        return x

    def flush(self, state: State) -> Array:
        rest: Array | None = None
        for stage, part in zip(self._stages, self._slices, strict=True):
            own = state[part]
            if rest is None:
                rest = stage.flush(own)
            else:
                # What the stages before this one gave out at the end is still input to it.
                last, own = stage.step(rest, own)
                rest = np.concatenate([last, stage.flush(own)], axis=1)
        assert rest is not None  # there is at least one stage
        return rest


def step_by_rows(stage: Stage, x: Array, state: State) -> StepResult:
    """Return what `Stage.step` does, for a stage that defines `step_rows`."""
    return np.ascontiguousarray(stage.step_rows(of_equal_length(x), state, np.arange(len(x))).values), state


def offline(stage: Stage, x: Array) -> Array:
    """Return all outputs of a stage for a whole input: those of one `step` from `init`, then those of `flush`.

    Parameters
    ----------
    stage : Stage
        Any stage.
    x : Array, shape (batch, items, ...)
        The whole input.

    Returns
    -------
    Array, shape (batch, items_out, ...)
        All output items.
    """
    y, state = stage.step(x, stage.init(x.shape[0]))
    return np.concatenate([y, stage.flush(state)], axis=1)
