"""The laboratory's rows of FMA: from a folder in its layout to a row, by halves of clips, and without the folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.errors import ConfigError
from tests.train.toy_fma import RATE_HZ, make_toy_fma
from train.data.sets import fma
from train.errors import AbsentError
from train.evaluate import predictions
from train.evaluate.metrics.classification import ranked
from train.evaluate.predictions import Predictions
from train.lab import command, page, results
from train.lab.rows import ROWS
from train.lab.systems import network
from train.loop.config import read_config
from train.mixing.mel_images import CENTRE_DB, SCALE_DB, MelImageConfig
from train.mixing.mel_parts import MelParts
from train.tasks.reference.networks import FmaCrnnRunConfig
from train.tasks.reference.task import ImageTask

IMAGE = MelImageConfig(rate_hz=RATE_HZ, hop_samples=1_024, frames=24)
TINY = """
data = "{data}"
mixup = 0.0
[model]
filters = 8
units = 8
hidden = 8
dropout = 0.0
[image]
frames = 24
[loop]
steps = 60
batch = 12
validate_every = 30
learning_rate = 1e-2
[loop.schedule.cosine]
warm_up_steps = 5
[variations]
share = 0.0
masks = 0
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_fma(tmp_path_factory.mktemp("data"))


@pytest.fixture
def here(toy, tmp_path, monkeypatch):
    """A folder with a page to write, small settings of FMA's rows, and clips that may be shorter than FMA's."""
    monkeypatch.setattr(fma, "MIN_SECONDS", 1.0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "fma_crnn.toml").write_text(TINY.format(data="fma_small"))
    (folder / "fma_crnn_sub_genres.toml").write_text(TINY.format(data="fma_small_sub_genres"))
    monkeypatch.setattr(network, "CONFIGS", folder)
    lines = "\n".join(f"<!-- {name} -->\n<!-- end {name} -->" for name in page.PLACES)
    (tmp_path / "laboratory.md").write_text(f"By hand.\n\n{lines}\n")
    return tmp_path


def lab(*options):
    return CliRunner().invoke(command.lab_command, [*options, "--into", "laboratory"])


@pytest.mark.parametrize(
    ("name", "genres"),
    [
        ("fma_crnn", ("Electronic", "Pop", "Rock")),
        ("fma_crnn_sub_genres", ("Ambient Electronic", "Pop", "Punk")),
    ],
)
def test_the_whole_way_from_clips_to_a_row(here, name, genres):
    done = lab("--only", name)
    assert done.exit_code == 0, done.output
    (run,) = (here / "runs" / "fma_crnn").iterdir()
    config = json.loads((run / "config.json").read_text())
    assert (config["fold"], config["validation_fold"]) == (5, 4)  # FMA's own test and validation
    found = predictions.load(run / "predictions" / "test.npz")
    assert found.labels == genres
    assert found.scores.shape == (6, 2, 3)  # six clips of two halves
    stored = results.read(here / "laboratory")[name].figures
    assert set(stored) == set(ROWS[name].table.figures)
    clips = found.scores.mean(axis=1)
    assert stored["accuracy"] == {"5": pytest.approx(np.mean(clips.argmax(1) == found.truth), abs=1e-4)}
    assert stored["accuracy"]["5"] > 0.8  # the tone of 12 kHz is told from none: nothing is decoded at 16 kHz
    assert stored["top-3 accuracy"] == {"5": 1.0}
    entropy = -np.log(clips[np.arange(6), found.truth]).mean()
    assert stored["cross entropy"] == {"5": pytest.approx(entropy, abs=1e-4)}
    environment = json.loads((run / "environment.json").read_text())
    reasons = {text.split(":")[0]: text for text in environment["data"]["skipped"]}
    assert set(reasons) == {f"fma_small/0000{number}" for number in range(90, 94)}
    assert "fma_small should have at least 1 s" in reasons["fma_small/000092"]
    text = (here / "laboratory.md").read_text()
    place = text.partition(f"<!-- {ROWS[name].table.place} -->")[2].partition("<!-- end")[0]
    assert f"| {ROWS[name].title} | {stored['accuracy']['5']:.3f} (fold 5) | 1.000 (fold 5) |" in place


def test_the_halves_of_a_clip_are_mapped_images_and_stay_together(here, toy):
    found = MelParts(fma.recordings(toy), here / "cache", IMAGE, parts=2)
    assert len(found) == 2 * 30 - 1  # one clip is silent in its second half
    first, second = (place for place, name in enumerate(found.names) if name == "fma_small/000010")
    assert second == first + 1
    assert found.names.count("fma_small/000016") == 1
    folds = dict(zip(found.names, found.folds, strict=True))
    assert all(folds[name] == fold for name, fold in zip(found.names, found.folds, strict=True))
    assert found.image(first).shape == (128, 24)
    assert found.image(first).dtype == np.float32
    assert not np.array_equal(found.image(first), found.image(second))
    decibels = found.image(first) * SCALE_DB + CENTRE_DB
    assert decibels.max() == pytest.approx(0.0, abs=0.05)
    assert isinstance(found._cache.part(0, 1, 1), np.memmap)
    made = {path.stat().st_mtime_ns for path in (here / "cache" / "images").glob("*/*.npy")}
    MelParts(fma.recordings(toy), here / "cache", IMAGE, parts=2)
    assert {path.stat().st_mtime_ns for path in (here / "cache" / "images").glob("*/*.npy")} == made


