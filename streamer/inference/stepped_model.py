"""Models that advance in whole steps, for any number of streams in one call."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.model_calls import Calls, ModelCall, StepResult, run_alone
from streamer.inference.model import Model


class SteppedModel(Model):
    """Model that turns frames into scores, embeddings or masks, in one step for every `hop_frames` frames.

    The state holds the frames that do not yet make a whole step, the number of these frames, the state slots of the
    streams (see `ModelCall`), and the network's own state: arrays in the manifest's order. Streams that step together
    hold the same number of frames.
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
        filled = np.zeros(batch, np.int64)
        slots = np.full(batch, None)
        return held, filled, slots, *self.init_model_state(batch)

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
        """
        return run_alone(self.step_calls(x, state))

    def step_calls(self, x: Array, state: State) -> Calls[StepResult]:
        held, filled, slots, *own = state
        count = filled.item(0)
        rest = (count + x.shape[1]) % self.manifest.hop_frames
        whole = count + x.shape[1] - rest
        if not whole:
            held[:, count:rest] = x
            filled.fill(rest)
            return np.empty((len(held), 0, self.manifest.output_size), np.float32), state
        if count:
            x = np.concatenate([held[:, :count], x], axis=1)
        if rest:
            held[:, :rest] = x[:, whole:]
        filled.fill(rest)
        # Only the model's own state goes with the call: what is held back differs in length between streams.
        y, after = yield ModelCall(self, x[:, :whole], tuple(own), slots)
        return y, (held, filled, slots, *after)

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, self.manifest.output_size), np.float32)
