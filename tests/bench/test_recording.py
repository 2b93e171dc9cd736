"""The bundled recording: at any rate, and again and again."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.bench.recording import Looped, recording


def test_it_is_resampled() -> None:
    samples, rate_hz = recording()
    halved, half_hz = recording(rate_hz // 2)
    assert half_hz == rate_hz // 2
    assert len(halved) == pytest.approx(len(samples) / 2, abs=1)


@pytest.mark.parametrize("frames", [3, 10, 25])
def test_it_goes_on_where_it_ends(frames: int) -> None:
    samples = np.arange(10, dtype=np.float32)
    looped = Looped(samples, 16_000, first=4)
    looped.open()
    blocks = [looped.read(frames) for _ in range(7)]
    assert [block.start for block in blocks] == [n * frames for n in range(7)]
    heard = np.concatenate([block.samples for block in blocks])
    np.testing.assert_array_equal(heard[:, 0], (4 + np.arange(7 * frames)) % 10)
    assert not looped.ended
