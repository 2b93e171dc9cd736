import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from streamer.config_sections import PREFERENCES
from streamer.errors import ConfigError
from streamer.inference.model_folders import read_manifest, verify_file
from streamer.inference.onnx import OnnxModel
from streamer.yamnet.weights import CLASSES
from tests.toy_model import write_toy_model
from tests.train.toy_data import make_toy_data, write
from tests.yamnet.toy_weights import toy_weights
from train.__main__ import main
from train.export.to_onnx import check_parity
from train.loop.config import read_config
from train.mixing.distillation.teachers import STEP_FRAMES, TEACHERS, Teachers
from train.mixing.presence import IGNORE, PRESENT
from train.tasks.ear.config import EarRunConfig
from train.tasks.ear.release import EarRelease, limits
from train.tasks.ear.task import EarTask
from train.tasks.sounds.config import SoundsRunConfig

LESSONS = ["lessons.variants=1", "lessons.scenes=3"]
ON_EAR = [*LESSONS, "clips=[]", 'others=["gtzan", "music_speech", "mir1k", "speech"]']
LOOP = ["loop.steps=20", "loop.batch=4", "loop.validate_every=20", "loop.average=0.0"]
EAR = [*LESSONS, *LOOP, "model.channels=[4, 6, 8, 12, 16]", "model.embedding=24", "model.dilations=[2]"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Toy data, with teachers that know nothing."""
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    for name in TEACHERS:
        weights = toy_weights()
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        np.savez(root / name, **weights.arrays, **{"network/relu_max": np.float32(weights.relu_max)})
    names = "".join(f'{index},/m/{index},"name {index}"\n' for index in range(CLASSES))
    (root / "yamnet" / "yamnet_class_map.csv").write_text(f"index,mid,display_name\n{names}")
    return root


@pytest.fixture(scope="module")
def task(toy):
    return EarTask(read_config(EarRunConfig, None, EAR), toy, toy / "runs" / "cache")


def settings(texts):
    return [item for text in texts for item in ("--set", text)]


@pytest.fixture(scope="module")
def released_ear(toy):
    """An ear that was trained on the toy data and released, named as the command line does from their folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(toy)
        patch.setenv("STREAMER_DATA", str(toy))
        for words in (["ear", *settings(EAR)], ["release", "ear", "--out", "out/ear"]):
            done = CliRunner().invoke(main, words, catch_exceptions=False)
            assert done.exit_code == 0, done.output
    return "out/ear"


def test_a_batch_is_what_the_loss_asks_for_and_depends_on_its_number_alone(task):
    batch, again, other = (task.make_batch(1, step, 8) for step in (5, 5, 6))
    frames, embedding, logits, music, targets, steps = batch
    length = 12 + 3 * 6
    assert frames.shape == (8, length * STEP_FRAMES, 64)
    assert embedding.shape[:2] == logits.shape[:2] == (8, 4)
    assert music.shape == steps.shape == (8, length)
    torch.testing.assert_close(targets.sum(1), steps.any(1).float())
    assert (targets[:4].sum(1) == 1).any()
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    assert not torch.equal(frames, other[0])


def make_batch(toy, mixed, **others):
    """Return a batch of 12 examples in which no stripes are masked."""
    values = [f"{key}={value}" for key, value in {"mixed": mixed, "masks": 0, **others}.items()]
    task = EarTask(read_config(EarRunConfig, None, [*EAR, *values]), toy, toy / "runs" / "cache")
    frames, embedding, logits, *labels = task.make_batch(1, 0, 12)
    return task, frames, embedding, logits, *labels


def test_the_teachers_answer_to_mixtures_as_they_are_heard(toy):
    task, frames, embedding, logits, music, targets, _ = make_batch(toy, 1.0)
    answered, scored = Teachers(toy, "float32").answer(frames.numpy())
    np.testing.assert_array_equal(embedding, task._batches.standardise(answered))
    np.testing.assert_array_equal(logits, scored)
    assert (music == IGNORE).all()
    assert (targets[:6].sum(1) > 0).any()
    assert (targets[6:] == 0).all()


def test_unmixed_examples_are_learnt_as_they_were_made(toy):
    task, frames, _, logits, music, *_ = make_batch(toy, 0.0)
    _, scored = Teachers(toy, "float32").answer(frames.numpy())
    # Kept as float16, as are the frames.
    np.testing.assert_allclose(logits, scored, rtol=2**-8, atol=1e-2)
    assert (music != IGNORE).any()
    stored = task._learnt.take("frames", np.arange(len(task._learnt)))
    heard = [row[48 * place :][:240] for row in stored for place in range(6)]
    assert all(any(np.array_equal(row, part) for part in heard) for row in frames.numpy())


def test_a_mixture_of_two_clips_has_the_classes_of_both(toy):
    _, _, _, _, _, targets, steps = make_batch(toy, 1.0, **{"loop.seed": 3})
    both = (targets[:6] > 0).sum(1) == 2
    assert both.any()
    torch.testing.assert_close(targets[:6].sum(1), steps[:6].any(1).float())


def test_further_data_are_learnt_from_beside_the_others_and_not_validated_on(toy, task):
    names = [f"{n}.wav" for n in range(10)]
    for name in names:
        write(toy / "instruments" / name, seconds=6.0, pitch_hz=440.0)
    table = "".join(f"{name},Flute\n" for name in names)
    (toy / "instruments" / "labels.csv").write_text(f"file,instrument\n{table}")
    config = read_config(EarRunConfig, None, [*EAR, 'further_data=["instruments"]'])
    more = EarTask(config, toy, toy / "runs" / "cache")
    assert len(more._learnt) == len(task._learnt) + 3 * 2  # 12 s of a fold are two excerpts of 5 s
    assert len(more._checked) == len(task._checked)
    assert (more._learnt.all("music")[-6:] == PRESENT).mean() > 0.5
    assert (more._learnt.all("clip")[-6:] == -1).all()
    assert more.data_hash() != task.data_hash()
    without = read_config(
        EarRunConfig, None, [*EAR, 'further_data=["instruments"]', 'left_out=["instruments"]']
    )
    assert EarTask(without, toy, toy / "runs" / "cache").data_hash() == task.data_hash()


@pytest.mark.parametrize("further", ['["gtzan"]', '["no_such_set"]', '["games"]'])
def test_further_data_are_other_sets_that_exist(further):
    with pytest.raises(ConfigError, match=r"further_data is .*expected some of esc50, gtzan, .*not in data"):
        read_config(EarRunConfig, None, [*EAR, f"further_data={further}"])


def test_what_is_left_out_is_further_data():
    with pytest.raises(ConfigError, match=r"left_out is \['pjs'\]; expected some of further_data, animals"):
        read_config(EarRunConfig, None, [*EAR, 'further_data=["animals"]', 'left_out=["pjs"]'])


def test_further_data_have_no_recording_of_data():
    with pytest.raises(
        ConfigError, match="data with further_data names esc50 and esc10, which have recordings in common"
    ):
        read_config(EarRunConfig, None, [*EAR, 'further_data=["esc10"]'])


def test_a_part_of_a_lesson_keeps_what_is_taught_beside_what_is_heard(task):
    """Every frame of a lesson is unlike every other, so that what was taken is found again in the whole."""
    learnt = task._learnt
    rows = np.arange(len(learnt))
    parts = task._batches.parts(np.random.default_rng(0), rows)
    frames, embedding, logits, music = parts.frames, parts.embedding, parts.logits, parts.music
    whole = {name: learnt.take(name, rows) for name in ("frames", "embedding", "logits", "music")}
    places = set()
    for row in rows:
        place = next(
            place
            for place in range(6)
            if np.array_equal(frames[row], whole["frames"][row][48 * place :][:240])
        )
        places.add(place)
        np.testing.assert_array_equal(embedding[row], whole["embedding"][row][place : place + 4])
        # A product of matrices: its sums are rounded by another order where it has fewer rows. Kept as float16.
        np.testing.assert_allclose(
            logits[row], whole["logits"][row][place : place + 4], rtol=2**-10, atol=1e-5
        )
        np.testing.assert_array_equal(music[row], whole["music"][row][6 * place :][:30])
    assert len(places) > 1


@pytest.mark.parametrize("wrong", ["mixed=1.5", "mixed_speed=0.5", "mixed_bands=-1", "limited=2"])
def test_shares_and_sizes_of_mixtures_are_possible_ones(wrong):
    with pytest.raises(
        ConfigError, match=r"mixed is .*; expected shares of 0 to 1, sizes of 0 or more, and a factor"
    ):
        read_config(EarRunConfig, None, [wrong])


def test_the_teachers_are_computed_in_a_format_that_exists():
    with pytest.raises(ConfigError, match="teachers_precision is 'fp16'; expected float32 or bf16"):
        read_config(EarRunConfig, None, ["teachers_precision=fp16"])


@pytest.mark.parametrize("config", [EarRunConfig, SoundsRunConfig])
def test_two_folds_are_to_be_held_out(config):
    with pytest.raises(Exception, match="fold is 4, validation_fold 4; expected two of 1 to 5"):
        read_config(config, None, ["fold=4"])
    with pytest.raises(Exception, match="fold is 6, validation_fold 4; expected two of 1 to 5"):
        read_config(config, None, ["fold=6"])


def test_a_part_is_of_as_many_patches_as_a_lesson_has():
    with pytest.raises(Exception, match="crop_patches is 10; expected 1 to 9"):
        read_config(EarRunConfig, None, ["crop_patches=10"])


def test_an_ear_of_free_sound_learns_the_classes_of_esc10_alone(toy, task, monkeypatch):
    monkeypatch.setattr(
        "train.tasks.ear.task.check_clips", lambda *_: None
    )  # the toy has one such clip in a fold
    free = 'data=["gtzan", "speech", "esc10"]'
    of_free = EarTask(read_config(EarRunConfig, None, [*EAR, free]), toy, toy / "runs" / "cache")
    assert (of_free.classes, task.classes) == (("dog",), ("church_bells", "dog"))
    assert of_free.make_batch(1, 5, 8)[4].shape == (8, 1)


def test_the_limits_of_an_ear_name_the_data_that_are_not_free():
    assert "by the licences of ESC-50, GTZAN." in limits(["esc50", "gtzan", "speech"])
    assert "licences" not in limits(
        ["esc10", "speech", "debian", "rendered", "pjs", "instruments", "effects"]
    )


@pytest.mark.parametrize("data", ['["gtzan"]', '["esc50", "gtzna"]', "[]"])
def test_data_sets_that_are_not_there_or_have_no_clips_of_sounds_are_refused(data):
    with pytest.raises(
        ConfigError, match=r"data is \[.*\]; expected esc50 or esc10, and others of esc50, gtzan"
    ):
        read_config(EarRunConfig, None, [f"data={data}"])


@pytest.mark.slow
def test_excerpts_of_all_that_is_no_clip_are_lessons_too(toy, task):
    more = EarTask(
        read_config(EarRunConfig, None, [*EAR, "lessons.excerpts_per_hour=720"]), toy, toy / "runs" / "cache"
    )
    added = len(more._learnt) - len(task._learnt)
    others = [
        r
        for fold in (1, 2, 3)
        for r in zip(more._caches[fold].recordings, more._caches[fold].sounds, strict=True)
    ]
    seconds = sum(len(sound) / 16_000 for recording, sound in others if recording.source != "esc50")
    assert added == pytest.approx(seconds / 5, abs=2)
    rows = np.arange(len(more._learnt))
    clip, music = more._learnt.take("clip", rows), more._learnt.take("music", rows)
    assert (clip < 0).sum() == added + 3 * 3
    assert (music[clip < 0] == PRESENT).mean() > 0.5


@pytest.mark.slow
def test_the_whole_way_from_data_to_an_ear_and_a_head_on_it(toy, released_ear, monkeypatch):
    monkeypatch.chdir(toy)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    run = CliRunner().invoke
    (folder,) = (toy / "runs" / "ear").iterdir()
    ear = read_manifest(toy / released_ear)
    verify_file(toy / released_ear, ear)
    assert (ear.is_ear, ear.embedding_size, ear.labels) == (True, 24, ())
    assert check_parity(EarRelease(folder, toy, toy).model, toy / released_ear) < 1e-4
    measured = run(main, ["evaluate", "ear", "--model", released_ear], catch_exceptions=False)
    assert json.loads(measured.stdout) == {
        n: ear.results[n] for n in ("probe", "few shots", "other collections")
    }

    on_it = settings([*ON_EAR, "loop.steps=100", "loop.batch=8", "loop.average=0.0", f"ear={released_ear}"])
    assert run(main, ["sounds", *on_it], catch_exceptions=False).exit_code == 0
    released = run(main, ["release", "sounds", "--out", "out/sounds"], catch_exceptions=False)
    assert released.exit_code == 0, released.output
    sounds = OnnxModel(toy / "out" / "sounds").manifest
    assert sounds.labels == ("church_bells", "dog")
    assert sounds.ear is not None
    assert sounds.ear.sha256 == ear.sha256
    assert set(sounds.operating_points) == set(PREFERENCES)
    assert sounds.results["clips"]["clips"] == 2


@pytest.mark.slow
def test_an_ear_that_has_heard_the_test_is_refused(toy, released_ear, monkeypatch):
    monkeypatch.chdir(toy)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    result = CliRunner().invoke(main, ["sounds", *settings([*ON_EAR, f"ear={released_ear}"]), "--fold", "3"])
    assert result.exit_code == 2
    assert "ear='out/ear' holds out {'fold': 5, 'validation_fold': 4}; expected {'fold': 3" in result.stderr


def test_a_head_is_no_ear(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    write_toy_model(tmp_path)
    result = CliRunner().invoke(main, ["sounds", "--set", f"ear={tmp_path}"])
    assert result.exit_code == 2
    assert f"ear='{tmp_path}' decides gate; expected the folder of an ear" in result.stderr
