"""What moves weights: all of them, each once; and a run keeps to what it began with."""

import pytest
import torch
from torch import nn

from streamer.errors import ConfigError, ModelError
from tests.train.loop.test_train_loop import Interrupted, assert_same_runs
from tests.train.toy_task import LOOP, Line, load, run_line
from train.loop.optimiser import make_optimisers
from train.loop.task import LoopConfig


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_weight_is_moved_once(name):
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Conv1d(8, 3, 2), nn.Linear(3, 1))
    made = make_optimisers(model, LoopConfig(optimiser=name)).values()
    moved = [weight for each in made for group in each.param_groups for weight in group["params"]]
    assert sorted(map(id, moved)) == sorted(map(id, model.parameters()))


def test_muon_moves_matrices_alone():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    (moved,) = make_optimisers(model, LoopConfig(optimiser="muon"))["optimiser of matrices"].param_groups[0][
        "params"
    ]
    assert moved is model[0].weight


def test_muon_learns_every_direction_at_once():
    """A matrix whose gradient is a thousand times smaller in one direction than in another."""
    wanted = torch.diag(torch.tensor([1.0, 1e-3]))
    model = nn.Linear(2, 2)
    nn.init.zeros_(model.weight)
    moving = make_optimisers(model, LoopConfig(optimiser="muon"))["optimiser of matrices"]
    model.weight.grad = -wanted
    moving.step()
    moved = model.weight.detach().diagonal()
    assert 0.5 < moved[1] / moved[0] < 2


def test_a_resumed_run_by_muon_equals_one_that_never_stopped(tmp_path):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    run_line(whole, optimiser="muon")
    with pytest.raises(KeyboardInterrupt):
        run_line(halves, Interrupted(), optimiser="muon")
    run_line(halves, optimiser="muon")
    assert "optimiser of matrices" in load(whole / "last.pt")["states"]
    assert_same_runs(whole, halves)


def test_a_run_does_not_change_its_optimiser(tmp_path):
    run_line(tmp_path)
    with pytest.raises(ModelError, match=r"does not fit this model \(.*start a new run"):
        run_line(tmp_path, optimiser="muon", steps=LOOP.steps + 4)


class Curved(Line):
    """No matrix in it."""

    def make_model(self):
        return nn.Sequential(nn.Linear(4, 1))


def test_muon_without_matrices_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"loop\.optimiser is 'muon', and the model has no matrices"):
        run_line(tmp_path, Curved(), optimiser="muon")


def test_an_optimiser_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"loop\.optimiser is 'sgd'; expected adamw or muon"):
        LoopConfig(optimiser="sgd")
