"""Separation from songs to a folder that listens, on toy songs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

from models.separation_mask import MaskConfig
from streamer.errors import ConfigError, ModelError
from streamer.inference.model_folders import read_manifest
from tests.train.toy_data import write_pjs
from train.__main__ import main
from train.data.decode import RATE_HZ
from train.data.recordings import Recording
from train.data.sets.songs.stem_folders import own_songs
from train.loop.config import read_config
from train.loop.precision import why_no_lstm
from train.tasks.separation.cnn_lstm import CnnLstmRunConfig
from train.tasks.separation.config import LossWeights, SeparationRunConfig
from train.tasks.separation.offline import OfflineRunConfig
from train.tasks.separation.task import SeparationTask, voiced_frames

TINY = [
    "model.zones=[[10, 8], [5, 48]]",
    "model.channels=8",
    "model.memory=8",
    "model.reach=5",
    "model.hidden=8",
    "model.blocks=1",
    "remixes.seconds=0.5",
    "remixes.pitch=0.0",
    "remixes.codec=0.0",
    "loop.steps=60",
    "loop.batch=4",
    "loop.validate_every=30",
    "loop.average=0.0",
    "loop.learning_rate=1e-2",
    "loop.schedule.cosine.warm_up_steps=1",
    "loop.workers=0",
]


SINGERS = ("Ann", "Hal", "Cid", "Max", "Ben")
"""By the hash of their names in folds 1 to 5."""


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Twelve songs; voices are tones below 800 Hz that pause, accompaniments noise above 2 kHz."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    for n in range(12):
        folder = root / "mine" / f"{SINGERS[n % 5]} - Song {n}"
        folder.mkdir(parents=True)
        voice = 0.2 * np.sin(2 * np.pi * (200 + 50 * n) * t) * (t % 1 < 0.7)
        spectrum = np.fft.rfft(rng.standard_normal(len(t)))
        spectrum[: len(t) // 8] = 0.0
        soundfile.write(folder / "vocals.wav", voice, RATE_HZ)
        soundfile.write(folder / "accompaniment.wav", 0.2 * np.fft.irfft(spectrum), RATE_HZ)
    return root / "mine"


@pytest.fixture(scope="module")
def settings(songs):
    return [f'data=["{songs}"]', *TINY]


@pytest.fixture(scope="module")
def task(settings, songs, tmp_path_factory):
    return SeparationTask(
        read_config(SeparationRunConfig, None, settings), songs, tmp_path_factory.mktemp("cache")
    )


def test_a_batch_is_mixtures_stems_and_voiced_frames_and_depends_on_its_number_alone(task):
    mixture, voice, music, voiced = task.make_batch(1, 6, 3)
    assert mixture.shape == voice.shape == music.shape == (3, 8_000)
    assert voiced.shape == (3, 50)
    assert set(voiced.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(mixture, task.make_batch(1, 6, 3)[0])
    assert not torch.equal(mixture, task.make_batch(1, 7, 3)[0])


def test_lone_accompaniments_are_learnt_and_counted(task, settings, songs, tmp_path, monkeypatch):
    tone = 0.2 * np.sin(2 * np.pi * 1_000 * np.arange(2 * RATE_HZ) / RATE_HZ)
    soundfile.write(tmp_path / "piece.wav", tone, RATE_HZ)
    piece = Recording("rendered", "piece", (tmp_path / "piece.wav",), "music", "full", 1)
    taken = []

    def found(data, root, cache, folds):
        taken.append((data, folds))
        return [piece] if data else []

    monkeypatch.setattr("train.tasks.separation.task.accompaniments", found)
    wide = ['accompaniments=["rendered"]', "remixes.lone_music=1.0", "remixes.own=0.0", "remixes.speed=0.0"]
    config = read_config(
        SeparationRunConfig, None, [*settings, *wide, "remixes.music_only=1.0", "remixes.voice_only=0.0"]
    )
    made = SeparationTask(config, songs, tmp_path / "cache")
    assert taken == [(("rendered",), config.learnt_folds)]
    music = made.make_batch(1, 0, 4)[2].numpy()
    assert set(np.abs(np.fft.rfft(music)).argmax(axis=1) * 2) == {1_000}  # half a second: bins of 2 Hz
    used, without = made.data_hash(), task.data_hash()
    assert used.recordings == without.recordings + 1


def test_losses_are_finite_parts_of_one_sum(task):
    torch.manual_seed(0)
    losses = task.loss(task.make_model(), task.make_batch(1, 0, 4))
    assert set(losses) == {"snr", "interference", "spectral", "voice"}
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_it_learns_in_half_precision_where_the_processor_does(task):
    if reason := why_no_lstm(torch.bfloat16, torch.device("cpu")):
        pytest.skip(f"this processor computes no LSTM in bf16: {reason}")
    with torch.autocast("cpu", torch.bfloat16):
        losses = task.loss(task.make_model(), task.make_batch(1, 0, 2))
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_half_precision_where_the_processor_does_not_is_one_line(songs, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_DATA", str(songs.parent))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("train.loop.precision.why_no_lstm", lambda dtype, device: "could not")
    words = [word for text in [*settings, "loop.precision=bf16"] for word in ("--set", text)]
    done = CliRunner().invoke(main, ["separation", *words])
    assert done.exit_code == 2
    assert "loop.precision is 'bf16', in which cpu computes no LSTM here (could not)" in done.stderr


def test_both_stems_decide_which_weights_are_kept(task):
    torch.manual_seed(0)
    found = task.validate(task.make_model().eval())
    assert found["score"] == pytest.approx((found["voice"] + found["music"]) / 2)


def test_the_network_that_waits_for_the_end_is_larger():
    offline, stepping = OfflineRunConfig().model, MaskConfig()
    for name in ("bands", "channels", "hidden", "blocks"):
        assert getattr(offline, name) > getattr(stepping, name), name
    assert offline.memory >= stepping.memory  # in each direction


@pytest.mark.parametrize(("fold", "what"), [(4, "validate"), (5, "test")])
def test_a_fold_without_songs_is_refused_before_training(songs, settings, tmp_path, fold, what):
    few = tmp_path / "few"
    few.mkdir()
    for song in own_songs(songs):
        if song.fold != fold:
            (few / song.name).symlink_to(songs / song.name)
    config = read_config(SeparationRunConfig, None, [*settings, f'data=["{few}"]'])
    with pytest.raises(ConfigError, match=f"fold {fold} has no songs to {what} on; expected some: add songs"):
        SeparationTask(config, few, tmp_path / "cache")


def test_a_loss_that_counts_less_than_nothing_is_refused():
    with pytest.raises(ConfigError, match="spectral is -1; expected at least 0"):
        LossWeights(spectral=-1)
    with pytest.raises(ConfigError, match="no loss counts; expected a weight above 0 of one"):
        LossWeights(0, 0, 0, 0)


def test_voiced_frames_are_those_near_the_voices_own_level():
    voice = np.zeros(RATE_HZ, np.float32)
    voice[4_000:8_000] = 0.1
    voice[12_000:] = 0.1 * 10 ** (-45 / 20)
    found = voiced_frames(voice, 160)
    assert len(found) == 100
    assert not found[:20].any()
    assert found[30:48].all()
    assert not found[60:].any()
    assert not voiced_frames(np.zeros(1_000, np.float32), 160).any()
    assert len(voiced_frames(voice[4_000:4_160], 160)) == 1


@pytest.mark.slow
def test_from_songs_to_a_released_folder_that_separates(songs, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_DATA", str(songs.parent))
    monkeypatch.chdir(tmp_path)
    write_pjs(songs.parent)
    command = CliRunner()
    mixes = ("remixes.doubled=0.1", "remixes.hot=0.1", 'voices=["pjs"]', "remixes.lone_voice=0.1")
    chosen = [*settings, *mixes]
    run = command.invoke(main, ["separation", *(word for text in chosen for word in ("--set", text))])
    assert run.exit_code == 0, (run.output, run.exception)
    folder = tmp_path / "released"
    done = command.invoke(main, ["release", "separation", "--out", str(folder)])
    assert done.exit_code == 0, done.output
    manifest = read_manifest(folder)
    assert manifest.labels == ("voice",)
    assert manifest.trained_on[0] == {"name": "mine", "licence": "the user's own"}
    assert [data["name"] for data in manifest.trained_on] == ["mine", "PJS corpus"]
    card = (folder / "card.md").read_text()
    assert "was not used in training" in card
    assert "coded, with doubled voices, driven into a limiter. Of the remixes" in card
    assert "some have voices or music alone of PJS corpus.\n" in card
    test = manifest.results["separation"]["mine"]
    assert test["voice"]["GNSDR"] > 3  # the stems share no frequency: a few steps tell them apart
    assert test["music"]["SI-SDR"] > test["music"]["SI-SDR of the mixture"]
    again = command.invoke(main, ["evaluate", "separation", "--model", str(folder)])
    assert again.exit_code == 0, again.output
    printed = json.loads(again.output)
    assert printed["separation"]["mine"].keys() == test.keys()
    assert printed["latency_ms"] == manifest.stft.latency_ms == 20.0
    tuned = read_config(SeparationRunConfig, None, [*settings, f"begin={folder}"])
    begun = SeparationTask(tuned, songs, tmp_path / "cache").make_model().state_dict()
    weights = torch.load(folder / "best.pt")["weights"]
    assert all(torch.equal(weights[name], own) for name, own in begun.items())


def test_the_other_network_learns_by_the_same_task_and_may_begin_with_other_weights(
    songs, settings, tmp_path, monkeypatch
):
    monkeypatch.setenv("STREAMER_DATA", str(songs.parent))
    monkeypatch.chdir(tmp_path)
    small = [
        "model.channels=[4, 4]",
        "model.units=16",
        "model.heads=2",
        "loop.steps=2",
        "loop.validate_every=2",
    ]
    own = [text for text in settings if not text.startswith("model.")]
    words = [word for text in [*own, *small] for word in ("--set", text)]
    first = CliRunner().invoke(main, ["separation_cnn_lstm", *words])
    assert first.exit_code == 0, first.output
    run = Path(first.output.strip().splitlines()[-1])
    tuned = read_config(CnnLstmRunConfig, None, [*own, *small, f"begin={run}"])
    model = SeparationTask(tuned, songs, tmp_path / "cache").make_model()
    weights = torch.load(run / "best.pt")["weights"]
    assert all(torch.equal(weights[name], own) for name, own in model.state_dict().items())
    export = CliRunner().invoke(main, ["export", "separation_cnn_lstm", "--out", str(tmp_path / "out")])
    assert export.exit_code == 0, export.output
    assert read_manifest(tmp_path / "out").is_separation


def test_weights_of_another_transform_may_be_begun_with(songs, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_DATA", str(songs.parent))
    monkeypatch.chdir(tmp_path)
    words = [
        word for text in [*settings, "loop.steps=2", "loop.validate_every=2"] for word in ("--set", text)
    ]
    first = CliRunner().invoke(main, ["separation", *words])
    assert first.exit_code == 0, first.output
    run = Path(first.output.strip().splitlines()[-1])
    weights = torch.load(run / "best.pt")["weights"]
    late = ["model.stft.window_samples=1280", "model.zones=[[16, 8], [32, 16]]", f"begin={run}"]
    tuned = read_config(SeparationRunConfig, None, [*settings, *late])
    with pytest.raises(ModelError, match="does not fit this program's Mask"):  # bands as wide as none was
        SeparationTask(tuned, songs, tmp_path / "cache").make_model()
    late[1] = "model.zones=[[8, 8], [12, 48]]"
    tuned = read_config(SeparationRunConfig, None, [*settings, *late])
    model = SeparationTask(tuned, songs, tmp_path / "cache").make_model()
    assert all(torch.equal(weights[name], own) for name, own in model.state_dict().items())


@pytest.mark.slow
def test_the_network_that_waits_for_the_end_is_measured_as_it_is_and_not_exported(
    songs, settings, tmp_path, monkeypatch
):
    monkeypatch.setenv("STREAMER_DATA", str(songs.parent))
    monkeypatch.chdir(tmp_path)
    sizes = [
        "model.zones=[[8, 16], [6, 64]]",
        "model.channels=8",
        "model.memory=8",
        "model.reach=5",
        "model.hidden=8",
    ]
    own = [text for text in settings if not text.startswith("model.")]
    words = [word for text in [*own, *sizes, "model.blocks=1"] for word in ("--set", text)]
    command = CliRunner()
    done = command.invoke(main, ["separation_offline", *words])
    assert done.exit_code == 0, done.output
    run = Path(done.output.strip().splitlines()[-1])
    measured_by = command.invoke(main, ["evaluate", "separation_offline", "--run", run.name])
    assert measured_by.exit_code == 0, measured_by.output
    found = json.loads((run / "evaluation.json").read_text())["test"]["separation"]["mine"]
    assert found["clips"] == 2
    assert found["voice"]["GNSDR"] > 0
    for refused in ("export", "release"):
        said = command.invoke(main, [refused, "separation_offline", "--out", str(tmp_path / "out")])
        assert "needs the whole song and does not step" in said.output
