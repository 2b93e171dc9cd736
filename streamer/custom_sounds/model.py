"""Score the embeddings of an ear for each taught label."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from streamer.arrays import Array, State
from streamer.custom_sounds.background import Background, digest
from streamer.custom_sounds.moving_mean import MovingMean
from streamer.inference.manifest import Manifest
from streamer.inference.model import Model

NAME = "taught"


class TaughtModel(Model):
    """Model that scores how similar the newest embeddings are to the examples of each taught label.

    The mean of the last embeddings is whitened and scaled to length 1, as are those of a label's examples, whose mean
    is the label's prototype (Snell et al. 2017; cosine as in Chen et al. 2019); a logistic function makes a probability
    of the cosine between them. One threshold does for every label, whatever the number of its examples.

    Parameters
    ----------
    ear : Manifest
        Manifest of the ear whose embeddings it takes.
    background : Background
        Background of the same ear.
    examples : Mapping of str to float32 array, shape (examples, components)
        Directions of each label's examples, at least one.
    """

    def __init__(self, ear: Manifest, background: Background, examples: Mapping[str, Array]) -> None:
        self.manifest = _described(ear, background, examples)
        self._background = background
        self._pool = MovingMean(background.window_steps, self.manifest.input_size)
        means = np.stack([own.mean(axis=0, dtype=np.float32) for own in examples.values()])
        self._prototypes = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.float32(1e-6))

    def init(self, batch: int = 1) -> State:
        return self._pool.init(batch)

    def step(self, x: Array, state: State) -> tuple[Array, State]:
        """Return a score of each label at each new embedding, and the next state.

        Parameters
        ----------
        x : float32 array, shape (batch, steps, embedding_size)
        state : State

        Returns
        -------
        y : float32 array, shape (batch, steps, labels)
            Probabilities, 0 to 1.
        state : State
        """
        pooled, state = self._pool.step(x, state)
        return self.scores(self._background.directions(pooled)), state

    def flush(self, state: State) -> Array:
        return np.zeros((len(state[0]), 0, self.manifest.output_size), np.float32)

    def scores(self, directions: Array) -> Array:
        """Return a probability for each label, float32 of shape (..., labels); `directions` is (..., components)."""
        return self._background.probabilities(self.similarities(directions))

    def similarities(self, directions: Array) -> Array:
        """Return the cosines, shape (..., labels), between directions, shape (..., components), and prototypes."""
        # einsum without BLAS adds up in the same order however many rows there are
        return np.asarray(np.einsum("...c,pc->...p", directions, self._prototypes))


def _described(ear: Manifest, background: Background, examples: Mapping[str, Array]) -> Manifest:
    whole = hashlib.sha256(digest(background).encode())
    for label, own in examples.items():
        whole.update(label.encode() + own.tobytes())
    return Manifest(
        name=NAME,
        task=NAME,
        labels=tuple(examples),
        front_end=ear.log_mel,
        hop_frames=1,
        latency_frames=1,
        warm_up_frames=background.window_steps,
        states=(),
        sha256=whole.hexdigest(),
        commit="none: taught by the user",
        ear=ear.as_ear(),
        operating_points={name: (point,) for name, point in background.operating_points.items()},
    )
