"""`python -m train lab --pictures` draws the rows whose runs are there, and the tables side by side."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from streamer.errors import ConfigError
from tests.train.lab.test_lab import OUTCOMES, RESULT, TINY, here, toy  # noqa: F401 - fixtures
from train.lab import command, page, results
from train.lab.pictures import drawings
from train.lab.pictures.draw import CAPTIONS, draw_row
from train.lab.pictures.drawings import ShownClip
from train.lab.rows import ROWS
from train.lab.systems import network
from train.report import plots


def lab(*options):
    return CliRunner().invoke(command.lab_command, [*options, "--into", "laboratory"])


@pytest.fixture
def trained(here, monkeypatch):  # noqa: F811
    """A measured run of the network with attention, on toy clips."""
    settings = [*TINY, "model.width=8", "model.heads=2"]
    text = "\n".join(f"{key} = {value}" for key, value in (line.split("=") for line in settings))
    (network.CONFIGS / "sound_cnn_attention.toml").write_text(text)
    done = lab("--only", "sound_cnn_attention", "--fold", "5", "--fold", "4")
    assert done.exit_code == 0, done.output
    return here


def texts(path):
    """All texts of an SVG file, which must be well formed."""
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    return ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("text")]


def test_a_row_is_drawn_from_its_runs(trained):
    done = lab("--pictures", "--only", "sound_cnn_attention")
    assert done.exit_code == 0, done.output
    drawn = {path.stem: path for path in (trained / "laboratory" / "sound_cnn_attention").iterdir()}
    assert set(drawn) == set(CAPTIONS)
    assert all(path.stat().st_size < 150_000 for path in drawn.values())
    assert all("var(--" not in path.read_text() for path in drawn.values())
    assert {"fold 4", "fold 5", "loss", "entropy", "accuracy"} <= set(texts(drawn["curves"]))
    assert {"church_bells", "dog"} <= set(texts(drawn["confusion"]))
    assert {"church_bells (2)", "dog (2)"} <= set(texts(drawn["classes"]))
    named = "\n".join(texts(drawn["clips"]))
    assert {f"esc50/4-1-A-{label}" for label in ("dog", "church_bells")} <= set(named.split("\n"))
    assert re.search(r"(dog|church_bells), (rightly|taken for (dog|church_bells))", named)
    assert sum(", head 2" in text for text in texts(drawn["attention"])) == 2
    assert {"white noise", "speed", "pitch"} <= set(texts(drawn["robustness"]))
    text = (trained / "laboratory.md").read_text()
    assert "![sound_cnn_attention, curves](laboratory/sound_cnn_attention/curves.svg)" in text

    made = {path: path.read_bytes() for path in drawn.values()}
    draw_row("sound_cnn_attention", trained / "laboratory")
    assert {path: path.read_bytes() for path in drawn.values()} == made  # nothing in them is random


def test_a_row_without_a_run_is_refused(here):  # noqa: F811
    with pytest.raises(ConfigError, match=r"runs/sound_cnn has no measured run of sound_cnn; expected one"):
        draw_row("sound_cnn", here / "laboratory")
    assert isinstance(lab("--pictures", "--only", "sound_cnn").exception, ConfigError)


def test_a_row_that_keeps_no_runs_is_refused(tmp_path):
    with pytest.raises(
        ConfigError, match="music_svm keeps no runs to draw from; expected a network: music_att"
    ):
        draw_row("music_svm", tmp_path)


def test_pictures_are_of_all_folds():
    refused = lab("--pictures", "--fold", "5").exception
    assert str(refused).startswith("got --pictures and --fold; expected one")


def test_tables_are_drawn_without_runs(here, monkeypatch):  # noqa: F811
    monkeypatch.setattr(command, "ROWS", {"sound_cnn": ROWS["sound_cnn"]})
    slower = replace(RESULT, ms_per_s=20.0, figures={"accuracy": {"5": 0.9}})
    results.store(here / "laboratory", "sound_cnn", RESULT, OUTCOMES)
    results.store(here / "laboratory", "sound_cnn_first", slower, OUTCOMES)
    done = lab("--pictures")
    assert done.exit_code == 0, done.output
    assert "left out sound_cnn: runs/sound_cnn has no measured run" in done.output
    found = texts(here / "laboratory" / "sounds.svg")
    assert {ROWS["sound_cnn"].title, f"{ROWS['sound_cnn_first'].title} (one fold)", "accuracy"} <= set(found)
    assert "](laboratory/sounds.svg)" in page.write(here / "laboratory").read_text()


def test_a_standalone_drawing_has_colours_of_light_screens():
    text = plots.standalone(plots.lines({"a": ([0, 1], [0, 1])}, "x", "y"))
    assert text.startswith("<?xml")
    assert "var(" not in text
    assert 'fill="#fdfdfc"' in text  # the paper
    assert "#2864b8" in text  # the first series
    ET.fromstring(text)


def test_few_clips_are_drawn_in_two_rows():
    frames = np.random.default_rng(0).normal(size=(120, 16))
    shown = [ShownClip(f"toy/{n}", "dog", "cat" if n else "dog", frames, 1.2) for n in range(3)]
    found = str(drawings.clips(shown))
    assert found.count("<image") == 3
    assert found.count("dog, taken for cat") == 2
    assert found.count("dog, rightly") == 1
