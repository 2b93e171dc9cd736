"""`streamer.teach`: learnt, listed, forgotten and refused; what is analysed then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import streamer
from tests.custom_sounds.toy_background import HIGH_HZ, LOW_HZ, RATE_HZ, tone

pytestmark = pytest.mark.usefixtures("toys")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "taught"


def test_a_sound_is_taught_reported_listed_and_forgotten(folder: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", tone(LOW_HZ, rate_hz=44_100), 44_100)
    report = streamer.teach("hum", [tmp_path / "hum.wav", tone(LOW_HZ + 30)], RATE_HZ, folder=folder)
    assert (report.label, report.recordings) == ("hum", 2)
    taught = streamer.taught_sounds(folder)
    assert {label: [one.name for one in own] for label, own in taught.items()} == {
        "hum": ["hum", "recording-2"]
    }
    silence = np.zeros(RATE_HZ, np.float32)
    sound = np.concatenate([silence, tone(LOW_HZ), silence])
    decisions = [
        e for e in streamer.analyze(sound, RATE_HZ, models={"taught": str(folder)}) if e.kind == "taught"
    ]
    assert [(e.label, e.state) for e in decisions if e.state != "update"] == [
        ("hum", "off"),  # how things stand at first
        ("hum", "on"),
        ("hum", "off"),
    ]
    assert streamer.forget("hum", folder) == ["hum", "recording-2"]
    assert streamer.taught_sounds(folder) == {}


def test_a_single_recording_needs_no_list_and_is_known_the_second_time(folder: Path) -> None:
    for _ in range(2):
        assert streamer.teach("whistle", tone(HIGH_HZ), RATE_HZ, folder=folder).recordings == 1


@pytest.mark.parametrize(
    ("label", "recordings", "error", "match"),
    [
        ("hum", [], streamer.ConfigError, "nothing to learn 'hum' from; expected at least one recording"),
        ("a/b", [tone(LOW_HZ)], streamer.ConfigError, "label is 'a/b'; expected 1 to 40 letters"),
        (3, [tone(LOW_HZ)], streamer.ConfigError, "label is 3; expected text"),
        (
            "hum",
            np.zeros(RATE_HZ),
            streamer.StreamError,
            "recording-1: it is silent .*; no recording was kept",
        ),
        ("hum", ["a.wav"], streamer.ConfigError, "rate_hz is 16000 for files alone; expected none"),
        ("hum", [tone(LOW_HZ), [np.nan]], streamer.StreamError, "recording-2: samples has 1 values that are"),
        ("hum", tone(LOW_HZ)[:100], streamer.StreamError, "recording-1: it lasts 0.01 s; expected at least"),
        (
            "hum",
            [tone(LOW_HZ), "absent.wav"],
            streamer.StreamError,
            "absent: file 'absent.wav' cannot be opened",
        ),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    label: Any, recordings: Any, error: type[Exception], match: str, folder: Path
) -> None:
    with pytest.raises(error, match=match):
        streamer.teach(label, recordings, RATE_HZ, folder=folder)
    assert not folder.exists()


def test_a_folder_that_is_no_path_is_refused() -> None:
    with pytest.raises(streamer.ConfigError, match="folder is 3; expected a path"):
        streamer.taught_sounds(3)  # type: ignore[arg-type]


def test_forgetting_what_was_not_taught_is_refused(folder: Path) -> None:
    with pytest.raises(streamer.ConfigError, match="no taught sound 'hum'; there is none in"):
        streamer.forget("hum", folder)


def test_a_label_that_differs_in_case_alone_is_refused_before_anything_is_read(folder: Path) -> None:
    streamer.teach("kettle", [tone(LOW_HZ)], RATE_HZ, folder=folder)
    with pytest.raises(
        streamer.ConfigError,
        match=r"label is 'Kettle' and 'kettle' is taught already; .*: teach 'kettle', or remove",
    ):
        streamer.teach("Kettle", ["absent.wav"], folder=folder)
    assert list(streamer.taught_sounds(folder)) == ["kettle"]
