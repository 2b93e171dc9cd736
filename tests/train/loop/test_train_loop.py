import json
import math
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from streamer.errors import ConfigError, ModelError
from tests.conftest import DEADLINE_S, ROOT
from tests.train.toy_task import LOOP, Line, LineConfig, PlainLine, load, run_line
from train.errors import TrainingError
from train.loop.run import read_metrics
from train.loop.schedule import Plateau, ScheduleConfig
from train.loop.task import LoopConfig

UNTIMED = {"seconds"}


class Interrupted(Line):
    """Stopped by hand between two checkpoints."""

    def make_batch(self, seed, step, size):
        if step == 10:
            raise KeyboardInterrupt
        return super().make_batch(seed, step, size)


class Scored(Line):
    """Its scores are given."""

    def __init__(self, scores):
        super().__init__()
        self.scores = iter(scores)

    def validate(self, model):
        return {"score": next(self.scores)}


class Poisoned(Line):
    """A loss that is no number from a step on."""

    def __init__(self, value, step):
        super().__init__()
        self.value, self.step = value, step

    def make_batch(self, seed, step, size):
        x, y = super().make_batch(seed, step, size)
        return (x, y * self.value) if step == self.step else (x, y)


def notes(folder):
    return [{k: v for k, v in line.items() if k not in UNTIMED} for line in read_metrics(folder)]


