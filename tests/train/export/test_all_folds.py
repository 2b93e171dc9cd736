"""A model that learnt from all folds gets the thresholds and figures of runs that held out folds, and says so."""

import json
from dataclasses import dataclass, field, replace

import pytest
import torch

from models.heads import ClassifierHead, HeadConfig
from streamer.dsp.log_mel import LogMelConfig
from streamer.errors import ConfigError
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.model_folders import read_manifest
from tests.train.toy_task import LOOP
from train.export.all_folds import pool_points, release_run
from train.export.release import ThresholdRelease, held_out
from train.export.to_onnx import describe
from train.loop.config import read_config
from train.loop.folds import HoldsOut
from train.loop.registry import Plugin
from train.loop.run import METRICS, write_config
from train.loop.task import LoopConfig

LABELS = ("low", "high")
FRONT_END = LogMelConfig()


@dataclass(frozen=True)
class Config(HoldsOut):
    width: int = 8
    left_out: tuple[str, ...] = ()
    loop: LoopConfig = field(default_factory=lambda: LOOP)
    fold: int = 5
    validation_fold: int = 4


class Release(ThresholdRelease):
    """A network with random weights, another for each fold, whose thresholds and figures tell the fold."""

    limits = "- It knows nothing."
    kind = Config

    def __init__(self, run, data, cache):
        del data, cache
        self._config = read_config(self.kind, run / "config.json")
        torch.manual_seed(self._config.fold)
        model = ClassifierHead(HeadConfig(memory_steps=2, hidden=0), FRONT_END.mel_bands, LABELS)
        manifest = replace(describe(model, "genre", LABELS, FRONT_END, 1), results=held_out(self._config))
        super().__init__(model.eval(), manifest, self._config.validation_fold)

    def calibration(self, folder):
        return self._config.fold / 4, 0.5 * self._config.fold

    def points(self, folder):
        fold = self._config.fold
        return {
            name: (Thresholds(on, 0.1 * fold / 5), Thresholds(0.9, 0.2))
            for name, on in (("balanced", 0.5), ("precision", 0.6 + 0.05 * fold), ("recall", 0.4))
        }

    def figures(self, folder):
        return {"command": "python -m train evaluate toy", "clips": {"accuracy": 0.1 * self._config.fold}}

    def about(self, manifest):
        return f"Fold {self._config.fold} was held out; the temperature is {manifest.temperature:g}."


PLUGIN = Plugin(name="toy", config=Config, task=None, release=Release, evaluate=None)


def make_run(folder, **settings):
    """Write what a release reads of a run, whose best score is its second."""
    write_config(folder, Config(**settings))
    scores = ((4, 0.1), (8, 0.3), (12, 0.2))
    lines = [json.dumps({"step": step, "score": score}) + "\n" for step, score in scores]
    (folder / METRICS).write_text("".join(lines))
    return folder


@pytest.fixture
def run(tmp_path):
    return lambda name, **settings: make_run(tmp_path / name, **settings)


@pytest.fixture
def whole(run):
    return run("whole", fold=0, validation_fold=0)


