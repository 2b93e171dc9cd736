"""Recordings of any data set, and of the user's own, from a folder of sounds to a model that listens."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

from streamer.cli.main import main as streamer
from streamer.config_sections import PREFERENCES
from streamer.errors import ConfigError
from streamer.inference.onnx import OnnxModel
from tests.conftest import ROOT
from tests.toy_model import write_toy_ear, write_toy_head
from tests.train import toy_fma
from tests.train.toy_data import RATE_HZ, make_toy_data
from train.__main__ import main
from train.data.decode import FULL_SCALE, decode
from train.data.sets import fma
from train.data.sets.own_sounds import fold_by_hash, recordings
from train.evaluate.predictions import load
from train.evaluate.stepped_scores import SteppedScorer
from train.loop.config import read_config
from train.loop.registry import Evaluation
from train.tasks.recordings.figures import RecordingsFigures
from train.tasks.recordings.release import evaluate
from train.tasks.recordings.task import RecordingsRunConfig, RecordingsTask

TINY = [
    "model.hidden=0",
    "model.dropout=0.0",
    "loop.steps=60",
    "loop.batch=16",
    "loop.validate_every=20",
    "loop.learning_rate=0.1",
    "loop.average=0.0",
    "loop.schedule.cosine.warm_up_steps=5",
]
PITCHES = {"kettle": 3_000.0, "tap": 200.0}


def write_tone(path, pitch_hz: float, seconds: float) -> None:
    """A tone with some noise, no two alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(path.name.encode()))
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    tone = rng.uniform(0.1, 0.5) * np.sin(2 * np.pi * pitch_hz * rng.uniform(0.9, 1.1) * t)
    soundfile.write(path, tone + 0.003 * rng.standard_normal(len(t)), RATE_HZ)


def make_own_sounds(folder, each: int = 2):
    """Some of each class in each fold; those of one class are shorter than what the ear warms up for."""
    for category, pitch_hz in PITCHES.items():
        stems = [f"{category} {n}" for n in range(200)]
        for fold in range(1, 6):
            for stem in [stem for stem in stems if fold_by_hash(stem) == fold][:each]:
                seconds = 0.5 if category == "tap" else 4.0
                write_tone(folder / category / f"{stem}.wav", pitch_hz, seconds)
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of own sounds beside runs and data of its own; the ear is the released one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(tmp_path))
    (tmp_path / "models").symlink_to(ROOT / "models")
    make_own_sounds(tmp_path / "kitchen")
    return tmp_path


def run(*arguments, settings=()):
    assignments = [item for text in settings for item in ("--set", text)]
    return CliRunner().invoke(main, [*arguments, *assignments], catch_exceptions=False)


def refused(*arguments, settings=()):
    """The error's only line; no run is left behind."""
    done = run(*arguments, settings=settings)
    assert done.exit_code != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert run("list").stdout == ""
    return line


def task_of(folder, ear, *settings):
    config = read_config(RecordingsRunConfig, None, [*TINY, f"data={folder}", f"ear={ear}", *settings])
    return RecordingsTask(config, folder.parent, folder.parent / "cache")


