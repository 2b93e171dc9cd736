"""Test samples in memory as a source."""

from __future__ import annotations

import numpy as np

from streamer.sources.array import ArraySource
from tests.sources.source_contract import check_source


def test_an_array_is_given_as_it_is() -> None:
    samples = np.random.default_rng(2).normal(0, 0.1, (5_000, 2)).astype(np.float32)
    check_source(lambda: ArraySource(samples, 44_100), samples, 44_100)
    assert ArraySource(samples, 44_100).total_s == 5_000 / 44_100
