import dataclasses

import pytest
import torch

from models.ear import Ear, EarConfig
from streamer.dsp.log_mel import LogMelConfig
from streamer.errors import ConfigError
from tests.toy_model import write_toy_model
from train.export.to_onnx import describe, export
from train.loop.config import read_config
from train.tasks.ear.config import EarRunConfig
from train.tasks.ear.warm_start import begin_from, check_warm_start

SMALL = EarConfig(channels=(4, 6, 8, 12, 16), embedding=24, dilations=(2,))


def release(folder, config, **held_out):
    """Release an ear with random weights and statistics of batch norm that are not the usual 0 and 1."""
    torch.manual_seed(1)
    ear = Ear(config)
    ear.set_normalisation(torch.randn(64) - 2.0, torch.rand(64) + 0.5)
    ear.train()(torch.randn(4, 80, 64))
    manifest = describe(ear, "ear", (), LogMelConfig(mel_bands=64), 8, config.embedding)
    manifest = dataclasses.replace(manifest, results={"held out": held_out} if held_out else {})
    export(ear.eval(), manifest, folder)
    return ear


@pytest.mark.parametrize("embedding", [24, 256], ids=["joined by a convolution", "joined by a product"])
def test_an_ear_that_begins_from_a_released_one_computes_what_that_computes(tmp_path, embedding):
    config = dataclasses.replace(SMALL, embedding=embedding)
    released = release(tmp_path / "ear", config)
    torch.manual_seed(2)
    ear, frames = Ear(config), torch.randn(6, 160, 64)
    begin_from(ear, tmp_path / "ear", frames)
    wanted = released(frames)[0]
    assert wanted.std() > 0.01
    torch.testing.assert_close(ear.eval()(frames)[0], wanted, rtol=1e-4, atol=1e-4)
    # In training, the statistics are those of the batch, which here is the one that they were taken from.
    torch.testing.assert_close(ear.train()(frames)[0], wanted, rtol=2e-2, atol=2e-2)


def test_an_ear_of_other_sizes_is_refused(tmp_path):
    release(tmp_path / "ear", SMALL)
    larger = Ear(dataclasses.replace(SMALL, channels=(4, 6, 8, 12, 18)))
    with pytest.raises(
        ConfigError, match=r"whose body\.layers\.10\.\S+ is not of the shape .*the sizes of the run"
    ):
        begin_from(larger, tmp_path / "ear", torch.randn(2, 80, 64))


def run(folder, *texts):
    return read_config(EarRunConfig, None, [f"begin={folder}", *texts])


def test_a_run_begins_only_from_an_ear_that_holds_out_its_folds(tmp_path):
    folder = tmp_path / "ear"
    release(folder, SMALL, fold=5, validation_fold=4)
    check_warm_start(run(folder))
    check_warm_start(run(folder, "validation_fold=0"))
    with pytest.raises(
        ConfigError, match=r"which learnt from fold 3; expected an ear that holds out what the run"
    ):
        check_warm_start(run(folder, "fold=3"))


def test_a_run_begins_from_no_other_model(tmp_path):
    write_toy_model(tmp_path / "gate")
    with pytest.raises(ConfigError, match=r"a model of the task gate; expected the folder of a released ear"):
        check_warm_start(run(tmp_path / "gate"))
