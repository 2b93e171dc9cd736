"""Training of generators: batches, losses, resumption, beginning from another run, figures and refusals."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from streamer.errors import ConfigError
from tests.train.toy_data import make_toy_data
from train.__main__ import main
from train.loop.config import read_config
from train.mixing.clip_variations import FRAMES
from train.tasks.reference.generator import GeneratorRunConfig, GeneratorTask, load_generator
from train.tasks.reference.generator_adversarial import (
    GENERATOR,
    AdversarialRunConfig,
    AdversarialTask,
    begin_from,
)
from train.tasks.reference.made_clips import distance, standardise

TINY = ["model.units=8", "model.components=2", "loop.batch=4", "loop.validate_every=2"]
SMALL = ["discriminator.channels=[2, 3, 4, 5]", "heard_frames=100"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def run(toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy))

    def train(*arguments):
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    return train


def task_of(kind, config, toy, *settings):
    return kind(read_config(config, None, [*TINY, *settings]), toy, toy / "runs" / "cache")


def settings(*texts):
    return [item for text in texts for item in ("--set", text)]


def test_a_batch_is_frames_those_before_them_and_genres_and_depends_on_its_number_alone(toy):
    task = task_of(GeneratorTask, GeneratorRunConfig, toy, "input_noise=0")
    batch, again, other = (task.make_batch(1, step, 8) for step in (5, 5, 6))
    before, frames, genre = batch
    assert frames.shape == (8, FRAMES, 112)
    assert genre.shape == (8,)
    torch.testing.assert_close(before[:, 1:], frames[:, :-1])
    assert not before[:, 0].any()
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    assert not torch.equal(frames, other[1])


def test_noise_is_on_what_is_known_and_not_on_what_is_foretold(toy):
    clean, noisy = (
        task_of(GeneratorTask, GeneratorRunConfig, toy, f"input_noise={noise}").make_batch(1, 5, 8)
        for noise in (0, 0.5)
    )
    torch.testing.assert_close(clean[1], noisy[1])
    assert 0.05 < float((noisy[0] - clean[0]).std()) < 0.5


def test_clips_are_z_scores_with_the_range_of_the_mel_file_and_silence_is_zero():
    rng = np.random.default_rng(0)
    frames = rng.normal(-10, 2, (2, 8, 5)).astype(np.float32)
    frames[0, 0, 0] = -1_000.0
    frames[1] = -23.0
    scores = standardise(frames)
    assert scores.dtype == np.float32
    assert scores[0].mean() == pytest.approx(0, abs=1e-5)
    assert scores[0].std() == pytest.approx(1, abs=1e-5)
    assert scores[0].min() > -8.0
    assert not scores[1].any()


def test_the_distance_grows_with_the_difference_of_clips():
    torch.manual_seed(0)
    real, same = torch.randn(2, 60, 30, 8)
    assert distance(real, real) == 0.0
    assert distance(same, real) < 0.02 < distance(same * 1.5, real) < distance(same * 3, real)


def test_the_network_knows_the_size_of_changes_in_what_is_learnt(toy):
    task = task_of(GeneratorTask, GeneratorRunConfig, toy)
    torch.manual_seed(0)
    model = task.make_model()
    assert model.change.shape == (112,)
    assert not torch.allclose(model.change, torch.ones(112))
    loss = task.loss(model, task.make_batch(1, 0, 4))
    figures = task.validate(model.eval())
    assert torch.isfinite(loss["likelihood"])
    assert figures["score"] == figures["likelihood"]
    assert figures["distance"] > 0


def test_the_losses_of_the_adversaries_reach_the_one_that_they_are_of(toy):
    task = task_of(AdversarialTask, AdversarialRunConfig, toy, *SMALL)
    torch.manual_seed(0)
    model = task.make_model()
    for name, learns, rests in [
        ("discriminator", model.discriminator, model.generator),
        ("adversary", model.generator, model.discriminator),
        ("likelihood", model.generator, model.discriminator),
    ]:
        model.zero_grad()
        task.loss(model, task.make_batch(1, 0, 4))[name].backward()
        assert any(weights.grad is not None and weights.grad.any() for weights in learns.parameters()), name
        assert not any(weights.grad is not None and weights.grad.any() for weights in rests.parameters()), (
            name
        )
    assert task.validate(model.eval())["score"] < 0


def test_a_run_that_goes_on_comes_to_the_weights_of_one_that_was_not_interrupted(run, tmp_path):
    whole = run("generator", *settings(*TINY, "loop.steps=4"))
    part = run("generator", *settings(*TINY, "loop.steps=2", "loop.schedule.cosine.warm_up_steps=0"))
    straight = run("generator", *settings(*TINY, "loop.steps=4", "loop.schedule.name='plateau'"))
    begun = run("generator", *settings(*TINY, "loop.steps=2", "loop.schedule.name='plateau'"))
    run("generator", "--resume", tmp_path / begun, *settings("loop.steps=4"))
    assert len({whole, part, straight, begun}) == 4
    first, second = (
        load_generator(tmp_path / name, GeneratorRunConfig).state_dict() for name in (straight, begun)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_adversarial_run_begins_with_the_weights_of_the_other_and_is_evaluated(run, toy, tmp_path):
    folder = tmp_path / run("generator", *settings(*TINY, "loop.steps=2"))
    task = task_of(AdversarialTask, AdversarialRunConfig, toy, *SMALL, f"begin='{folder}'")
    begun, learnt = task.make_model().generator, load_generator(folder, GeneratorRunConfig)
    assert all(map(torch.equal, begun.state_dict().values(), learnt.state_dict().values()))
    other = tmp_path / run(
        "generator_adversarial", *settings(*TINY, *SMALL, "loop.steps=2", f"begin='{folder}'")
    )
    assert load_generator(other, AdversarialRunConfig, GENERATOR).config.units == 8
    found = json.loads(run("evaluate", "generator_adversarial", "--run", str(other)))
    assert found["clips"].keys() == {"clips", "likelihood", "distance"}
    with pytest.raises(
        ConfigError, match=r"with GenreGeneratorConfig\(.*units=8.* and genres blues, rock; expected"
    ):
        begin_from(begun, folder, ("blues", "jazz"))
    with pytest.raises(ConfigError, match=r"begin is '.*nix', which has no config.json; expected the folder"):
        begin_from(begun, tmp_path / "nix", ("blues", "rock"))


@pytest.mark.parametrize(
    ("kind", "setting", "words"),
    [
        (GeneratorRunConfig, "whole_tracks=1.5", "whole_tracks is 1.5; expected a share of a batch, 0 to 1"),
        (AdversarialRunConfig, "heard_frames=0", "heard_frames is 0; expected 1 to 112"),
        (AdversarialRunConfig, "heard_frames=120", "heard_frames is 120; expected 1 to 112"),
    ],
)
def test_settings_that_cannot_be_are_refused(kind, setting, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_config(kind, None, [setting])


def test_a_generator_is_not_released(run):
    run("generator", *settings(*TINY, "loop.steps=2"))
    result = CliRunner().invoke(main, ["export", "generator", "--out", "out"])
    assert result.exit_code != 0
    assert result.stderr.startswith("error: a generator makes sound and labels none, so it is not released")
