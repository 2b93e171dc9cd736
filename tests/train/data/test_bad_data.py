"""What is not as it should be stops a training before it begins, with one line."""

import numpy as np
import pytest
from click.testing import CliRunner

from tests.toy_model import write_toy_ear
from tests.train.toy_data import make_toy_data
from train.__main__ import main


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Toy data of two clips a fold, an ear for the heads, and runs of their own."""
    root = make_toy_data(tmp_path / "data")
    monkeypatch.setenv("STREAMER_DATA", str(root))
    monkeypatch.chdir(tmp_path)
    write_toy_ear(tmp_path / "ear")
    return root


def refused(*arguments):
    """The error's only line; no run is left behind."""
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert CliRunner().invoke(main, ["list"]).stdout == ""
    return line


TASKS = [("ear",), ("sounds", "--set", "ear=ear")]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task[0])
def test_a_class_whose_clips_are_all_broken_is_named(toy, task):
    for path in (toy / "esc50" / "audio").glob("[123]-*-dog.flac"):
        path.write_bytes(b"no sound")
    said = refused(*task)
    assert (
        "esc50 has no clips of dog in folds 1, 2, 3; expected some of each of 2 classes; complete the" in said
    )


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task[0])
def test_a_fold_of_a_single_clip_is_named(toy, task):
    (toy / "esc50" / "audio" / "4-1-A-dog.flac").unlink()
    assert "fold 4 of esc50 has 1 clips; expected at least 2; add recordings" in refused(*task)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task[0])
def test_a_folder_that_is_no_data_set_is_named(toy, task):
    (toy / "esc50" / "esc50.csv").write_text("name,size\na,1\n")
    assert "esc50.csv" in refused(*task)


def test_a_folder_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("STREAMER_DATA", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    assert "none is not a folder; set STREAMER_DATA to the folder that holds the data sets" in refused("ear")


def test_a_genre_without_tracks_is_named(toy):
    content = {
        "mel": np.zeros((40, 128, 130), np.int8),
        "scale": np.float32(0.1),
        "genre": np.arange(40) % 2,
        "genres": np.array(["blues", "rock", "polka"]),
        "group": np.arange(40),
        "audio": np.full(40, ""),
    }
    np.savez(toy / "gtzan" / "mels.npz", **content)
    assert "gtzan/mels.npz has no tracks of polka in folds 1, 2, 3" in refused("genre")


def test_a_head_is_not_taught_on_what_is_no_ear(toy):
    assert "has no manifest.json; expected a released-model folder" in refused(
        "sounds", "--set", "ear=absent"
    )
