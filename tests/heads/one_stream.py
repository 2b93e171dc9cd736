"""Step a tree of stages with one stream."""

from __future__ import annotations

import numpy as np

from streamer.arrays import Array
from streamer.dsp.model_calls import run_alone
from streamer.dsp.ragged import ONE_ROW, of_equal_length
from streamer.heads.results import TreeResult
from streamer.heads.stage_tree import StageTree
from streamer.heads.stage_tree_state import StageTreeState
from streamer.heads.tree_clock import NEVER

NO_INTERVALS = np.zeros((0, 3), np.int64)
"""Nothing is due besides the results of a tree."""


def step(tree: StageTree, x: Array, state: StageTreeState) -> list[TreeResult]:
    """Return the results of samples, shape (samples,), in a state of one stream."""
    found = run_alone(tree.step(of_equal_length(x[None]), state, ONE_ROW))
    assert not found.faults
    (results,) = found.results
    return results


def processed(state: StageTreeState) -> int:
    return int(state.clock.processed_samples[0])


def known_until(state: StageTreeState) -> int:
    return int(state.clock.known_until[0])


def next_known(tree: StageTree, state: StageTreeState, stop: int = NEVER) -> int:
    """Return the number of samples at which the next result is known, or what is due at `stop`."""
    return processed(state) + int(tree.wanted_samples(np.array([stop]), NO_INTERVALS, state, ONE_ROW)[0])
