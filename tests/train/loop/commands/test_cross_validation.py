import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

import pytest
from click.testing import CliRunner

from tests.train.toy_task import LOOP, Line
from train.__main__ import main
from train.loop.commands.cross_validation import pool_figures
from train.loop.folds import HoldsOut
from train.loop.registry import Plugin
from train.loop.task import LoopConfig


@dataclass(frozen=True)
class LowerConfig(HoldsOut):
    folds: ClassVar[Sequence[int]] = range(1, 4)
    fold: int = 3
    validation_fold: int = 2
    width: int = 8
    loop: LoopConfig = field(default_factory=lambda: LOOP)


@dataclass(frozen=True)
class UpperConfig(LowerConfig):
    lower: str = "nowhere"


class NotingRelease:
    """Notes what was asked of it in the folders that it is asked to write."""

    def __init__(self, run):
        self._run = run

    def export(self, folder):
        self._note(folder, f"exported {self._run.name}")

    def release(self, folder):
        self._note(folder, f"released {self._run.name}")

    def _note(self, folder, text):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model").write_text(text)


def plugin(name, config, needs=""):
    """A task whose release notes what was asked of it."""

    def evaluate(asked):
        wide = asked.config.width
        return {
            "what": "figures of a toy",
            "how": (asked.model / "model").read_text(),
            "fold": asked.config.fold,
            "hears": getattr(asked.config, "lower", ""),
            "by width": {"score": 10.0 * asked.config.fold + wide},
        }

    return Plugin(
        name=name,
        config=config,
        task=lambda config, data, cache: Line(config),
        release=lambda run, data, cache: NotingRelease(run),
        evaluate=evaluate,
        input_model=needs,
        input_task=needs,
    )


LOWER, UPPER = plugin("lower", LowerConfig), plugin("upper", UpperConfig, needs="lower")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The command, in an empty folder, with two toy tasks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(tmp_path))
    plugins = {"lower": LOWER, "upper": UPPER}
    monkeypatch.setattr("train.__main__.TASKS", MappingProxyType(dict.fromkeys(plugins, ("toy", "a toy"))))
    monkeypatch.setattr("train.loop.commands.cross_validation.find_plugin", plugins.__getitem__)

    def invoke(*arguments):
        return CliRunner().invoke(main, ["cross-validate", *arguments], catch_exceptions=False)

    return invoke


def config_of(folder):
    return json.loads((folder / "config.json").read_text())


def test_each_fold_is_held_out_once_and_the_one_before_it_chooses(run, tmp_path):
    figures = json.loads(run("lower").stdout)
    runs = sorted((tmp_path / "runs" / "lower").iterdir(), key=lambda folder: config_of(folder)["fold"])
    assert [(config_of(r)["fold"], config_of(r)["validation_fold"]) for r in runs] == [(1, 3), (2, 1), (3, 2)]
    assert figures["folds"] == [1, 2, 3]
    assert figures["by width"]["score"] == {
        "mean": 28.0,
        "spread": 10.0,
        "by fold": {"1": 18.0, "2": 28.0, "3": 38.0},
    }
    noted = json.loads((runs[1] / "evaluation.json").read_text())["test"]
    assert noted["how"] == f"released {runs[1].name}"


def test_without_a_fold_to_choose_by_models_are_exported_and_all_others_learnt(run, tmp_path):
    assert run("lower", "--set", "validation_fold=0", "--fold", "2").exit_code == 0
    (folder,) = (tmp_path / "runs" / "lower").iterdir()
    assert (config_of(folder)["fold"], config_of(folder)["validation_fold"]) == (2, 0)
    assert json.loads((folder / "evaluation.json").read_text())["test"]["how"] == f"exported {folder.name}"


def test_what_is_done_is_measured_again_and_not_learnt_again(run, tmp_path):
    run("lower", "--fold", "1")
    (folder,) = (tmp_path / "runs" / "lower").iterdir()
    weights = (folder / "best.pt").stat().st_mtime_ns
    (folder / "evaluation.json").unlink()
    figures = json.loads(run("lower").stdout)
    assert len(list((tmp_path / "runs" / "lower").iterdir())) == 3
    assert (folder / "best.pt").stat().st_mtime_ns == weights
    assert figures["fold"]["by fold"] == {"1": 1, "2": 2, "3": 3}


def test_a_run_that_was_killed_goes_on(run, tmp_path):
    run("lower", "--fold", "1")
    (folder,) = (tmp_path / "runs" / "lower").iterdir()
    lines = (folder / "metrics.jsonl").read_text().splitlines(keepends=True)
    (folder / "metrics.jsonl").write_text("".join(lines[:-1]))
    run("lower", "--fold", "1")
    assert list((tmp_path / "runs" / "lower").iterdir()) == [folder]
    assert len(json.loads((folder / "environment.json").read_text())["resumed"]) == 1


def test_what_a_model_hears_is_learnt_on_the_same_folds_and_put_beside_it(run, tmp_path):
    result = run("upper", "--fold", "2", "--set", "width=4", "--set", "lower.width=16")
    assert result.exit_code == 0, result.output
    (lower,) = (tmp_path / "runs" / "lower").iterdir()
    (upper,) = (tmp_path / "runs" / "upper").iterdir()
    assert config_of(lower) | {"loop": None} == {
        "fold": 2,
        "validation_fold": 1,
        "width": 16,
        "loop": None,
    }
    assert config_of(upper)["width"] == 4
    assert config_of(upper)["lower"] == f"runs/lower/{lower.name}/exported"
    assert (upper / "lower" / "model").read_text() == f"exported {lower.name}"


def test_an_absent_fold_is_refused(run):
    result = run("lower", "--fold", "4")
    assert result.exit_code == 2
    assert result.stderr == "error: task lower has no fold 4; expected some of [1, 2, 3]\n"


def test_one_fold_has_no_spread():
    assert pool_figures({3: {"n": 0.5}}) == {"n": {"mean": 0.5, "by fold": {"3": 0.5}}}


@pytest.mark.parametrize("setting", ["fold=2", "validation_fold=1", "lower=elsewhere"])
def test_settings_that_each_fold_has_its_own_of_are_refused(run, setting):
    result = run("upper", "--set", setting)
    assert result.exit_code == 2
    assert f"error: got --set {setting}; expected none: folds are named by --fold" in result.stderr


def test_numbers_are_pooled_over_the_folds_that_have_their_part_and_text_is_left_out():
    folds = {
        1: {"what": "a", "n": 1, "worst": {"x": 0.5}, "label": "x", "in": {"n": 3.0}},
        2: {"what": "a", "n": 2, "worst": {"y": 0.4}, "label": "y", "in": {"n": 5.0}},
        4: {"what": "a", "n": 4, "worst": {"x": 0.7}, "label": "z"},
    }
    together = pool_figures(folds)
    assert together["what"] == "a"
    assert "label" not in together
    assert together["n"]["spread"] == pytest.approx(statistics.stdev([1, 2, 4]), abs=1e-4)
    assert together["worst"] == {}
    assert together["in"] == {"n": {"mean": 4.0, "spread": 1.4142, "by fold": {"1": 3.0, "2": 5.0}}}
