"""Our own models as rows of the laboratory: they are measured on the fold that they held out, and on no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ConfigError
from tests.toy_model import write_toy_model
from tests.train.toy_data import make_toy_data
from train.data.decode import RATE_HZ
from train.errors import AbsentError
from train.evaluate.stepped_scores import SteppedScorer
from train.lab.rows import ROWS
from train.lab.systems.classifier import DECISIONS, Classifier
from train.lab.systems.network import Network
from train.lab.systems.own_model import OwnModel, from_a_fresh_start, gate_answer, listening_on


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    make_toy_data(folder / "data")
    write_toy_model(folder / "gate", label="music")
    return folder


@pytest.fixture
def gate(toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy / "data"))
    return OwnModel("gate", toy / "gate", gate_answer(from_a_fresh_start))


def test_our_gate_is_measured_on_the_fold_that_it_held_out(gate):
    measured, outcomes = gate.measure("our_gate", [5])
    assert set(DECISIONS) < set(measured.figures)
    assert all(set(by_fold) == {"5"} for by_fold in measured.figures.values())
    assert measured.minutes is None  # no run is beside it
    assert set(outcomes.folds) == {5}
    accuracy = outcomes.right.sum() / outcomes.examples.sum()
    assert accuracy == pytest.approx(measured.figures["accuracy"]["5"], abs=1e-4)


def test_a_fold_that_our_model_learnt_from_is_refused(gate):
    with pytest.raises(ConfigError, match="our_gate has learnt from fold 4; expected 5, which it held out"):
        gate.measure("our_gate", [4, 5])


def test_a_model_that_is_not_there_is_refused(gate):
    absent = OwnModel("gate", Path("runs/gate/none/released"), gate_answer(from_a_fresh_start))
    with pytest.raises(
        AbsentError, match=r"our_gate is measured by runs/gate/none/released, which is not there"
    ):
        absent.measure("our_gate", [])


def test_a_second_alone_has_no_past_and_listening_on_has(toy):
    scorer = SteppedScorer.of(toy / "gate", "gate")
    rng = np.random.default_rng(0)
    sound = np.concatenate([level * rng.standard_normal(RATE_HZ) for level in (0.3, 0.3, 1e-4)])
    sound = sound.astype(np.float32)
    seconds = np.array([0, 2])
    alone, on = from_a_fresh_start(scorer, sound, seconds), listening_on(scorer, sound, seconds)
    assert alone.shape == on.shape == (2,)
    assert alone[0] == pytest.approx(on[0])
    assert (alone[0], alone[1]) == (pytest.approx(1.0, abs=0.1), pytest.approx(0.0, abs=0.1))
    assert on[1] == pytest.approx(scorer.all_scores([sound])[0][-1, 0])  # the third second is the last
    # A loud beginning is heard at its end, whatever follows: the score is that of what was heard by then.
    np.testing.assert_allclose(listening_on(scorer, sound[:RATE_HZ], np.array([0])), on[:1])


def test_our_models_are_causal_and_what_sees_whole_clips_is_not():
    assert all(row.system.causal for name, row in ROWS.items() if name.startswith("our_"))
    whole = [row.system.causal for row in ROWS.values() if isinstance(row.system, Classifier | Network)]
    assert whole
    assert not any(whole)
