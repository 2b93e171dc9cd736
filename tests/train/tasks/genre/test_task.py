import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from streamer.config_sections import PREFERENCES
from streamer.errors import ConfigError
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.onnx import OnnxModel
from tests.train.toy_data import make_toy_data, write, write_snippets
from train.__main__ import main
from train.data.features import FeatureCache
from train.data.fold_arrays import FoldArrays
from train.data.sets.gtzan import gtzan_snippets
from train.evaluate.predictions import load
from train.export.to_onnx import check_parity
from train.loop.config import read_config
from train.mixing.clip_variations import FRAMES
from train.tasks.genre.figures import name_surely
from train.tasks.genre.release import GenreRelease
from train.tasks.genre.task import GenreRunConfig, GenreTask

TINY = [
    "model.channels=[2, 3, 4, 5, 6]",
    "model.memory_steps=40",
    "loop.steps=4",
    "loop.batch=8",
    "loop.validate_every=2",
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def task(toy):
    return GenreTask(read_config(GenreRunConfig, None, TINY), toy, toy / "runs" / "cache")


def test_a_batch_is_clips_with_shares_of_genres_and_depends_on_its_number_alone(task):
    batch, again, other = (task.make_batch(1, step, 8) for step in (5, 5, 6))
    frames, targets = batch
    assert frames.shape == (8, FRAMES, 112)
    torch.testing.assert_close(targets.sum(1), torch.ones(8))
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    assert not torch.equal(frames, other[0])


def test_what_is_held_out_is_not_learnt_from(task):
    learnt = set(task._clips.learnt.tolist())
    assert learnt
    rows = np.flatnonzero(np.isin(task._clips.mels.ten_fold, (task.config.fold, task.config.validation_fold)))
    assert len(rows)
    assert not learnt & set(rows.tolist())
    held_out = {task._clips.mels.audio[row] for row in rows}
    assert not held_out & {recording.name for recording in task._clips.tracks.recordings}


@pytest.fixture
def with_snippets(tmp_path):
    for genre in ("blues", "rock"):
        for n in range(3):
            write(
                tmp_path / "gtzan" / "audio" / genre / f"{genre}.0000{n}.wav", seconds=25.0, pitch_hz=330 + n
            )
    write_snippets(tmp_path / "gtzan")
    return GenreTask(read_config(GenreRunConfig, None, [*TINY, "snippets=0.5"]), tmp_path, tmp_path / "cache")


def test_cut_outs_of_learnt_folds_are_a_share_of_a_batch(with_snippets, monkeypatch):
    task, drawn = with_snippets, []
    learnt = {gtzan_snippets.ten_fold(recording) for recording in task._clips.snippets.recordings}
    assert learnt == set(task.config.learnt_folds)
    whole = FeatureCache.frames

    def frames(cache, index, first=0, count=None):
        drawn.append((cache, cache.recordings[index].category))
        return whole(cache, index, first, count)

    monkeypatch.setattr(FeatureCache, "frames", frames)
    batch, targets = task.make_batch(1, 5, 8)
    assert batch.shape == (8, FRAMES, 112)
    assert torch.isfinite(batch).all()
    torch.testing.assert_close(targets.sum(1), torch.ones(8))
    assert sum(cache is task._clips.snippets for cache, _ in drawn) == 4


def test_a_short_cut_out_is_repeated_to_a_whole_clip(with_snippets):
    lengths = [with_snippets._clips.snippets.length(n) for n in range(len(with_snippets._clips.snippets))]
    assert min(lengths) < FRAMES < max(lengths)
    short = FeatureCache.__new__(FeatureCache)
    short.recordings = with_snippets._clips.snippets.recordings[:1]
    short._lengths = [50]
    short.frames = lambda index, first, count: np.arange(50, dtype=np.float32)[first : first + count, None]
    clip, _ = with_snippets._clips.cut(np.random.default_rng(0), short)
    assert clip[:, 0].tolist() == [n % 50 for n in range(FRAMES)]


def test_cut_outs_that_cannot_be_read_are_no_data(tmp_path):
    write(tmp_path / "gtzan" / "audio" / "blues" / "blues.00000.wav", seconds=25.0)
    write_snippets(tmp_path / "gtzan")
    for path in (tmp_path / "gtzan" / "snippets").glob("*.wav"):
        path.unlink()
    config = read_config(GenreRunConfig, None, [*TINY, "snippets=0.5"])
    with pytest.raises(
        ConfigError, match=r"gtzan/snippets has no usable cut-outs in folds 1, .*, by --set snippets=0"
    ):
        GenreTask(config, tmp_path, tmp_path / "cache")


@pytest.mark.parametrize("shares", [("whole_tracks=0.6", "snippets=0.5"), ("snippets=-0.1",)])
def test_shares_that_are_no_parts_of_a_batch_are_refused(shares):
    with pytest.raises(ConfigError, match=r"and snippets \S+; expected shares of a batch, 0 to 1 together"):
        read_config(GenreRunConfig, None, list(shares))


def test_folds_that_are_none_are_refused():
    with pytest.raises(Exception, match="fold is 11, validation_fold 8; expected two of 1 to 10"):
        read_config(GenreRunConfig, None, ["fold=11"])


def test_a_clip_is_named_where_the_likeliest_label_reaches_its_own_threshold():
    scores = np.array([[0.6, 0.4], [0.45, 0.55], [0.2, 0.8], [0.3, 0.7]])
    points = [Thresholds(0.5, 0.2), Thresholds(0.7, 0.2)]
    named, correct = name_surely(scores, np.array([0, 1, 0, 1]), points)
    assert named.tolist() == [True, False, True, True]
    assert correct.tolist() == [True, True, False, True]
    for_all, _ = name_surely(scores, np.array([0, 1, 0, 1]), [Thresholds(0.65, 0.2)])
    assert for_all.tolist() == [False, False, True, True]


@pytest.mark.slow
def test_the_whole_way_from_data_to_a_released_folder(toy, monkeypatch):
    monkeypatch.chdir(toy)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    run = CliRunner().invoke
    settings = [item for text in TINY for item in ("--set", text)]
    assert run(main, ["genre", *settings], catch_exceptions=False).exit_code == 0
    released = run(main, ["release", "genre", "--out", "out"], catch_exceptions=False)
    assert released.exit_code == 0, released.output
    (folder,) = (toy / "runs" / "genre").iterdir()
    manifest = OnnxModel(toy / "out").manifest
    assert (manifest.labels, manifest.exclusive) == (("blues", "rock"), True)
    assert set(manifest.operating_points) == set(PREFERENCES)
    assert check_parity(GenreRelease(folder, toy, toy).model, toy / "out") < 1e-4
    assert manifest.results["first seconds"]["tracks"] == 2
    named = manifest.results["when it names"]
    assert 0 <= named["precision: named"] <= named["balanced: named"] <= named["recall: named"] <= 1

    measured = run(main, ["evaluate", "genre", "--run", folder.name], catch_exceptions=False)
    assert json.loads(measured.stdout)["first seconds"]["tracks"] == 2
    said = load(folder / "predictions" / "test.npz")
    assert said.labels == ("blues", "rock")
    assert said.folds.tolist() == [9, 9]


def test_rows_of_several_folds_are_taken_in_the_order_asked_for():
    rows = FoldArrays([{"x": np.array([0, 1], np.float16)}, {"x": np.array([2, 3, 4], np.float16)}])
    taken = rows.take("x", np.array([4, 0, 2]))
    assert (len(rows), taken.tolist(), taken.dtype) == (5, [4.0, 0.0, 2.0], np.float32)
