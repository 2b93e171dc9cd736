import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from streamer.config_sections import PREFERENCES
from streamer.errors import ConfigError
from streamer.inference.manifest_json import write_manifest
from streamer.inference.model_folders import read_manifest, verify_file
from streamer.inference.onnx import OnnxModel
from tests.toy_model import write_toy_ear, write_toy_model
from tests.train.toy_data import make_toy_data, write
from train.__main__ import main
from train.data.cache import SoundCache
from train.data.recordings import Recording
from train.data.sets.all_sound import unambiguous_recordings
from train.export.to_onnx import check_parity
from train.loop.config import read_config
from train.mixing.presence import IGNORE, OTHER, PRESENT
from train.mixing.scene_embeddings import load_scene_embeddings
from train.tasks.presence.config import PresenceRunConfig
from train.tasks.presence.figures import _by_second, _present
from train.tasks.presence.release import PresenceRelease
from train.tasks.presence.task import PresenceTask
from train.tasks.presence.validation import settled

MUSIC, SPEECH, SINGING = range(3)
TINY = [
    'data=["gtzan", "music_speech", "mir1k", "speech", "esc50"]',
    "model.features=4",
    "model.memory_steps=[3, 6]",
    "model.hidden=8",
    "model.dropout=0.0",
    "scenes.count=16",
    "scenes.scene.seconds=4.0",
    "scenes.scene.weights=[0.3, 0.0, 0.0, 0.2, 0.0, 0.2, 0.0, 0.1, 0.2]",
    "crop_steps=25",
    "loop.steps=200",
    "loop.batch=16",
    "loop.validate_every=100",
    "loop.average=0.0",
    "loop.schedule.cosine.warm_up_steps=1",
    "loop.learning_rate=2e-2",
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Toy data with a singer in every fold, and an ear that says that it holds out folds 5 and 4."""
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    for singer in ("abjones", "bug"):
        write(root / "mir1k" / "music" / f"{singer}_1_01.wav", pitch_hz=550)
        write(root / "mir1k" / "voice" / f"{singer}_1_01.wav")
    manifest = read_manifest(write_toy_ear(root / "out" / "ear"))
    held_out = {"held out": {"fold": 5, "validation_fold": 4}}
    write_manifest(root / "out" / "ear", replace(manifest, results=held_out))
    return root


@pytest.fixture(scope="module")
def config(toy):
    return read_config(PresenceRunConfig, None, [*TINY, f"ear={toy / 'out' / 'ear'}"])


@pytest.fixture(scope="module")
def task(toy, config):
    return PresenceTask(config, toy, toy / "runs" / "cache")


def test_a_batch_is_of_crops_whose_first_steps_nobody_can_judge_and_depends_on_its_number_alone(task):
    embeddings, present = task.make_batch(1, 5, 6)
    again, other = (task.make_batch(1, step, 6) for step in (5, 6))
    assert embeddings.shape == (6, 25, 4)
    assert present.shape == (6, 25, 3)
    assert (present[:, :4] == IGNORE).all()
    assert (present[:, 4:] == PRESENT).any()
    assert torch.equal(embeddings, again[0])
    assert torch.equal(present, again[1])
    assert not torch.equal(embeddings, other[0])


def test_scenes_are_made_once_for_each_ear_and_setting(toy, config):
    ear, cache = OnnxModel(toy / "out" / "ear"), toy / "runs" / "cache"
    sounds = SoundCache(unambiguous_recordings(toy, cache, [4], config.data), cache)
    before = {path: path.stat().st_mtime_ns for path in (cache / "scenes").glob("*/*.npy")}
    first = load_scene_embeddings(ear, sounds, config.scenes, cache)
    assert first.embeddings.shape == (16, 50, 4)
    assert first.present.shape == (16, 50, 3)
    assert set(np.unique(first.present)) == {IGNORE, OTHER, PRESENT}
    assert {path: path.stat().st_mtime_ns for path in (cache / "scenes").glob("*/*.npy")} == before
    other = load_scene_embeddings(ear, sounds, replace(config.scenes, seed=2), cache)
    assert not np.array_equal(first.embeddings, other.embeddings)


def test_unknown_labels_weigh_nothing_and_each_label_is_learnt_by_itself(task):
    torch.manual_seed(0)
    model = task.make_model().eval()
    embeddings, present = task.make_batch(1, 0, 8)
    losses = task.loss(model, (embeddings, present))
    assert list(losses) == ["music", "speech", "singing"]
    chances = torch.sigmoid(model(embeddings)[0].detach())[..., SPEECH]
    known = present[..., SPEECH] != IGNORE
    right = torch.where(present[..., SPEECH] == PRESENT, chances, 1 - chances)[known]
    assert losses["speech"].item() == pytest.approx(-right.log().mean().item(), rel=1e-4)
    present[..., MUSIC] = IGNORE
    assert task.loss(model, (embeddings, present))["music"].item() == 0.0


def test_the_model_normalises_the_embeddings(task):
    model = task.make_model()
    embeddings = torch.from_numpy(task._learnt.take("embeddings", np.arange(48)))
    normal = model.normalised(embeddings)
    assert normal.mean().item() == pytest.approx(0.0, abs=1e-3)
    assert normal.std().item() == pytest.approx(1.0, abs=1e-2)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("fold=4", "fold is 4, validation_fold 4; expected two of 1 to 5"),
        (
            'data=["gtzan", "games"]',
            r"data is \['gtzan', 'games'\]; .* nothing learns from games, which are kept",
        ),
        ('data=["gtzna"]', r"data is \['gtzna'\]; expected some of esc50, gtzan"),
        ("data=[]", r"data is \[\]; expected some of esc50, gtzan"),
        ("crop_steps=0", "crop_steps is 0; expected 1 or more"),
        ("model.memory_steps=[6, 1]", r"memory_steps is \[6, 1\]; expected lengths of 2 or more steps"),
        ("model.memory_steps=[]", r"memory_steps is \[\]; expected lengths of 2 or more steps, at least one"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(setting, said):
    with pytest.raises(ConfigError, match=said):
        read_config(PresenceRunConfig, None, [setting])


@pytest.mark.parametrize("steps", [4, 51])
def test_a_crop_is_longer_than_what_nobody_can_judge_and_no_longer_than_a_scene(toy, config, steps):
    with pytest.raises(
        ConfigError, match=f"crop_steps is {steps}; expected 5 to 50, the steps of a scene of 4 s"
    ):
        PresenceTask(replace(config, crop_steps=steps), toy, toy / "runs" / "cache")


def test_an_ear_that_has_heard_the_test_is_refused(toy, config):
    with pytest.raises(ConfigError, match=r"holds out \{'fold': 5, .* expected \{'fold': 3"):
        PresenceTask(replace(config, fold=3), toy, toy / "runs" / "cache")


def test_a_step_is_settled_once_its_label_has_been_the_same_for_long_enough():
    present = np.array([[1, 1, 1, 1, 0, 0, 0, 1, -1, 0, 0, 0]], np.int8)[:, :, None]
    expected = [-1, -1, 1, 1, -1, -1, 0, -1, -1, -1, -1, 0]
    assert settled(present, 2)[0, :, 0].tolist() == expected


def test_a_second_has_the_mean_score_and_no_label_where_that_changes():
    recording = Recording("toys", "a", (), "speech", "any", 5)
    second = np.repeat(np.arange(5), 4)  # the last may be a part of a second
    scores = np.repeat(np.linspace(0, 1, 20)[:, None], 3, axis=1)
    present = np.full((20, 3), OTHER, np.int8)
    present[10:, SPEECH] = PRESENT
    found = _by_second(recording, scores, present, second)
    np.testing.assert_allclose(found.scores[:, 0], [scores[4 * s : 4 * s + 4, 0].mean() for s in (1, 2, 3)])
    assert found.present[:, SPEECH].tolist() == [OTHER, IGNORE, PRESENT]
    assert found.present[:, MUSIC].tolist() == [OTHER] * 3


def test_pauses_of_speech_are_left_out_and_a_song_sings_where_its_voice_is_heard():
    noise = 0.1 * np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    speech = noise.copy()
    speech[16_000:32_000] = 0
    said = _present(Recording("speech", "a", (), "speech", "any", 5), speech, None)
    assert said[:, 8_000].tolist() == [OTHER, PRESENT, OTHER]
    assert said[:, 24_000].tolist() == [OTHER, IGNORE, OTHER]
    song = Recording("mir1k", "a/sum", (), "music", "song", 5)
    sung = _present(song, noise, np.where(np.arange(48_000) < 24_000, noise, 0))
    assert (sung[SINGING, 3_000], sung[SINGING, 45_000]) == (PRESENT, OTHER)
    assert (sung[MUSIC] == PRESENT).all()


def test_another_model_is_not_measured_as_a_presence_head(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    folder = write_toy_model(tmp_path / "toy")
    done = CliRunner().invoke(main, ["evaluate", "presence", "--model", str(folder)])
    assert done.exit_code == 2
    assert (
        "holds toy, which scores loud; expected a head on an ear with the labels music, speech" in done.stderr
    )


@pytest.mark.slow
def test_the_whole_way_from_data_to_a_gate_of_three_labels(toy, config, monkeypatch):
    monkeypatch.chdir(toy)
    monkeypatch.setenv("STREAMER_DATA", str(toy))

    def run(*words):
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    run("presence", *(word for text in [*TINY, f"ear={config.ear}"] for word in ("--set", text)))
    (folder,) = (toy / "runs" / "presence").iterdir()
    losses = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert losses[-1]["music_auc"] > 0.9  # the toy's music are tones, all else is noise
    undecided = json.loads(run("evaluate", "presence", "--run", folder.name))
    assert undecided["seconds"]["music auc"] > 0.9
    assert "found" not in undecided

    assert run("inspect", "presence", "--run", folder.name).split() == [
        f"runs/presence/{folder.name}/cost.json"
    ]
    assert run("report", f"runs/presence/{folder.name}").endswith("report.html\n")

    run("release", "presence", "--out", "out/gate")
    manifest = read_manifest(toy / "out" / "gate")
    verify_file(toy / "out" / "gate", manifest)
    assert (
        check_parity(PresenceRelease(folder, toy, toy / "runs" / "cache").model, toy / "out" / "gate") < 1e-4
    )
    assert (manifest.task, manifest.labels) == ("gate", ("music", "speech", "singing"))
    assert manifest.ear == read_manifest(toy / "out" / "ear").as_ear()
    for preference in PREFERENCES:
        assert all(0 < point.off < point.on < 1 for point in manifest.thresholds(preference))
    measured = json.loads(run("evaluate", "presence", "--model", "out/gate"))
    assert measured == {
        name: value
        for name, value in manifest.results.items()
        if name not in ("command", "held out", "learnt")
    }
    as_gate = json.loads(run("evaluate", "gate", "--model", "out/gate"))
    assert as_gate["steps"]["auc"] > 0.9
    assert "on_median_s" in as_gate["delays"]
