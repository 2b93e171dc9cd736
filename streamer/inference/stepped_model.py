"""Models that advance in whole steps, for any number of streams in one call."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.model_calls import Calls, ModelCall, StepResult, run_alone
from streamer.dsp.ragged import Ragged, allocated, most_of, of_equal_length
from streamer.inference.model import Model
from streamer.kernels.kernel import helper, kernel


class SteppedModel(Model):
    """Model that turns frames into scores, embeddings or masks, in one step for every `hop_frames` frames.

    The state holds the frames that do not yet make a whole step, the number of these frames, and the network's own
    state: arrays in the manifest's order.
    """

    @abstractmethod
    def run(self, x: Array, state: State) -> StepResult:
        """Run the network for whole steps, and return its outputs and next state.

        Parameters
        ----------
        x : float32 array, shape (batch, steps * hop_frames, input_size)
        state : tuple of array
            State of the network.

        Returns
        -------
        y : float32 array, shape (batch, steps, output_size)
        state : tuple of array
        """

    def allocate_state(self, streams: int, like: State) -> State:
        return tuple(np.empty((streams, *array.shape[1:]), array.dtype) for array in like)

    def init_model_state(self, batch: int = 1) -> State:
        """Return the network's state of `batch` streams before their first frame, as `run` takes it."""
        return tuple(np.zeros((batch, *s.shape), s.dtype) for s in self.manifest.states)

    def init(self, batch: int = 1) -> State:
        m = self.manifest
        held = np.zeros((batch, m.hop_frames - 1, m.input_size), np.float32)
        return held, np.zeros(batch, np.int64), *self.init_model_state(batch)

    def step(self, x: Array, state: State) -> StepResult:
        """Return the outputs that new frames complete, and the next state.

        Parameters
        ----------
        x : float32 array, shape (batch, frames, input_size)
            Log-mel frames, embeddings of an embedding model, or spectra.
        state : State

        Returns
        -------
        y : float32 array, shape (batch, steps, output_size)
            Probabilities from 0 to 1, embeddings, or masks and a probability.
        state : State

        Raises
        ------
        Exception
            If the model fails, for the first stream for which it does.
        """
        return run_alone(self.step_calls(x, state))

    def step_calls(self, x: Array, state: State) -> Calls[StepResult]:
        y = yield from self.step_rows_calls(of_equal_length(x), state, np.arange(len(x)))
        if y.faults:
            raise y.faults[min(y.faults)]
        return y.values, state

    def step_rows(self, x: Ragged, state: State, rows: Array) -> Ragged:
        return run_alone(self.step_rows_calls(x, state, rows))

    def step_rows_calls(self, x: Ragged, state: State, rows: Array) -> Calls[Ragged]:
        hop, input_size, output_size = self._sizes
        held, filled, *own = state
        whole, steps = allocated(len(rows), (x.most // hop + 1) * hop, input_size)
        take_whole_steps(x.values, x.counts, rows, held, filled, hop, whole, steps)
        y = np.empty((len(rows), most_of(steps), output_size), np.float32)
        if not y.shape[1]:
            return Ragged(y, steps)
        due = self._due(whole, steps, rows, tuple(own))
        answers = yield [call for _, call in due]
        faults: dict[int, Exception] = {}
        for (places, call), answer in zip(due, answers, strict=True):
            if answer.faults:
                of_streams = np.arange(len(rows))[places].tolist()
                faults |= {of_streams[n]: error for n, error in answer.faults.items()}
            if len(answer.faults) < len(call.rows):
                y[places, : answer.y.shape[1]] = answer.y
        if faults:
            steps[list(faults)] = 0
        return Ragged(y, steps, faults)

    @cached_property
    def _sizes(self) -> tuple[int, int, int]:
        """Frames of a step, and the sizes of an input and an output item; the manifest finds them anew each time."""
        return self.manifest.hop_frames, self.manifest.input_size, self.manifest.output_size

    def _due(
        self, whole: Array, steps: Array, rows: Array, state: State
    ) -> list[tuple[slice | Array, ModelCall]]:
        """Return a call for all streams that are due for as many steps, with the places of these streams in `rows`."""
        hop = self._sizes[0]
        counts = sorted({*steps.tolist()} - {0})
        if len(counts) == 1 and steps.all():
            return [(slice(None), ModelCall(self, whole[:, : counts[0] * hop], state, rows))]
        places = [(steps == count).nonzero()[0] for count in counts]
        return [
            (own, ModelCall(self, whole[own, : count * hop], state, rows[own]))
            for count, own in zip(counts, places, strict=True)
        ]

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, self.manifest.output_size), np.float32)


@kernel(
    "const float32[:,:,:], const int64[:], const int64[:], float32[:,:,:], int64[:], int, float32[:,:,:], int64[:]"
)
def take_whole_steps(
    x: Array, counts: Array, rows: Array, held: Array, filled: Array, hop: int, whole: Array, steps: Array
) -> None:
    """Fill `whole` with the frames of whole steps of each row, held ones first, and `steps` with their number.

    What is left is held.
    """
    for n in range(len(rows)):
        row, before, count = rows[n], filled[rows[n]], counts[n]
        steps[n] = (before + count) // hop
        taken = steps[n] * hop
        if taken == 0:
            _copy(x[n, :count], held[row, before:])
            filled[row] = before + count
            continue
        _copy(held[row, :before], whole[n])
        _copy(x[n, : taken - before], whole[n, before:])
        _copy(x[n, taken - before : count], held[row])
        filled[row] = before + count - taken


@helper
def _copy(source: Array, target: Array) -> None:
    for i in range(source.shape[0]):
        for k in range(source.shape[1]):
            target[i, k] = source[i, k]
