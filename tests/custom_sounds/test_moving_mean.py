"""The moving mean."""

from __future__ import annotations

import numpy as np

from streamer.custom_sounds.moving_mean import MovingMean
from streamer.dsp.stage import offline
from tests.contract import check_stage


def test_the_moving_mean_keeps_the_contract_to_the_bit() -> None:
    x = np.random.default_rng(0).normal(0.0, 1.0, (2, 40, 3)).astype(np.float32)
    check_stage(MovingMean(5, 3), x)
    check_stage(MovingMean(1, 3), x)


def test_it_is_the_mean_of_what_was_heard_so_far_and_then_of_the_window() -> None:
    x = np.arange(6, dtype=np.float32).reshape(1, 6, 1)
    assert offline(MovingMean(3, 1), x)[0, :, 0].tolist() == [0.0, 0.5, 1.0, 2.0, 3.0, 4.0]