def test_the_whole_way_from_a_folder_of_own_sounds_to_what_is_said_live(place):
    folder = run("recordings", settings=[*TINY, "data=kitchen"]).stdout.strip()
    released = run("release", "recordings", "--out", "heard")
    assert released.exit_code == 0, released.output
    manifest = OnnxModel(place / "heard").manifest
    assert (manifest.name, manifest.task, manifest.labels) == ("kitchen", "sounds", ("kettle", "tap"))
    assert manifest.exclusive
    assert set(manifest.operating_points) == set(PREFERENCES)
    assert manifest.results["clips"] | {"what": ""} == {
        "what": "",
        "clips": 4,
        "accuracy": 1.0,
        "95 % of resampled clips": "1.000 to 1.000",
    }
    assert manifest.results["categories"]["tap"] == "1.00 1.00 of 2"
    assert "the user's own" in (place / "heard" / "card.md").read_text()

    again = json.loads(run("evaluate", "recordings", "--model", "heard").stdout)
    assert again == {name: manifest.results[name] for name in again}  # what it learnt from is in the manifest

    config = read_config(RecordingsRunConfig, place / folder / "config.json")
    kept = place / folder / "predictions"
    evaluate(Evaluation(place / "heard", config, "test", place, place / "runs" / "cache", kept))
    said = load(kept / "test.npz")
    assert set(said.folds) == {5}
    assert Counter(clip.rpartition(" ")[0] for clip in said.clips) == {
        "kitchen/kettle/kettle": 2,
        "kitchen/tap/tap": 2,
    }
    report = run("report", folder)
    assert report.exit_code == 0, report.output
    assert "Accuracy against time" in (place / folder / "report.html").read_text()

    write_tone(place / "live.wav", PITCHES["kettle"], seconds=5.0)
    off = [item for name in ("gate", "genre", "taught") for item in ("--model", f"{name}=off")]
    live = CliRunner().invoke(streamer, ["analyze", "live.wav", "--model", "sounds=heard", *off])
    assert live.exit_code == 0, live.output
    decisions = [line for line in map(json.loads, live.stdout.splitlines()) if line["kind"] == "sound"]
    assert {(line["model"], line["label"]) for line in decisions} == {("kitchen", "kettle")}
    assert decisions[0]["state"] == "on"

    (place / "kitchen" / "tap").rename(place / "kitchen" / "drip")
    renamed = run("evaluate", "recordings", "--run", folder)
    assert renamed.exit_code == 2
    assert "clips are of drip, which model" in renamed.stderr


def test_music_of_ones_own_is_a_genre(place):
    folder = run("recordings", settings=[*TINY, "data=kitchen", "own_music=true"]).stdout.strip()
    assert run("export", "recordings", "--run", folder, "--out", "heard").exit_code == 0
    assert OnnxModel(place / "heard").manifest.task == "genre"


