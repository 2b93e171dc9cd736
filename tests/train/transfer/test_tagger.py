"""Test the measurement of YAMNet's own labels: likeliest classes, thresholds, and decisions."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.config_sections import PREFERENCES
from streamer.dsp.log_mel import LogMelConfig
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from streamer.yamnet.folder import Check, write_folder
from streamer.yamnet.parity import EXACT
from streamer.yamnet.points import read_points
from streamer.yamnet.weights import Weights
from tests.yamnet.toy_weights import noise, toy_weights
from train.data.recordings import Recording
from train.data.sets import esc50
from train.evaluate.stepped_scores import SteppedScorer
from train.transfer.audioset_labels import ESC50_LABELS, KIND_LABELS, MAY_SOUND, naming_labels
from train.transfer.tagger import TaggedClips, tag
from train.transfer.tagger_figures import figures, likeliest_classes
from train.transfer.yamnet_points import _text, choose_points
from train.yamnet.torch_reference import TorchYAMNet

ALL_LABELS = tuple(
    dict.fromkeys([label for row in ESC50_LABELS.values() for label in row] + [*KIND_LABELS.values()])
)


def recordings(each: int = 2) -> list[Recording]:
    """Clips of every class in every fold, and of every kind."""
    found = []
    for fold in range(1, 6):
        for n in range(each):
            found += [Recording("esc50", f"{c}{fold}{n}", (), "sound", c, fold) for c in ESC50_LABELS]
            found += [Recording("made", f"{k}{fold}{n}", (), k, "", fold) for k in KIND_LABELS]  # type: ignore[arg-type]
    return found


def tagged(score: float = 0.8, other: float = 0.1) -> TaggedClips:
    """Clips in which the label that names them scores `score`, and every other one less."""
    chosen, names = recordings(), naming_labels()
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.0, other, (len(chosen), len(ALL_LABELS))).astype(np.float32)
    for row, one in zip(scores, chosen, strict=True):
        name = names.get(one.category if one.source == "esc50" else one.kind)
        if name:
            row[ALL_LABELS.index(name)] = score + rng.uniform(-0.05, 0.05)
    return TaggedClips(chosen, ALL_LABELS, scores, scores, [np.stack([row, 0.9 * row]) for row in scores])


def manifest(points: dict[str, tuple[Thresholds, ...]]) -> Manifest:
    return Manifest(
        "yamnet", "sounds", ALL_LABELS, LogMelConfig(), 10, 10, 96, (), "", "", operating_points=points
    )


def test_every_class_of_esc50_is_there_and_every_label_is_yamnet_s(data_dir: Path) -> None:
    assert tuple(ESC50_LABELS) == tuple(sorted(esc50.classes(data_dir)))
    with (data_dir / "yamnet" / "yamnet_class_map.csv").open(encoding="utf-8", newline="") as lines:
        known = {row["display_name"] for row in csv.DictReader(lines)}
    assert set(ALL_LABELS) <= known
    assert set(MAY_SOUND) <= set(naming_labels().values())
    assert {name for names in MAY_SOUND.values() for name in names} <= {*ESC50_LABELS, *KIND_LABELS}


def test_no_label_belongs_to_two_classes() -> None:
    labels = [label for row in ESC50_LABELS.values() for label in row]
    assert len(set(labels)) == len(labels)


def test_the_likeliest_class_is_that_of_the_highest_label() -> None:
    scores = np.zeros((3, len(ALL_LABELS)))
    for row, (label, score) in enumerate([("Bark", 0.7), ("Cat", 0.6), ("Rain on surface", 0.2)]):
        scores[row, ALL_LABELS.index("Dog")] = 0.1
        scores[row, ALL_LABELS.index(label)] = score
    found = likeliest_classes(ALL_LABELS, scores, ["can_opening", "cat", "dog", "rain"])
    assert found.tolist() == ["dog", "cat", "rain"]


def test_thresholds_lie_between_what_sounds_and_what_does_not() -> None:
    others, measured = choose_points(tagged())
    assert set(measured) == set(naming_labels().values())
    for points in (others, *measured.values()):
        assert set(points) == set(PREFERENCES)
        assert 0.1 < points["balanced"].on <= 0.8
        assert points["recall"].on <= points["balanced"].on <= points["precision"].on
        assert all(point.off < point.on for point in points.values())


def test_what_may_sound_is_no_false_alarm() -> None:
    clips = tagged()
    engine = ALL_LABELS.index("Engine")
    chainsaws = clips.groups == "chainsaw"
    clips.highest[chainsaws, engine] = 0.99
    assert choose_points(clips)[1]["Engine"]["balanced"].on < 0.9
    clips.highest[clips.groups == "dog", engine] = 0.78
    precise = choose_points(clips)[1]["Engine"]["precision"].on
    assert precise > choose_points(tagged())[1]["Engine"]["precision"].on


def test_classes_without_a_label_are_never_named() -> None:
    points = {name: (Thresholds(0.5, 0.2),) for name in PREFERENCES}
    found = figures(tagged(), manifest(points))
    assert found["clips"] == 500
    assert found["classes with a label"]["mean"] == 1.0
    assert found["all classes"]["mean"] == pytest.approx(47 / 50)
    assert found["decisions"]["balanced"] == {
        "clips, own": 1.0,
        "clips, others": 0.0,
        "music": 1.0,
        "speech": 1.0,
        "singing": 1.0,
        "speech in music": 0.0,
        "music in speech": 0.0,
    }


def test_stored_points_are_those_that_were_chosen() -> None:
    stored = {
        "relu": {"gate": {"balanced": [0.5, 0.2]}, "others": {}, "labels": {"A, b": {"recall": [0.2, 0.1]}}}
    }
    assert json.loads(_text(stored)) == stored


@pytest.mark.parametrize("relu_max", [math.inf, 6.0])
def test_points_that_come_along_are_for_all_that_was_measured(relu_max: float) -> None:
    points = read_points(relu_max)
    assert set(points.measured) == set(naming_labels().values())
    found = points.for_labels(["Dog", "Television"])
    assert set(found) == set(PREFERENCES)
    assert found["balanced"] == (points.measured["Dog"]["balanced"], points.others["balanced"])


def test_recordings_are_tagged_as_live(tmp_path: Path) -> None:
    weights = toy_weights()
    names = [*ALL_LABELS, *(f"class {n}" for n in range(521 - len(ALL_LABELS)))]
    weights = Weights(weights.arrays, weights.relu_max, names, "toy weights")
    folder = tmp_path / "yamnet"
    write_folder(weights, 10, [Check(TorchYAMNet(weights), EXACT)], [noise()], folder)
    sound = noise(2.5)
    sound[24_000:] = 0.0
    soundfile.write(tmp_path / "a.wav", sound, 16_000, subtype="PCM_16")
    clips = tag(
        folder, [Recording("esc50", "a", (tmp_path / "a.wav",), "sound", "dog", 1)], tmp_path / "cache"
    )
    assert clips.labels == ALL_LABELS
    assert clips.groups.tolist() == ["dog"]
    scorer = SteppedScorer.of(folder, "sounds")
    scores = scorer.all_scores([sound])[0][:, : len(ALL_LABELS)]
    settled = scores[scorer.warm_up_steps :]
    np.testing.assert_allclose(clips.highest[0], settled.max(axis=0), atol=1e-3)
    np.testing.assert_allclose(clips.mean[0], settled.mean(axis=0), atol=1e-3)
    assert 0 < len(clips.audible[0]) < len(scores)  # not the steps in the silence
    np.testing.assert_allclose(clips.audible[0], scores[: len(clips.audible[0])], atol=1e-3)


def test_the_threshold_of_speech_is_for_single_steps() -> None:
    clips = tagged()
    speech = ALL_LABELS.index("Speech")
    for n in np.flatnonzero(clips.groups == "speech"):
        clips.audible[n][:, speech] = 0.4
    assert choose_points(clips)[1]["Speech"]["balanced"].on < 0.5