def test_images_are_of_the_rate_of_the_files(here, toy):
    found = MelParts(fma.recordings(toy), here / "cache", IMAGE, parts=2)
    loudest = [
        found.image(place)[:, 4:20].mean(1).argmax()
        for place, genre in enumerate(found.categories)
        if genre == "Electronic"
    ]
    # A tone of 12 kHz, up to 3 % higher or lower: Slaney's band with a centre of 11.6 to 12.4 kHz of 128 to 22.05 kHz.
    assert min(loudest) >= 105
    assert max(loudest) <= 111


def test_a_clip_of_30_s_has_two_halves_of_15_s_by_the_settings_of_the_rows(tmp_path):
    config = read_config(FmaCrnnRunConfig, network.CONFIGS / "fma_crnn.toml")
    assert config.clip_s == pytest.approx(15.0, abs=0.03)
    assert config.image == FmaCrnnRunConfig().image
    assert (config.image.rate_hz, config.image.bands, config.image.hop_samples) == (44_100, 128, 1_024)
    clip = make_toy_fma(tmp_path, 1.3) / "fma" / "fma_small" / "000" / "000010.mp3"
    recording = next(one for one in fma.recordings(tmp_path) if one.paths[0] == clip)
    t = np.arange(30 * RATE_HZ) / RATE_HZ
    soundfile.write(clip, 0.2 * np.sin(2 * np.pi * (200 + 50 * t) * t), RATE_HZ, format="MP3")
    found = MelParts([recording], tmp_path / "cache", config.image, config.parts)
    assert [found.image(place).shape for place in range(len(found))] == [(128, 646)] * 2
    assert found.image(0)[:, 100].argmax() < found.image(1)[:, 100].argmax()  # the tone rises


def test_a_class_of_which_nothing_is_learnt_is_named(here, toy, tmp_path):
    class OnlyRock(FmaCrnnRunConfig):
        def recordings(self, folds, data, cache):
            found = super().recordings(folds, data, cache)
            return found if self.checked_fold in folds else [one for one in found if one.category == "Rock"]

    with pytest.raises(ConfigError, match="clips to check are of Electronic, Pop, of which none are learnt"):
        ImageTask(read_config(OnlyRock, None, ["image.frames=24"]), toy, tmp_path / "cache")


def test_ranks_are_those_of_the_mean_over_the_steps():
    scores = np.array(
        [
            [[0.5, 0.3, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1]],  # means 0.3 and 0.5: second
            [[0.1, 0.2, 0.3, 0.4], [np.nan] * 4],  # last of four
        ]
    )
    one = Predictions(
        task="fma_crnn",
        model="fma_crnn",
        labels=("a", "b", "c", "d"),
        clips=("x", "y"),
        truth=np.array([0, 0]),
        folds=np.full(2, 5),
        step_s=15.0,
        scores=scores,
        command="",
        rule="mean_probability",
    )
    assert ranked(one) == {
        "top-3 accuracy": 0.5,
        "cross entropy": pytest.approx(-(np.log(0.3) + np.log(0.1)) / 2, abs=1e-4),
    }
    assert ranked(one, first=1)["top-1 accuracy"] == 0.0


def test_without_fma_the_folder_and_where_to_get_it_are_named(here, tmp_path, monkeypatch):
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("STREAMER_DATA", str(tmp_path / "nothing"))
    done = lab("--only", "fma_crnn")
    assert isinstance(done.exception, AbsentError)
    assert str(done.exception) == (
        f"{tmp_path / 'nothing' / 'fma' / 'fma_metadata'} has no tracks.csv; unpack fma_metadata.zip into "
        f"{tmp_path / 'nothing' / 'fma'}, which https://github.com/mdeff/fma links to"
    )


@dataclass(frozen=True)
class Refusing:
    """A system that cannot be measured."""

    error: Exception

    def measure(self, name, folds):
        raise self.error


def test_rows_whose_data_are_absent_are_left_out_of_all_rows_alone(here, monkeypatch):
    absent = SimpleNamespace(system=Refusing(AbsentError("no clips; unpack some")))
    monkeypatch.setattr(command, "ROWS", {"fma_crnn": absent, "fma_flat": absent})
    done = lab()
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "left out fma_crnn: no clips; unpack some",
        "left out fma_flat: no clips; unpack some",
    ]
    broken = SimpleNamespace(system=Refusing(ConfigError("a broken table")))
    monkeypatch.setattr(command, "ROWS", {"fma_crnn": broken})
    assert isinstance(lab().exception, ConfigError)


def test_parts_are_one_or_more():
    with pytest.raises(ConfigError, match="parts is 0; expected 1 or more, such as 2 for halves"):
        read_config(FmaCrnnRunConfig, None, ["parts=0"])