def test_the_whole_way_from_fma_to_genres_and_sub_genres(place, monkeypatch):
    monkeypatch.setattr(fma, "MIN_SECONDS", 1.0)
    rows = []
    for number in range(2, 42):
        split = ("training", "training", "training", "validation", "test")[number // 2 % 5]
        top, genres = ("Rock", "[25]") if number % 2 else ("Pop", "[10]")
        rows.append(toy_fma.row(number, number, split, top=top, genres=genres, genres_all=genres))
        write_tone(
            place / "fma" / "fma_small" / "000" / f"{number:06}.mp3", 3_000.0 if number % 2 else 200.0, 3.0
        )
    toy_fma.write_tables(place, rows)
    folder = run("recordings", settings=[*TINY, "data=fma_small"]).stdout.strip()
    measured = run("evaluate", "recordings", "--run", folder)
    assert measured.exit_code == 0, measured.output
    assert json.loads(measured.stdout)["clips"]["accuracy"] == 1.0
    assert len(load(place / folder / "predictions" / "test.npz").clips) == 8
    manifest = OnnxModel(place / folder / "exported").manifest
    assert (manifest.name, manifest.task, manifest.labels) == ("fma_small", "genre", ("Pop", "Rock"))
    assert manifest.trained_on == ({"name": "FMA small", "licence": fma.LICENCE},)

    config = read_config(RecordingsRunConfig, None, [*TINY, "data=fma_small_sub_genres"])
    task = RecordingsTask(config, place, place / "runs" / "cache")
    assert task.labels == ("Pop", "Punk")
    task.make_batch(1, 0, 4)


def test_a_batch_depends_on_its_number_alone_and_short_recordings_are_repeated(tmp_path):
    task = task_of(make_own_sounds(tmp_path / "kitchen"), write_toy_ear(tmp_path / "ear"), "mixup=0.0")
    batch, again, other = (task.make_batch(1, step, 12) for step in (5, 5, 6))
    embeddings, targets = batch
    assert embeddings.shape == (12, 40, 4)
    assert sorted(set(targets.flatten().tolist())) == pytest.approx([0.05, 0.95])
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    assert not torch.equal(embeddings, other[0])
    taps = embeddings[targets[:, 1] > 0.5]  # of half a second: six steps
    assert torch.equal(taps[:, :34], taps[:, 6:])


def test_what_is_held_out_is_not_learnt_from_and_what_is_learnt_is_what_the_ear_hears_live(tmp_path):
    ear = write_toy_ear(tmp_path / "ear")
    task = task_of(make_own_sounds(tmp_path / "kitchen"), ear)
    assert {r.fold for r in task._learnt.recordings} == {1, 2, 3}
    assert {r.fold for r in task._checked.recordings} == {4}
    sound = decode(task._learnt.recordings[0]).astype(np.float32) / np.float32(FULL_SCALE)
    live = SteppedScorer.of(ear).scores(sound[None])[0]
    np.testing.assert_allclose(task._learnt.embeddings(0), live, atol=4e-3)  # float16, -6.9 to 5.6


def test_folders_that_cannot_be_learnt_from_are_named(place):
    (place / "ours").mkdir()
    assert "ours has 0 folders; expected at least two" in refused("recordings", settings=["data=ours"])
    shutil.copytree(place / "kitchen" / "tap", place / "ours" / "tap")
    assert "ours has 1 folders; expected at least two" in refused("recordings", settings=["data=ours"])
    (place / "ours" / "door").mkdir()
    assert "door has no sound files" in refused("recordings", settings=["data=ours"])
    assert "data is ''; expected one of esc50, gtzan," in refused("recordings")
    assert "data is 'nowhere'; expected one of" in refused("recordings", settings=["data=nowhere"])
    assert "fma_metadata has no tracks.csv" in refused("recordings", settings=["data=fma_medium"])


def test_a_class_whose_clips_are_all_broken_or_in_no_learnt_fold_is_named(place):
    kettles = [clip for clip in recordings(place / "kitchen", "sound") if clip.category == "kettle"]
    learnt = [clip.paths[0] for clip in kettles if clip.fold <= 3]
    for path in learnt:
        path.write_bytes(b"no sound")
    said = "kitchen has no clips of kettle in folds 1, 2, 3; expected some of each of 2 classes"
    assert said in refused("recordings", settings=["data=kitchen"])
    for path in learnt:
        path.unlink()
    assert said in refused("recordings", settings=["data=kitchen"])


def test_a_fold_of_a_single_clip_is_named_whichever_it_is(place):
    *others, _ = [clip.paths[0] for clip in recordings(place / "kitchen", "sound") if clip.fold == 5]
    for path in others:
        path.unlink()
    said = "fold 5 of kitchen has 1 clips; expected at least 2; add recordings"
    assert said in refused("recordings", settings=["data=kitchen"])


def test_an_ear_that_has_heard_the_data_set_is_refused_and_of_own_sounds_it_has_heard_none(place):
    make_toy_data(place)
    table = place / "esc50" / "esc50.csv"
    table.write_text(table.read_text().replace("False", "True"))  # a fold of ESC-10 needs two clips
    for data in ("esc50", "esc10"):
        settings = [f"data={data}", "fold=1", "validation_fold=2"]
        assert "holds out {'fold': 5, 'validation_fold': 4}; expected {'fold': 1" in refused(
            "recordings", settings=settings
        )
    task = task_of(place / "kitchen", "models/released/ear", "fold=1", "validation_fold=2")
    assert {r.fold for r in task._learnt.recordings} == {3, 4, 5}


def test_a_model_of_own_sounds_is_not_put_among_those_that_ship(place):
    assert run("recordings", settings=[*TINY, "data=kitchen", "loop.steps=1"]).exit_code == 0
    done = run("release", "recordings")
    assert done.exit_code == 2
    assert "--out is models/released/recordings, among the models that ship; expected a folder" in done.stderr


def test_clips_that_a_model_does_not_know_are_not_measured(place):
    write_toy_head(place / "toy", write_toy_ear(place / "ear"), "sounds")
    done = run("evaluate", "recordings", "--model", "toy")
    assert "data is ''; expected one of" in done.stderr
    config = RecordingsRunConfig(data="kitchen")
    with pytest.raises(ConfigError, match="clips are of kettle, tap, which model toy does not know"):
        RecordingsFigures(Path("toy"), config, place, place / "cache", "test")
