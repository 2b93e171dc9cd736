"""Test the downmix of captured sound; the kernel of the spectrum is tested with the front end."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.dsp.downmix import SAMPLE_LIMIT, downmix


def test_downmix_averages_the_channels() -> None:
    block = np.random.default_rng(0).uniform(-1, 1, (100, 3)).astype(np.float32)
    mono = np.empty(100, np.float32)
    assert downmix(block, mono) == 0
    np.testing.assert_allclose(mono, block.mean(axis=1), rtol=0, atol=1e-7)


def test_downmix_of_one_channel_copies_it() -> None:
    block = np.random.default_rng(0).uniform(-1, 1, (100, 1)).astype(np.float32)
    mono = np.empty(100, np.float32)
    downmix(block, mono)
    np.testing.assert_array_equal(mono, block[:, 0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2 * SAMPLE_LIMIT])
def test_what_is_no_sound_is_muted_and_counted(bad: float) -> None:
    block = np.full((4, 2), 0.5, np.float32)
    block[1, 0] = block[2, 0] = block[2, 1] = bad
    mono = np.empty(4, np.float32)
    assert downmix(block, mono) == 3
    assert mono.tolist() == [0.5, 0.25, 0.0, 0.5]
