"""Test YAMNet as a tagger, from its SavedModel to the labels of the bundled recording."""

from __future__ import annotations

from pathlib import Path

import pytest

import streamer
from streamer.yamnet.pull import pull_yamnet


@pytest.fixture(scope="module")
def yamnet(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "yamnet"
    pull_yamnet(str(data_dir / "yamnet" / "savedmodel"), 100, folder)
    return folder


def events(yamnet: Path, top: int = 5, **settings: object) -> list[streamer.Event]:
    config = streamer.Config(
        models=streamer.ModelsConfig({"genre": "off", "taught": "off"}),
        decisions={"sounds": streamer.DecisionConfig(**settings)},  # type: ignore[arg-type]
        publish=streamer.PublishConfig(top=top),
    )
    models = {"sounds": yamnet, "gate": yamnet}
    return list(streamer.analyze(streamer.DEMO_PATH, config=config, models=models))


def test_it_says_the_chosen_labels_alone(yamnet: Path) -> None:
    found = events(yamnet, labels=("Music", "/m/09x0r", "Rain"))
    decisions = [event for event in found if isinstance(event, streamer.Decision) and event.state == "on"]
    sounds = [(event.label, event.start / event.rate) for event in decisions if event.kind == "sound"]
    assert {label for label, _ in sounds} == {"Music", "Speech", "Rain"}
    gate = next(event for event in decisions if event.kind == "gate")
    assert (gate.label, gate.model) == ("music", "yamnet")
    # the recording has silence for 3 s, music, and speech from 12.9 s on
    assert dict(reversed(sounds))["Music"] == pytest.approx(3.0, abs=1.0)
    assert dict(reversed(sounds))["Speech"] == pytest.approx(12.9, abs=1.0)
    scores = [event.heads for event in found if isinstance(event, streamer.Scores)]
    assert all(set(heads["sounds"]) == {"Music", "Speech", "Rain"} for heads in scores)
    assert all(heads["gate"]["music"] == heads["sounds"]["Music"] for heads in scores)


def test_all_scores_are_there_for_who_asks_for_them(yamnet: Path) -> None:
    found = events(yamnet, top=521)
    scores = next(event.heads for event in found if isinstance(event, streamer.Scores))
    assert len(scores["sounds"]) == 521


def test_a_label_that_audioset_does_not_have_is_refused(yamnet: Path) -> None:
    with pytest.raises(
        streamer.ConfigError,
        match=r"\[sounds\] labels has 'Dogs'; expected labels of the model yamnet: did you mean 'Dog'",
    ):
        events(yamnet, labels=("Dogs",))
