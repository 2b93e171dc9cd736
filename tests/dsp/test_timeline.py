"""Test that items of many streams are placed as those of one are."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.dsp.log_mel import LogMel
from streamer.dsp.resample import Resample
from streamer.dsp.timeline import Timeline, spans_of


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 11_025])
def test_spans_of_many_are_those_of_each(rate_hz: int) -> None:
    timeline = Timeline().after(Resample(rate_hz, 16_000)).after(LogMel())
    firsts = np.array([0, 7, 1_000, 123_456])
    spans = timeline.spans(firsts, 5)
    for n, first in enumerate(firsts.tolist()):
        assert [tuple(span) for span in spans[:, n].T.tolist()] == [
            timeline.span(first + k) for k in range(5)
        ]


def test_timelines_that_differ_in_their_latency_are_placed_together() -> None:
    parent = Timeline().after(Resample(44_100, 16_000))
    scores = parent.after(LogMel()).on_scale_of(parent)
    assert scores.scale % parent.scale == 0
    assert [scores.span(k) for k in range(9)] == [parent.after(LogMel()).span(k) for k in range(9)]
    begun = [0, 3, 1_001]
    step = parent.hop * scores.scale // parent.scale
    latencies = np.array([scores.latency + first * step for first in begun])
    spans = spans_of(np.zeros(3, np.int64), 4, scores.hop, latencies, scores.scale)
    for n, first in enumerate(begun):
        alone = parent.after(LogMel(), first)
        assert [tuple(span) for span in spans[:, n].T.tolist()] == [alone.span(k) for k in range(4)]
