"""Runs of architectures of kept libraries: two phases from pretrained weights, and what is refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch

from models.reference.transformers_library import transformers
from streamer.errors import ConfigError
from tests.train.toy_data import make_toy_data
from train.errors import AbsentError
from train.loop.checkpoint import Identity, load
from train.loop.config import read_config
from train.loop.train_loop import train
from train.tasks.reference.figures import plugin
from train.tasks.reference.transfer import (
    SoundConformerRunConfig,
    SoundInceptionRunConfig,
    SoundResNetRunConfig,
    TransferTask,
)

TINY = [
    "image.bands=16",
    "image.frames=40",
    "loop.batch=8",
    "loop.validate_every=10",
    "loop.schedule.cosine.warm_up_steps=1",
]
RESNET = [
    *TINY,
    "model.height=32",
    "model.width=48",
    "model.stem=8",
    "model.channels=[16, 32]",
    "model.depths=[1, 1]",
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_data(tmp_path_factory.mktemp("data"))


@pytest.mark.skipif(find_spec("transformers") is None, reason="transformers is not installed")
def test_the_head_learns_alone_and_then_the_last_blocks_too(toy, tmp_path):
    library = transformers()
    sizes = library.ResNetConfig(embedding_size=8, hidden_sizes=[16, 32], depths=[1, 1])
    library.ResNetForImageClassification(sizes).save_pretrained(tmp_path / "weights")
    two_phases = [f"weights={tmp_path / 'weights'}", "frozen_steps=3", "learnt_blocks=1"]
    config = read_config(SoundResNetRunConfig, None, [*RESNET, *two_phases])
    task = TransferTask(config, toy, toy / "cache")
    begun = {name: value.clone() for name, value in task.make_model().state_dict().items()}

    def changed(steps):
        best = train(task, replace(config.loop, steps=steps), tmp_path / "run")
        content = load(best.with_name("last.pt"), Identity(task.name, None))["states"]
        averaged = load(best, Identity(task.name, None))["weights"]
        assert set(averaged) == set(begun)
        parts = {".".join(name.split(".")[:2]) for name in begun}
        found = {
            part
            for part in parts
            for name, value in begun.items()
            if name.startswith(f"{part}.") and not torch.equal(content["model"][name], value)
        }
        kept = [name for name in begun if ".".join(name.split(".")[:2]) not in found]
        assert all(torch.equal(averaged[name], begun[name]) for name in kept)
        return found

    assert changed(3) == {"head.dense"}
    assert changed(5) == {"head.dense", "blocks.2"}


def test_without_pretrained_weights_everything_learns_from_the_first_step_on():
    config = SoundConformerRunConfig(frozen_steps=10, learnt_blocks=2)
    assert (config.begins, config.learnt_at(0)) == ("from scratch", None)
    config = replace(config, weights="folder")
    assert config.begins == "pretrained"
    assert [config.learnt_at(step) for step in (0, 9, 10)] == [0, 0, 2]
    assert replace(config, learnt_blocks=0).learnt_at(10) is None
    with pytest.raises(ConfigError, match="learnt_blocks is -1; expected 0 or more"):
        replace(config, learnt_blocks=-1)


def test_a_network_whose_library_is_absent_is_refused_before_anything_else(toy, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(AbsentError, match="torchvision cannot be imported"):
        TransferTask(SoundInceptionRunConfig(), toy, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_plug_in_trains_by_phases():
    assert plugin(SoundConformerRunConfig).task is TransferTask
