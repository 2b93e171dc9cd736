import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from streamer.config_sections import PREFERENCES
from streamer.errors import ConfigError
from streamer.inference.model_folders import read_manifest, verify_file
from tests.train.toy_data import make_toy_data
from train.__main__ import main
from train.data.sets.all_sound import unambiguous_recordings
from train.export.to_onnx import check_parity
from train.loop.checkpoint import Identity, load
from train.loop.config import read_config
from train.mixing.presence import IGNORE, NAMES, OTHER, PRESENT
from train.mixing.scenes import Scene
from train.tasks.gate.figures import ScoredRecording
from train.tasks.gate.release import GateRelease
from train.tasks.gate.task import STEP_SAMPLES, GateRunConfig, GateTask

TINY = [
    "model.spectral_channels=[6, 8, 8]",
    "model.channels=16",
    "model.dilations=[1, 2]",
    "scenes.seconds=2.0",
    "validation_scenes=4",
    "pieces=2",
    "loop.steps=100",
    "loop.batch=4",
    "loop.validate_every=50",
    "loop.average=0.0",
    "loop.schedule.cosine.warm_up_steps=1",
    "loop.learning_rate=1e-2",
    "loop.workers=0",
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def task(toy):
    return GateTask(read_config(GateRunConfig, None, TINY), toy, toy / "cache")


def test_a_batch_has_one_label_for_each_score_and_depends_on_its_number_alone(task):
    frames, labels = task.make_batch(1, 6, 3)
    again, _ = task.make_batch(1, 6, 3)
    other, _ = task.make_batch(1, 8, 3)
    assert frames.shape == (3, 84, 112)
    assert task.make_model()(frames)[0].shape[:2] == labels.shape == (3, 21)
    assert torch.equal(frames, again)
    assert not torch.equal(frames, other)


def test_every_other_batch_is_of_pieces_that_nobody_can_judge_at_once(task):
    frames, labels = task.make_batch(1, 7, 3)
    assert frames.shape == (6, 40, 112)
    assert labels.shape == (6, 10)
    assert (labels[:, :3] == IGNORE).all()
    assert (labels[:, 3:] != IGNORE).any()


def test_a_step_is_labelled_by_the_last_that_it_hears(task, monkeypatch):
    """Music from a sample on: the first step whose last window reaches that sample is the first of the change."""
    begins = 16_000

    def make(rng, samples):
        music = np.full(samples, OTHER, np.int8)
        music[begins:] = PRESENT
        return Scene(np.zeros(samples, np.float32), np.stack([music] * len(NAMES)), music)

    scenes = SimpleNamespace(make=make)
    _, labels = task._make(np.random.default_rng(0), scenes, 1)
    last_heard = [k * STEP_SAMPLES + 3 * 372 + 1_486 - 1 for k in range(labels.shape[1])]
    changed = next(k for k, sample in enumerate(last_heard) if sample >= begins)
    assert labels[0, changed - 1] == OTHER
    assert (labels[0, changed : changed + 3] == IGNORE).all()
    assert (labels[0, changed + 3 :] == PRESENT).all()


def test_ignored_steps_weigh_nothing(task):
    torch.manual_seed(0)
    model = task.make_model().eval()
    frames, labels = task.make_batch(1, 0, 3)
    known = labels != IGNORE
    logits = model(frames)[0].squeeze(2).detach()
    chances = torch.sigmoid(logits)
    right = torch.where(labels == 1, chances, 1 - chances)[known]
    assert task.loss(model, (frames, labels))["music"].item() == pytest.approx(
        -right.log().mean().item(), rel=1e-4
    )


def test_the_model_normalises_what_it_hears(task):
    model = task.make_model()
    frames, _ = task.make_batch(1, 0, 64)
    normal = (frames - model.mean) * model.scale
    assert normal.mean().item() == pytest.approx(0.0, abs=1e-3)
    assert normal.std().item() == pytest.approx(1.0, abs=1e-2)


@pytest.mark.slow
def test_the_whole_way_from_data_to_a_released_folder(toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    run = CliRunner().invoke
    settings = [item for text in TINY for item in ("--set", text)]
    trained = run(main, ["gate", *settings], catch_exceptions=False)
    assert trained.exit_code == 0, trained.output
    (folder,) = (tmp_path / "runs" / "gate").iterdir()
    assert load(folder / "last.pt", Identity("gate", GateTask.front_end))["step"] == 100
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 2

    undecided = run(main, ["evaluate", "gate", "--run", folder.name], catch_exceptions=False)
    assert undecided.exit_code == 0, undecided.output
    figures = json.loads(undecided.stdout)
    assert "auc" in figures["patches"]
    assert "patches at on" not in figures
    assert (folder / "predictions" / "test.npz").is_file()

    exported = run(main, ["release", "gate", "--out", "out"], catch_exceptions=False)
    assert exported.exit_code == 0, exported.output
    manifest = read_manifest(tmp_path / "out")
    verify_file(tmp_path / "out", manifest)
    assert check_parity(GateRelease(folder, toy, tmp_path).model, tmp_path / "out") < 1e-4
    for preference in PREFERENCES:
        (point,) = manifest.thresholds(preference)
        assert 0 < point.off < point.on < 1
    text = (tmp_path / "out" / "card.md").read_text()
    assert f"| auc | {manifest.results['steps']['auc']:g} |" in text
    assert "| ESC-50 | CC BY-NC 3.0 |" in text

    measured = run(main, ["evaluate", "gate", "--model", "out"], catch_exceptions=False)
    expected = {
        name: value for name, value in manifest.results.items() if name not in ("command", "held out")
    }
    assert json.loads(measured.stdout) == expected


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("mel_share=0.6", "mel_share is 0.6; expected 0 to 0.5"),
        ("pieces=30", "pieces is 30; expected 1 to 17, so that some of each"),
        ("fold=4", "fold is 4, validation_fold 4; expected two of 1 to 5"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(setting, said):
    with pytest.raises(ConfigError, match=said):
        read_config(GateRunConfig, None, [setting])


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
