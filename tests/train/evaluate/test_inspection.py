import csv
import json

import numpy as np
import pytest
import soundfile

from streamer.errors import ConfigError, ModelError
from tests.toy_model import BANDS, write_toy_ear, write_toy_head, write_toy_model
from train.data.decode import ClipError
from train.evaluate import inspection, robustness, saliency
from train.evaluate.clips import Clips, own_folder
from train.evaluate.inspection import SampleScore, draw_sample, inspect, make_maps
from train.evaluate.predictions import Predictions, stacked
from train.evaluate.stepped_scores import SteppedScorer

PITCHES = {"low": 150.0, "top": 7_000.0}
COMMAND = "python -m train inspect sounds --run run"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """ESC-50's layout: eight tones, low and high, one after the other, of 5 s."""
    root = tmp_path_factory.mktemp("data")
    (root / "esc50" / "audio").mkdir(parents=True)
    rows = []
    for number in range(8):
        category = ("low", "top")[number % 2]
        t = np.arange(80_000) / 16_000
        tone = 0.3 * np.sin(2 * np.pi * (PITCHES[category] + number) * t)
        soundfile.write(root / "esc50" / "audio" / f"5-{number}.wav", tone, 16_000)
        rows.append({"filename": f"5-{number}.wav", "fold": 5, "category": category})
    with (root / "esc50" / "esc50.csv").open("w", newline="") as out:
        table = csv.DictWriter(out, ["filename", "fold", "category"])
        table.writeheader()
        table.writerows(rows)
    return root


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A choice of four bands on an ear, and a detector of what is loud."""
    folder = tmp_path_factory.mktemp("models")
    write_toy_head(folder / "sounds", write_toy_ear(folder / "ear"), "sounds", exclusive=True)
    write_toy_model(folder / "gate", label="music")
    return folder


def choice(models, data, wrong=()):
    """What the model says of all clips; the truth of some is another."""
    listener, clips = SteppedScorer.of(models / "sounds"), Clips(data)
    names = tuple(f"esc50/5-{n}" for n in range(8))
    truth = np.array([BANDS.index(("low", "top")[n % 2]) for n in range(8)])
    truth[list(wrong)] = BANDS.index("middle")
    return Predictions(
        task="sounds",
        model="toy",
        labels=BANDS,
        clips=names,
        truth=truth,
        folds=np.full(8, 5),
        step_s=listener.step_s,
        scores=stacked(listener.all_scores([clips.sound(name) for name in names])),
        command="none",
    )


def test_a_clip_is_found_by_its_name(data):
    clips = Clips(data)
    assert clips.find("esc50/5-1").category == "top"
    assert clips.sound("esc50/5-1").shape == (80_000,)
    for name, said in [
        ("esc50/none", "has no clip esc50/none; expected the data that it was evaluated on"),
        ("gtzan_mels/3", "gtzan_mels is not a data set with sound; expected one of esc50, gtzan"),
        ("speech/a", "has no sound files"),
    ]:
        with pytest.raises(ConfigError, match=said):
            clips.find(name)


def test_a_run_on_own_sounds_says_where_its_clips_are(tmp_path, data):
    for name in ("door/a.wav", "bell/b.wav"):
        path = tmp_path / "ours" / name
        path.parent.mkdir(parents=True)
        path.symlink_to(data / "esc50" / "audio" / "5-1.wav")
    (tmp_path / "config.json").write_text(json.dumps({"data": str(tmp_path / "ours")}))
    clips = Clips(data, own_folder(tmp_path))
    assert clips.have_sound("ours/bell/b.wav")
    assert clips.sound("ours/bell/b.wav").shape == (80_000,)
    assert not Clips(data).have_sound("ours/bell/b.wav")
    for data_sets in ("esc50", ["esc50", "gtzan"]):
        (tmp_path / "config.json").write_text(json.dumps({"data": data_sets}))
        assert own_folder(tmp_path) is None


def test_a_clip_whose_sound_is_gone_is_named(tmp_path, data):
    (tmp_path / "esc50").symlink_to(data / "esc50")
    clips = Clips(tmp_path)
    (data / "esc50" / "audio" / "5-7.wav").rename(data / "moved.wav")
    try:
        with pytest.raises(ClipError, match=r"5-7\.wav is not there"):
            clips.sound("esc50/5-7")
    finally:
        (data / "moved.wav").rename(data / "esc50" / "audio" / "5-7.wav")


def test_a_sample_is_spread_evenly_over_clips_that_have_sound_and_a_truth(tmp_path, data, models):
    whole = choice(models, data)
    truth = whole.truth.copy()
    truth[0] = -1
    said = Predictions(**{**vars(whole), "truth": truth})
    mels = Predictions(**{**vars(whole), "clips": tuple(f"gtzan_mels/{n}" for n in range(8))})
    mels.save(tmp_path / "predictions" / "test.npz")
    said.save(tmp_path / "predictions" / "test-tracks.npz")
    sample = draw_sample(tmp_path, "test", Clips(data), 3)
    assert sample.predictions.clips == ("esc50/5-1", "esc50/5-4", "esc50/5-7")
    assert [len(sound) for sound in sample.sounds] == [80_000] * 3
    assert len(draw_sample(tmp_path, "test", Clips(data), 99).sounds) == 7


def test_a_run_that_was_not_evaluated_says_how_to(tmp_path, data):
    run = tmp_path / "sounds" / "run"
    run.mkdir(parents=True)
    with pytest.raises(
        ConfigError,
        match="has no predictions for split test; make them: python -m train evaluate sounds --run run --split test",
    ):
        draw_sample(run, "test", Clips(data), 3)


def test_predictions_of_what_has_no_sound_are_refused(tmp_path, data, models):
    mels = {**vars(choice(models, data)), "clips": tuple(f"gtzan_mels/{n}" for n in range(8))}
    Predictions(**mels).save(tmp_path / "predictions" / "test.npz")
    with pytest.raises(
        ConfigError, match="for split test are of no clip with sound; expected some: hold another"
    ):
        draw_sample(tmp_path, "test", Clips(data), 3)


def test_everything_of_a_head_is_written_and_made_anew(tmp_path, data, models, monkeypatch):
    few = [d for d in robustness.STANDARD if d.name in ("gain, clipped", "low-pass")]
    monkeypatch.setattr(robustness.measure, "__defaults__", (few, 0))
    choice(models, data, wrong=[0, 2]).save(tmp_path / "predictions" / "test.npz")
    stale = tmp_path / "saliency" / "07.npz"
    saliency.SaliencyMap("a", "b", "c", np.zeros((1, 1)), np.zeros((1, 1))).save(stale)
    written = inspect(models / "sounds", tmp_path, "test", data, COMMAND, clips=8, maps=4)
    assert not stale.exists()
    maps = [tmp_path / "saliency" / f"0{n}.npz" for n in range(4)]
    assert written == [tmp_path / "cost.json", tmp_path / "robustness.json", *maps]
    found = json.loads((tmp_path / "robustness.json").read_text())
    assert (found["figure"], found["sounds"], found["clean"], found["command"]) == (
        "accuracy",
        8,
        0.75,
        COMMAND,
    )
    curves = {
        curve["name"]: dict(zip(curve["levels"], curve["values"], strict=True)) for curve in found["curves"]
    }
    assert set(curves) == {"gain, clipped", "low-pass"}
    assert curves["gain, clipped"][-10] == 0.75
    assert curves["low-pass"][2_000] == 0.25  # of the four high tones nothing is left
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert list(cost["models"]) == ["ear", "sounds"]


def test_maps_are_of_the_surest_mistakes_and_right_answers_and_point_at_the_sound(data, models, tmp_path):
    choice(models, data, wrong=[0, 1]).save(tmp_path / "predictions" / "test.npz")
    listener, sample = SteppedScorer.of(models / "sounds"), draw_sample(tmp_path, "test", Clips(data), 8)
    chosen = SampleScore(listener, sample).labels(4)
    assert {place for place, _ in chosen[:2]} == {0, 1}
    maps = make_maps(listener, sample, chosen)
    assert [found.truth for found in maps[:2]] == ["middle", "middle"]
    assert all(found.truth == found.predicted for found in maps[2:])
    for found in maps:
        quarters = found.saliency.reshape(len(found.saliency), 4, 16).mean(axis=(0, 2))
        assert BANDS[quarters.argmax()] == found.predicted
        assert found.log_mel.shape == found.saliency.shape == (498, 64)


def test_a_detector_is_told_by_f1_of_clips(data, models, tmp_path):
    listener, clips = SteppedScorer.of(models / "gate"), Clips(data)
    names = ("esc50/5-0", "esc50/5-1", "esc50/5-2")
    scores = stacked(listener.all_scores([clips.sound(name) for name in names]))
    judged = np.ones(scores.shape[:2], np.int8)
    judged[2] = -1
    said = Predictions(
        task="gate",
        model="toy",
        labels=("music",),
        clips=names,
        truth=np.array([0, -1, 0]),
        folds=np.full(3, 5),
        step_s=listener.step_s,
        scores=scores,
        command="none",
        step_truth=judged,
    )
    said.save(tmp_path / "predictions" / "test.npz")
    sample = draw_sample(tmp_path, "test", clips, 9)
    assert sample.predictions.clips == names[:2]  # what is not to be judged is left out
    told = SampleScore(listener, sample)
    assert told.name == f"F1 of clips, mean score at least {listener.manifest.thresholds()[0].on:g}"
    silence = np.zeros(80_000, np.float32)
    loud = np.random.default_rng(0).uniform(-0.5, 0.5, 80_000).astype(np.float32)
    assert told.figure([loud, loud]) == pytest.approx(2 / 3)  # one of them is music
    assert told.figure([loud, silence]) == 1.0
    assert told.figure([silence, silence]) == 0.0


def test_of_an_ear_the_cost_alone_is_measured(models, tmp_path, monkeypatch):
    monkeypatch.setattr(inspection.cost, "measure", lambda folders, command: {"command": command})
    written = inspect(models / "ear", tmp_path, "test", tmp_path, COMMAND, clips=8, maps=4)
    assert written == [tmp_path / "cost.json"]
    assert json.loads(written[0].read_text()) == {"command": COMMAND}


def test_a_head_is_not_heard_on_another_ear(tmp_path):
    ear = write_toy_ear(tmp_path / "ear")
    head = write_toy_head(tmp_path / "sounds", ear, "sounds")
    manifest = json.loads((head / "manifest.json").read_text())
    manifest["ear"]["sha256"] = "0" * 64
    (head / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(
        ModelError, match=r"was trained on another ear than the one in .*; put its own ear beside"
    ):
        SteppedScorer.of(head)