def release(whole, *others):
    out = whole.parent / "out"
    return release_run(PLUGIN, whole, others, out, whole, whole), out


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The release of a run that learnt from all folds, its folder, and the run that it is measured by."""
    root = tmp_path_factory.mktemp("runs")
    fifth = make_run(root / "fifth")
    return *release(make_run(root / "whole", fold=0, validation_fold=0), fifth), fifth


def test_weights_are_its_own_and_all_else_is_that_of_the_run_that_held_out(released):
    made, out, fifth = released
    theirs = read_manifest(fifth / "released")
    assert made == read_manifest(out)
    assert made.sha256 != theirs.sha256
    assert (made.temperature, made.bias) == (theirs.temperature, theirs.bias) == (1.25, 2.5)
    assert made.operating_points == theirs.operating_points
    assert made.results["clips"] == {"accuracy": 0.5}
    assert made.results["command"] == f"python -m train evaluate toy --model {fifth}/released"
    assert made.results["held out"] == {
        "what": "Nothing: the weights learnt from all folds.",
        "fold": 0,
        "validation_fold": 0,
    }
    assert made.results["measured by"]["fifth"] == (
        "folds 1, 2, 3 learnt from, fold 4 for the choice of weights (those of step 8 of 12) and thresholds, fold 5 "
        "for the figures"
    )


def test_the_card_says_so(released):
    card = " ".join((released[1] / "card.md").read_text().split())
    assert (
        "The weights of this model learnt from all folds, so no recording is left to measure them on." in card
    )
    assert (
        "are those of a run with the same settings that held out folds: `fifth` (folds 1, 2, 3 learnt" in card
    )
    assert "The rest of this text is about that run;" in card
    assert "Fold 5 was held out; the temperature is 1.25." in card
    assert (
        "**measured by**: Runs with the same settings that held out folds: thresholds and figures are" in card
    )
    assert "**held out**: Nothing: the weights learnt from all folds." in card


def test_figures_of_several_runs_are_pooled_and_the_logits_of_their_thresholds_averaged(whole, run):
    made, out = release(whole, run("fifth"), run("second", fold=2, validation_fold=1))
    accuracy = made.results["clips"]["accuracy"]
    assert accuracy == {"mean": 0.35, "spread": 0.2121, "by fold": {"5": 0.5, "2": 0.2}}
    assert set(made.results["measured by"]) == {"what", "fifth", "second", "models"}
    hashes = [read_manifest(whole.parent / name / "released").sha256 for name in ("fifth", "second")]
    assert made.results["measured by"]["models"] == hashes
    assert made.temperature == pytest.approx((5 / 4 * 2 / 4) ** 0.5)
    assert made.bias == pytest.approx((2.5 + 1.0) / 2)
    low = made.operating_points["precision"][0]
    assert 0.7 < low.on < 0.85
    assert made.operating_points["precision"][1].on == pytest.approx(0.9)
    assert "those of 2 runs with the same settings" in " ".join((out / "card.md").read_text().split())


def test_logits_are_averaged_not_probabilities():
    points = [{"balanced": (Thresholds(on, 0.0),)} for on in (0.5, 0.9)]
    (pooled,) = pool_points(points)["balanced"]
    assert pooled.on == pytest.approx(0.75)  # odds of 1 and 9; their geometric mean is 3
    assert pooled.off == pytest.approx(0.0, abs=1e-5)


def test_a_run_that_held_out_folds_is_released_by_itself(run, tmp_path):
    made = release_run(PLUGIN, run("fifth"), [], tmp_path / "out", tmp_path, tmp_path)
    assert made.results["held out"] == {"fold": 5, "validation_fold": 4}
    assert "measured by" not in made.results
    with pytest.raises(
        ConfigError, match="run fifth held out fold 5 itself; expected a run that learnt from all"
    ):
        release(run("fifth"), run("other"))


def test_what_learnt_from_all_folds_needs_another_run(whole):
    with pytest.raises(
        ConfigError,
        match=r"run whole learnt from all folds, .* expected --measured-by RUN, a run with the same",
    ):
        release(whole)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width": 9}, "runs whole and other differ in width; expected the same settings but for what was"),
        (
            {"width": 9, "loop": replace(LOOP, steps=13)},
            "runs whole and other differ in loop.steps, width; expected the same settings",
        ),
        ({"validation_fold": 0}, "other has fold 5 and validation_fold 0; expected a run that held out both"),
        ({"fold": 0, "validation_fold": 0}, "other has fold 0 and validation_fold 0; expected a run that"),
    ],
)
def test_the_other_run_must_be_of_the_same_recipe_and_hold_out_folds(whole, run, settings, said):
    with pytest.raises(ConfigError, match=said):
        release(whole, run("other", **settings))
    assert not (whole.parent / "out").exists()


def test_the_other_run_may_leave_out_collections_and_the_card_says_so(whole, run):
    made, out = release(whole, run("fifth", left_out=("pjs", "babies")))
    assert made.results["measured by"]["fifth"].startswith(
        "folds 1, 2, 3 without pjs, babies learnt from, fold 4"
    )
    assert "(folds 1, 2, 3 without pjs, babies learnt from" in " ".join((out / "card.md").read_text().split())


def test_each_run_holds_out_another_test_fold(whole, run):
    with pytest.raises(ConfigError, match="hold out folds 5, 5; expected each to hold out another test fold"):
        release(whole, run("one"), run("two"))


def test_an_input_model_is_the_same_wherever_it_lies_or_one_by_which_it_was_measured(released, tmp_path):
    @dataclass(frozen=True)
    class OnEar(Config):
        ear: str = ""

    class ReleaseOnEar(Release):
        kind = OnEar

    def run_on(name, sha256, **folds):
        folder = make_run(tmp_path / name)
        write_config(folder, OnEar(ear=str(folder), **folds))
        content = json.loads((released[1] / "manifest.json").read_text())
        (folder / "ear").mkdir()
        (folder / "ear" / "manifest.json").write_text(json.dumps({**content, "sha256": sha256}))
        return folder

    plugin = replace(PLUGIN, config=OnEar, release=ReleaseOnEar, input_model="ear")
    whole, same = run_on("whole", "a" * 64, fold=0, validation_fold=0), run_on("same", "a" * 64)
    made = release_run(plugin, whole, [same], tmp_path / "out", tmp_path, tmp_path)
    assert made.results["clips"] == {"accuracy": 0.5}
    other = run_on("other", "b" * 64)
    with pytest.raises(ConfigError, match="runs whole and other differ in ear; expected the same settings"):
        release_run(plugin, whole, [other], tmp_path / "out", tmp_path, tmp_path)

    path = whole / "ear" / "manifest.json"
    ear = json.loads(path.read_text())
    ear["results"]["measured by"]["models"] = ["b" * 64]
    path.write_text(json.dumps(ear))
    release_run(plugin, whole, [other], tmp_path / "out", tmp_path, tmp_path)
