"""Test that one channel of a source is read alone."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.errors import StreamError
from streamer.sources.array import ArraySource
from streamer.sources.read_blocks import read_blocks
from streamer.sources.wrappers.one_channel import OneChannel

SOUND = np.random.default_rng(0).uniform(-1, 1, (1_000, 3)).astype(np.float32)


@pytest.mark.parametrize("channel", [1, 2, 3])
def test_one_channel_is_given(channel: int) -> None:
    source = OneChannel(ArraySource(SOUND, 16_000), channel)
    source.open()
    blocks = list(read_blocks(source, 300))
    assert (source.channels, source.rate_hz) == (1, 16_000)
    assert all(block.samples.flags.c_contiguous for block in blocks)
    np.testing.assert_array_equal(
        np.concatenate([block.samples for block in blocks])[:, 0], SOUND[:, channel - 1]
    )
    assert [block.start for block in blocks] == [0, 300, 600, 900]


def test_a_channel_that_is_not_there_is_refused() -> None:
    source = OneChannel(ArraySource(SOUND, 16_000), 4)
    with pytest.raises(StreamError, match=r"no channel 4; expected a number from 1 to 3"):
        source.open()
    assert source.ended
    with pytest.raises(StreamError, match=r"no channel 2; expected 1, since it has one channel"):
        OneChannel(ArraySource(SOUND[:, :1], 16_000), 2).open()
