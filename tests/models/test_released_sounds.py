"""The released sounds: what they decide on sound made here, and that their card tells how they were measured.

Their weights learnt from all folds, so no recording of the data sets is new to them, and none is measured on here.
"""

import numpy as np
import pytest

from streamer.dsp.stage import offline
from streamer.inference.model_folders import find_model, read_manifest
from streamer.inference.onnx import OnnxModel
from tests import contract
from tests.conftest import ROOT
from train.evaluate.stepped_scores import SteppedScorer

FOLDER = ROOT / "models" / "released" / "sounds"
COMMAND = "python -m train evaluate sounds --model runs/sounds/held_out_5/released"


@pytest.fixture(scope="module")
def model():
    return OnnxModel(FOLDER)


@pytest.fixture(scope="module")
def scorer():
    return SteppedScorer.of(FOLDER)


def test_it_keeps_the_contract(model):
    embeddings = (
        np.random.default_rng(0).normal(0.0, 1.0, (2, 40, model.manifest.input_size)).astype(np.float32)
    )
    contract.check_stage(model, embeddings, atol=1e-4)


def test_each_label_has_thresholds_at_each_operating_point(model):
    manifest = model.manifest
    assert len(manifest.labels) == 50
    for name in ("balanced", "precision", "recall"):
        assert len(manifest.operating_points[name]) == 50
    on = {
        name: np.array([point.on for point in points]) for name, points in manifest.operating_points.items()
    }
    assert (on["recall"] <= on["balanced"]).all()
    assert (on["balanced"] <= on["precision"]).all()


def test_it_runs_on_the_released_ear(model):
    assert model.manifest.ear == read_manifest(find_model("ear")).as_ear()


@pytest.mark.parametrize("level_dbfs", [-np.inf, -80.0, -40.0])
def test_neither_silence_nor_noise_is_named(scorer, level_dbfs):
    noise = np.random.default_rng(0).normal(0.0, 1.0, (1, 8 * 16_000)).astype(np.float32)
    scores = offline(scorer.chain, noise * np.float32(10 ** (level_dbfs / 20)))[0, scorer.warm_up_steps :]
    assert (scores < np.array([point.on for point in scorer.manifest.thresholds()])).all()


def test_its_figures_are_those_of_a_run_that_held_out_folds(model):
    results = model.manifest.results
    assert (results["held out"]["fold"], results["held out"]["validation_fold"]) == (0, 0)
    assert results["command"] == COMMAND
    assert "fold 5 for the figures" in results["measured by"]["held_out_5"]
    assert results["clips"]["clips"] == 400
    card = (FOLDER / "card.md").read_text(encoding="utf-8")
    assert card.startswith("# sounds\n\nThe weights of this model learnt from all folds")
    assert f"Measured by `{COMMAND}`." in card
    assert f"| accuracy | {results['clips']['accuracy']:g} |" in card
    assert model.manifest.sha256 in card
