"""Items of stages are placed on the sample clock."""

from __future__ import annotations

import numpy as np

from streamer.dsp.ragged import ONE_ROW, of_equal_length
from streamer.dsp.timeline import Timeline
from streamer.heads.results import placed


def test_no_item_is_placed_after_the_end_of_the_sound() -> None:
    items = of_equal_length(np.zeros((1, 3, 1), np.float32))
    spans = [
        placed(items, np.array([first]), Timeline(), ONE_ROW, end).spans[:, 0].T.tolist()
        for first, end in ((0, None), (4, 6))
    ]
    assert spans == [[[0, 1], [1, 2], [2, 3]], [[4, 5], [5, 6], [6, 6]]]