def same(a, b):
    """Whether two trees of tensors and plain values are equal, bit for bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a if key not in UNTIMED)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def assert_same_runs(a, b):
    for name in ("last.pt", "best.pt"):
        assert same(load(a / name), load(b / name)), name
    assert notes(a) == notes(b)


@pytest.mark.parametrize("schedule", ["cosine", "step_decay", "plateau", "one_cycle"])
def test_a_resumed_run_equals_one_that_never_stopped(tmp_path, schedule):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    chosen = ScheduleConfig(name=schedule, plateau=Plateau(warm_up_steps=0, patience=1))
    run_line(whole, schedule=chosen)
    with pytest.raises(KeyboardInterrupt):
        run_line(halves, Interrupted(), schedule=chosen)
    assert load(halves / "last.pt")["step"] == 8
    run_line(halves, schedule=chosen)
    assert set(load(whole / "last.pt")["states"]) == {"model", "averaged", "optimiser", "scaler"}
    assert_same_runs(whole, halves)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_resumed_run_of_mixed_precision_equals_one_that_never_stopped(tmp_path, precision):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    run_line(whole, precision=precision)
    with pytest.raises(KeyboardInterrupt):
        run_line(halves, Interrupted(), precision=precision)
    run_line(halves, precision=precision)
    assert ("scale" in load(whole / "last.pt")["states"]["scaler"]) == (precision == "fp16")
    assert_same_runs(whole, halves)


def test_a_killed_run_resumes_as_if_nothing_had_been(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_line(whole)
    command = [sys.executable, "-m", "tests.train.toy_task", "killed", killed]
    died = subprocess.run(command, cwd=ROOT, timeout=DEADLINE_S, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert load(killed / "last.pt")["step"] == 8
    run_line(killed)
    assert_same_runs(whole, killed)


def test_a_run_killed_between_its_note_and_its_checkpoint_notes_the_step_once(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_line(whole)
    with pytest.raises(KeyboardInterrupt):
        run_line(killed, Interrupted())
    with (killed / "metrics.jsonl").open("a") as out:
        out.write(json.dumps({"step": 12, "loss": 9.0, "score": 9.0}) + '\n{"step": 1')
    run_line(killed)
    assert_same_runs(whole, killed)


def test_a_finished_run_is_left_as_it_is(tmp_path):
    run_line(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.pt")}
    run_line(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.pt")} == before
    assert len(notes(tmp_path)) == 3


def test_a_run_does_not_depend_on_the_processes_that_make_its_batches(tmp_path):
    run_line(tmp_path / "none")
    run_line(tmp_path / "two", workers=2)
    assert_same_runs(tmp_path / "none", tmp_path / "two")


def test_it_learns_and_keeps_the_best(tmp_path):
    run_line(tmp_path, steps=150, batch=32, validate_every=50, average=0.9, learning_rate=0.02)
    noted = notes(tmp_path)
    assert noted[-1]["loss"] < 0.5 * noted[0]["loss"]
    best = max(noted, key=lambda line: line["score"])
    assert load(tmp_path / "best.pt")["step"] == best["step"]
    assert load(tmp_path / "last.pt")["scores"] == [line["score"] for line in noted]
    assert not list(tmp_path.glob("*.partial"))


def test_best_is_the_average_of_the_weights(tmp_path):
    run_line(tmp_path, steps=4)
    averaged, last = load(tmp_path / "best.pt")["weights"], load(tmp_path / "last.pt")["states"]
    assert all(torch.equal(averaged[key], last["averaged"][f"module.{key}"]) for key in averaged)
    assert not torch.equal(averaged["0.weight"], last["model"]["0.weight"])


def test_an_average_of_nothing_is_the_last_weights(tmp_path):
    run_line(tmp_path, average=0.0)
    states = load(tmp_path / "last.pt")["states"]
    assert states["model"]["1.num_batches_tracked"] == 12
    assert all(
        torch.equal(states["averaged"][f"module.{key}"], value) for key, value in states["model"].items()
    )


def test_a_line_of_metrics_holds_the_losses_the_rate_the_time_and_the_figures(tmp_path):
    run_line(tmp_path)
    line = read_metrics(tmp_path)[-1]
    assert set(line) == {"step", "loss", "loss/square", "loss/absolute", "learning_rate", "seconds", "score"}
    assert line["loss"] == pytest.approx(line["loss/square"] + line["loss/absolute"])
    assert line["learning_rate"] == LOOP.learning_rate * LOOP.schedule.chosen.factor(11, 12, [])
    assert 0 < line["seconds"] < 600


def test_it_stops_early_and_stays_stopped(tmp_path):
    scores = [1.0, 3.0, 2.0, 3.0, 9.0]
    run_line(tmp_path, Scored(scores), steps=20, patience=2)
    assert [line["step"] for line in notes(tmp_path)] == [4, 8, 12, 16]
    assert load(tmp_path / "best.pt")["step"] == 8
    run_line(tmp_path, Scored([]), steps=20, patience=2)
    assert len(notes(tmp_path)) == 4


def test_without_a_fold_to_choose_by_the_last_weights_are_kept(tmp_path):
    task = Scored([3.0, 1.0, 2.0])
    task.config = LineConfig(validation_fold=0)
    run_line(tmp_path, task)
    assert load(tmp_path / "best.pt")["step"] == 12


def test_a_plateau_lowers_the_rate_from_then_on(tmp_path):
    plateau = ScheduleConfig(name="plateau", plateau=Plateau(warm_up_steps=0, patience=1, decay=0.5))
    run_line(tmp_path, Scored([1.0, 2.0, 2.0, 2.0, 3.0]), steps=20, schedule=plateau, learning_rate=1.0)
    assert [line["learning_rate"] for line in notes(tmp_path)] == [1.0, 1.0, 1.0, 0.5, 0.25]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_before_it_reaches_the_weights(tmp_path, value):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run_line(whole)
    said = rf"loss (nan|inf), .* at step 6 and learning rate 0\.00\d+; expected finite losses.*{stopped}/last\.pt"
    with pytest.raises(TrainingError, match=said) as error:
        run_line(stopped, Poisoned(value, 6))
    assert f"--resume {stopped} --set loop.learning_rate=0.0007" in str(error.value)
    failed = json.loads((stopped / "failed.json").read_text())
    assert (failed["seed"], failed["step"], failed["size"]) == (1, 6, 8)
    run_line(stopped)
    assert_same_runs(whole, stopped)


def test_a_loss_that_is_no_number_at_once_says_that_there_is_no_checkpoint(tmp_path):
    with pytest.raises(TrainingError, match="checkpoint is none, it came before the first"):
        run_line(tmp_path, Poisoned(math.nan, 0))


def test_a_score_that_is_no_number_is_refused(tmp_path):
    with pytest.raises(
        TrainingError, match="task line after 4 steps gives score nan; expected a finite number"
    ):
        run_line(tmp_path, Scored([math.nan]))


def test_another_task_s_run_is_not_resumed(tmp_path):
    run_line(tmp_path)
    other = Line()
    other.name = "circle"
    with pytest.raises(
        ModelError, match=r"last\.pt is a checkpoint of task 'line'; expected one of 'circle'"
    ):
        run_line(tmp_path, other)


def test_a_model_of_another_shape_is_not_resumed(tmp_path):
    run_line(tmp_path)
    with pytest.raises(ModelError, match=r"does not fit this model \(size mismatch.*start a new run"):
        run_line(tmp_path, Line(LineConfig(width=9)))


def test_bf16_is_used_on_a_cpu_only_when_asked(tmp_path):
    seen = set()

    class Watching(PlainLine):
        def loss(self, model, batch):
            seen.add(model(batch[0]).dtype)
            return super().loss(model, batch)

    run_line(tmp_path / "float32", Watching())
    assert seen == {torch.float32}
    run_line(tmp_path / "bf16", Watching(), precision="bf16")
    assert seen == {torch.float32, torch.bfloat16}
    weights = load(tmp_path / "bf16" / "best.pt")["weights"]
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    exact = load(tmp_path / "float32" / "best.pt")["weights"]
    assert not torch.equal(exact["0.weight"], weights["0.weight"])
    torch.testing.assert_close(exact, weights, atol=0.02, rtol=0.05)


@pytest.mark.parametrize("precision", ["auto", "fp16", "bf16", "float32"])
def test_it_learns_on_a_gpu(tmp_path, precision):
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    config = {"steps": 150, "batch": 32, "validate_every": 50, "learning_rate": 0.02, "average": 0.9}
    run_line(tmp_path, device="auto", precision=precision, **config)
    noted = notes(tmp_path)
    assert noted[-1]["score"] > 0.5 * noted[0]["score"]
    assert ("scale" in load(tmp_path / "last.pt")["states"]["scaler"]) == (precision == "fp16")
    model = Line().make_model()
    model.load_state_dict(load(tmp_path / "best.pt")["weights"])
    assert Line().validate(model.eval())["score"] == pytest.approx(max(n["score"] for n in noted), abs=1e-2)


def test_gradients_are_cut_to_their_norm(tmp_path, monkeypatch):
    norms = []
    cut = nn.utils.clip_grad_norm_
    monkeypatch.setattr(
        nn.utils, "clip_grad_norm_", lambda weights, norm: norms.append(norm) or cut(weights, norm)
    )
    run_line(tmp_path, steps=4, gradient_norm=0.25)
    assert norms == [0.25] * 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 0}, r"loop\.steps is 0; expected 1 or more"),
        ({"seed": -1}, r"loop\.seed is -1; expected 0 or more"),
        ({"precision": "half"}, r"loop\.precision is 'half'; expected auto, float32, bf16 or fp16"),
    ],
)
def test_what_cannot_be_is_refused(changes, said):
    with pytest.raises(ConfigError, match=said):
        replace(LoopConfig(), **changes)
