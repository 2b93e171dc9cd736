"""Everything between captured samples and scores, as one stage: released models, and a head on an ear, at the rates
of devices."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from streamer.dsp.log_mel import LogMel
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain
from streamer.inference.model_folders import find_model, read_manifest, released_folders
from streamer.inference.onnx import OnnxModel
from tests.contract import check_stage
from tests.toy_model import write_toy_ear, write_toy_head

HEARS_FRAMES = [folder for folder in released_folders() if not read_manifest(folder).is_separation]
ALONE = [folder for folder in HEARS_FRAMES if read_manifest(folder).ear is None]
ON_AN_EAR = [folder for folder in HEARS_FRAMES if folder not in ALONE]


@pytest.mark.parametrize("folder", ALONE, ids=lambda folder: folder.name)
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_the_whole_chain_keeps_the_contract(folder: Path, rate_hz: int) -> None:
    check_chain(rate_hz, OnnxModel(folder))


@pytest.mark.parametrize("folder", ON_AN_EAR, ids=lambda folder: folder.name)
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_a_released_head_on_its_ear_keeps_the_contract(folder: Path, rate_hz: int) -> None:
    head = OnnxModel(folder)
    assert head.manifest.ear is not None
    check_chain(rate_hz, OnnxModel(find_model(head.manifest.ear.name)), head)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_a_toy_head_on_a_toy_ear_keeps_the_contract(tmp_path: Path, rate_hz: int) -> None:
    ear = write_toy_ear(tmp_path / "ear")
    head = write_toy_head(tmp_path / "genre", ear, "genre", exclusive=True)
    check_chain(rate_hz, OnnxModel(ear), OnnxModel(head), rounds=True)


def check_chain(rate_hz: int, *models: OnnxModel, rounds: bool = False) -> None:
    front_end = LogMel(models[0].manifest.front_end)
    resample = Resample(rate_hz, front_end.config.sample_rate_hz)
    chain = Chain(resample, front_end, *models)
    # Of a model that rounds, what lies at the edge of a window, almost without weight, moves nothing.
    rounds |= any(model.manifest.precision == "int8" for model in models)
    slack = front_end.hop * models[0].hop if rounds else Fraction(0)
    x = np.random.default_rng(6).normal(0, 0.1, (2, rate_hz // 2)).astype(np.float32)
    # The latency is a bound where there is resampling: its filter feels an impulse before its middle does, and frames
    # do not begin where it does.
    slack += 0 if resample.hop == 1 else resample.latency + chain.hop
    check_stage(chain, x, atol=1e-5, slack=slack)
