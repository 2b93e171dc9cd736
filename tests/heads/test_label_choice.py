"""Labels that are chosen of a model: their scores, their thresholds, and names that it does not have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.stage import offline
from streamer.errors import ConfigError, ModelError
from streamer.head_slots import DecisionConfig, LabelThresholds
from streamer.heads.head_decisions import thresholds_for
from streamer.heads.label_choice import choose_labels
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import SlotLabels, Thresholds
from tests import contract

LABELS = ("Speech", "Dog", "Music", "Police car (siren)", "Siren")
IDS = ("/m/1", "/m/2", "/m/3", "/m/4", "/m/5")


def tagger() -> Manifest:
    points = tuple(Thresholds(0.5 + n / 100, 0.1) for n in range(len(LABELS)))
    return Manifest(
        name="tagger",
        task="sounds",
        labels=LABELS,
        front_end=LogMelConfig(),
        hop_frames=10,
        latency_frames=10,
        warm_up_frames=96,
        states=(),
        sha256="",
        commit="",
        operating_points={"balanced": points, "recall": (Thresholds(0.2, 0.1),)},
        label_ids=IDS,
        other_slots={"gate": SlotLabels({"music": "Music"}, {"balanced": (Thresholds(0.8, 0.4),)})},
    )


def choose(slot: str = "sounds", **settings: object):
    return choose_labels(slot, slot, tagger(), DecisionConfig(**settings))


def test_all_labels_need_no_choice() -> None:
    assert choose() is None
    assert choose(labels=LABELS) is None


def test_labels_are_chosen_by_name_and_by_identifier_each_once() -> None:
    choice = choose(labels=("Siren", "/m/2", "Dog"))
    assert choice.manifest.labels == ("Siren", "Dog")
    assert choice.manifest.label_ids == ("/m/5", "/m/2")
    assert [point.on for point in choice.manifest.thresholds()] == [0.54, 0.51]
    assert choice.manifest.thresholds("recall") == (Thresholds(0.2, 0.1),) * 2
    scores = np.arange(20, dtype=np.float32).reshape(2, 2, 5)
    np.testing.assert_array_equal(offline(choice, scores), scores[..., [4, 1]])


def test_the_choice_keeps_the_contract() -> None:
    scores = np.random.default_rng(0).random((2, 30, 5), np.float32)
    contract.check_stage(choose(labels=("Siren", "Dog")), scores)


def test_equal_choices_are_shared() -> None:
    assert choose(labels=("Dog",)).key == choose(labels=("/m/2",)).key != choose(labels=("Siren",)).key


def test_another_slot_has_its_own_names_and_thresholds() -> None:
    choice = choose("gate")
    assert (choice.manifest.task, choice.manifest.labels) == ("gate", ("music",))
    assert choice.indices == (2,)
    assert choice.manifest.thresholds() == (Thresholds(0.8, 0.4),)


def test_a_slot_that_it_has_no_labels_for_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"model tagger decides 'sounds' and 'gate'; expected a model whose task is 'genre'"
    ):
        choose("genre")


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"labels": ("Dgo",)}, r"^\[sounds\] labels has 'Dgo'; expected labels of the model tagger: did you mean 'Do"),
        ({"labels": ("dog",)}, r"has 'dog'; .* did you mean 'Dog'\?$"),
        ({"labels": ("SIREN",)}, r"has 'SIREN'; .* did you mean 'Siren' or 'Police car \(siren\)'\?$"),
        ({"labels": ("/m/9",)}, r"has '/m/9'; expected labels of the model tagger: its card\.md lists them$"),
        ({"labels": ("",)}, r"has ''; expected labels of the model tagger: its card\.md lists them$"),
        (
            {"thresholds": {"Sirene": LabelThresholds(0.5)}},
            r"^\[sounds\] thresholds has 'Sirene'; expected labels of the model tagger: did you mean 'Siren'",
        ),
    ],
)  # fmt: skip
def test_a_label_that_is_not_there_is_refused_with_the_nearest(
    settings: dict[str, object], match: str
) -> None:
    with pytest.raises(ConfigError, match=match):
        choose(**settings)


def test_the_gate_does_not_know_the_tagger_s_other_labels() -> None:
    with pytest.raises(ConfigError, match=r"\[gate\] labels has 'Dog'; expected labels of the model tagger"):
        choose("gate", labels=("Dog",))


def test_thresholds_of_a_label_precede_those_for_all_and_the_model_s() -> None:
    config = DecisionConfig(
        off=0.05, thresholds={"Dog": LabelThresholds(on=0.7), "/m/5": LabelThresholds(0.9, 0.3)}
    )
    found = dict(zip(LABELS, thresholds_for("sounds", tagger(), config, "balanced"), strict=True))
    assert found["Speech"] == Thresholds(0.5, 0.05)
    assert found["Dog"] == Thresholds(0.7, 0.05)
    assert found["Siren"] == Thresholds(0.9, 0.3)


def test_one_threshold_that_contradicts_the_model_s_other_is_refused() -> None:
    config = DecisionConfig(thresholds={"Dog": LabelThresholds(on=0.05)})
    with pytest.raises(
        ConfigError,
        match=r"thresholds of sounds are on = 0\.05 \(from the configuration\), off = 0\.1 \(from model tagger\) for",
    ):
        thresholds_for("sounds", tagger(), config, "balanced")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"label_ids": IDS[:2]}, "2 label_ids for 5 labels; expected one for each, or none"),
        ({"other_slots": {"gate": SlotLabels({"music": "Musik"}, {})}}, "slot 'gate' is offered the label 'Musik'"),
    ],
)  # fmt: skip
def test_a_manifest_that_does_not_fit_together_is_refused(change: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        replace(tagger(), **change)
