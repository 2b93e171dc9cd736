"""Everything between captured samples and scores, as one stage: the released models at the rates of devices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamer.frontend import FrontEnd
from streamer.inference.onnx import OnnxModel
from streamer.manifest import released_folders
from streamer.resample import Resample
from streamer.stage import Chain
from tests.contract import check_stage


@pytest.mark.parametrize("folder", released_folders(), ids=lambda folder: folder.name)
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_the_whole_chain_keeps_the_contract(folder: Path, rate_hz: int) -> None:
    model = OnnxModel(folder)
    front_end = FrontEnd(model.manifest.front_end)
    resample = Resample(rate_hz, front_end.config.sample_rate_hz)
    chain = Chain(resample, front_end, model)
    x = np.random.default_rng(6).normal(0, 0.1, (2, rate_hz // 2)).astype(np.float32)
    # The latency is a bound where there is resampling: frames do not begin where its pieces do, and its filter
    # feels an impulse before the piece is due that it falls in.
    slack = 0 if resample.hop == 1 else resample.latency + chain.hop
    check_stage(chain, x, atol=1e-5, slack=slack)
