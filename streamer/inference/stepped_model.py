"""A model whose whole steps a graph computes, for any number of streams at once."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.model_calls import Calls, ModelCall, StepResult, run_alone
from streamer.inference.model import Model


class SteppedModel(Model):
    """Frames to scores, embeddings or masks, step by whole step.

    The state holds the frames that do not yet make a whole step, how many they are, and the graph's own
    arrays in the manifest's order. Streams that step together hold as many frames as each other.
    """

    @abstractmethod
    def run(self, x: Array, state: State) -> StepResult:
        """Compute whole steps.

        Parameters
        ----------
        x : float32 array, shape (batch, whole steps * hop_frames, input_size)
        state : tuple of array
            The graph's own.

        Returns
        -------
        y : float32 array, shape (batch, steps, output_size)
        state : tuple of array
        """

    def allocate_state(self, streams: int, like: State) -> State:
        return tuple(np.empty((streams, *array.shape[1:]), array.dtype) for array in like)

    def init(self, batch: int = 1) -> State:
        m = self.manifest
        held = np.zeros((batch, m.hop_frames - 1, m.input_size), np.float32)
        filled = np.zeros(batch, np.int64)
        return held, filled, *(np.zeros((batch, *s.shape), s.dtype) for s in m.states)

    def step(self, x: Array, state: State) -> StepResult:
        """Take frames, give the outputs that they complete.

        Parameters
        ----------
        x : float32 array, shape (batch, frames, input_size)
            Log-mel frames, the embeddings of an ear, or spectra.
        state : State

        Returns
        -------
        y : float32 array, shape (batch, steps, output_size)
            Probabilities, 0 to 1, an ear's embeddings, or masks and a probability.
        state : State
        """
        return run_alone(self.step_calls(x, state))

    def step_calls(self, x: Array, state: State) -> Calls[StepResult]:
        held, filled, *own = state
        count = int(filled[0])
        rest = (count + x.shape[1]) % self.manifest.hop_frames
        whole = count + x.shape[1] - rest
        if not whole:
            held[:, count:rest] = x
            filled[:] = rest
            return np.zeros((len(held), 0, self.manifest.output_size), np.float32), state
        if count:
            x = np.concatenate([held[:, :count], x], axis=1)
        if rest:
            held[:, :rest] = x[:, whole:]
        filled[:] = rest
        y, after = yield ModelCall(self, x[:, :whole], tuple(own))
        return y, (held, filled, *after)

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, self.manifest.output_size), np.float32)
