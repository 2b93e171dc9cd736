"""Test that items of many streams are placed as those of one are."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.dsp.log_mel import LogMel
from streamer.dsp.resample import Resample
from streamer.dsp.timeline import Timeline


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 11_025])
def test_spans_of_many_are_those_of_each(rate_hz: int) -> None:
    timeline = Timeline().after(Resample(rate_hz, 16_000)).after(LogMel())
    firsts = np.array([0, 7, 1_000, 123_456])
    spans = timeline.spans(firsts, 5)
    for n, first in enumerate(firsts.tolist()):
        assert [tuple(span) for span in spans[:, n].T.tolist()] == [
            timeline.span(first + k) for k in range(5)
        ]
