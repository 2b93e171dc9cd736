import json
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from train.loop import LoopConfig, learning_rate, load, train

CONFIG = LoopConfig(steps=12, batch=8, validate_every=4, warm_up_steps=2, workers=0, average=0.5)


class Line:
    """Learns ``y = sum(x)``, with dropout and batch norm so that their states matter."""

    def make_model(self):
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))

    def make_batch(self, seed, step, size):
        generator = torch.Generator().manual_seed(1_000 * seed + step)
        x = torch.randn(size, 4, generator=generator)
        return x, x.sum(1, keepdim=True)

    def loss(self, model, batch):
        return mse_loss(model(batch[0]), batch[1])

    def validate(self, model):
        assert not model.training
        with torch.no_grad():
            return {"score": -self.loss(model, self.make_batch(99, 0, 256)).item()}


class Interrupted(Line):
    """Stopped by hand between two checkpoints."""

    def make_batch(self, seed, step, size):
        if step == 10:
            raise KeyboardInterrupt
        return super().make_batch(seed, step, size)


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_resumed_run_equals_one_that_never_stopped(tmp_path):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    whole.mkdir()
    halves.mkdir()
    train(Line(), CONFIG, whole)
    with pytest.raises(KeyboardInterrupt):
        train(Interrupted(), CONFIG, halves)
    assert load(halves / "last.pt")["step"] == 8
    train(Line(), CONFIG, halves)
    for name in ("model", "averaged"):
        a, b = load(whole / "last.pt")[name], load(halves / "last.pt")[name]
        assert all(torch.equal(a[key], b[key]) for key in a)
    best_a, best_b = load(whole / "best.pt"), load(halves / "best.pt")
    assert all(torch.equal(best_a[key], best_b[key]) for key in best_a)
    assert [(n["step"], n["loss"], n["score"]) for n in lines(whole)] == [
        (n["step"], n["loss"], n["score"]) for n in lines(halves)
    ]


def test_it_learns_and_keeps_the_best(tmp_path):
    config = LoopConfig(steps=150, batch=32, validate_every=50, warm_up_steps=5, workers=0, average=0.9)
    train(Line(), config, tmp_path)
    notes = lines(tmp_path)
    assert notes[-1]["loss"] < 0.5 * notes[0]["loss"]
    assert load(tmp_path / "last.pt")["best"] == max(note["score"] for note in notes)
    assert not list(tmp_path.glob("*.partial"))


def test_learning_rate_rises_then_falls_to_a_hundredth():
    config = LoopConfig(steps=1_000, warm_up_steps=100, learning_rate=1.0)
    rates = [learning_rate(config, step) for step in range(1_000)]
    assert rates[0] == 0.01
    assert rates[99] == rates[100] == 1.0
    assert rates == sorted(rates[:100]) + sorted(rates[100:], reverse=True)
    assert rates[-1] == pytest.approx(0.01, abs=1e-4)
    assert math.isclose(rates[550], 0.505, abs_tol=1e-3)
