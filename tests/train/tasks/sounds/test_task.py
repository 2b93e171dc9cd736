import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from streamer.config_sections import PREFERENCES
from streamer.errors import ConfigError
from streamer.inference.manifest_json import write_manifest
from streamer.inference.model_folders import read_manifest
from tests.toy_model import write_toy_ear
from tests.train.toy_data import make_toy_data, write, write_animals
from train.__main__ import main
from train.data.debian.cut import write_table
from train.data.debian.labels import LABELS, LabelledPiece
from train.data.sets.catalogue import DATA_SETS
from train.loop.config import read_config
from train.mixing.presence import IGNORE
from train.mixing.scenes import NO_CLASS
from train.tasks.sounds.config import SoundsRunConfig
from train.tasks.sounds.task import SoundsTask

PITCH_HZ = {"laser": 1_300.0, "dog": 300.0}
"""Pitch of the toy effects, by the name of the file that they were cut from."""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Toy data with effects, and an ear that holds out folds 4 and 5."""
    root = make_toy_data(tmp_path_factory.mktemp("data"))
    rows = []
    for fold in range(1, 6):
        for number, (name, pitch_hz) in enumerate(PITCH_HZ.items()):
            file = f"toys-{fold}/{number}.wav"
            write(root / "debian" / file, seconds=12.0 + fold, pitch_hz=pitch_hz)
            rows.append(
                LabelledPiece(
                    file, f"toys-{fold}", f"sounds/{name}.ogg", "sound", "effects", fold, 0.0, 12.0 + fold
                )
            )
    write_table(root / "debian" / LABELS, LabelledPiece, rows)
    write_animals(root)
    ear = write_toy_ear(root / "out" / "ear")
    held_out = {"held out": {"fold": 5, "validation_fold": 4}}
    write_manifest(ear, replace(read_manifest(ear), results=held_out))
    return root


def settings(toy, others=("debian",)):
    return [
        f"ear={toy / 'out' / 'ear'}",
        "clips=[]",
        f"others={json.dumps(others)}",
        "telephone_share=0.0",
        "lessons.variants=1",
        "lessons.scenes=3",
        "loop.steps=30",
        "loop.batch=16",
        "loop.validate_every=30",
        "loop.average=0.0",
    ]


def made_task(toy, *others):
    return SoundsTask(read_config(SoundsRunConfig, None, settings(toy, others)), toy, toy / "runs" / "cache")


@pytest.fixture(scope="module")
def task(toy):
    return made_task(toy, "debian")


def trained(task, steps=150):
    torch.manual_seed(0)
    model = task.make_model()
    optimiser = torch.optim.AdamW(model.parameters(), 1e-2)
    for step in range(steps):
        optimiser.zero_grad()
        sum(task.loss(model, task.make_batch(1, step, 16)).values()).backward()
        optimiser.step()
    return model.eval()


def test_of_a_batch_half_are_clips_and_a_quarter_is_sound_of_no_class(task):
    embeddings, classes, clip = task.make_batch(1, 5, 16)
    assert embeddings.shape == (16, 62, 4)
    assert (clip[:8] >= 0).all()
    assert (clip[12:] == -1).all()
    assert (classes[12:] == NO_CLASS).all()
    again = task.make_batch(1, 5, 16)
    assert all(torch.equal(a, b) for a, b in zip((embeddings, classes, clip), again, strict=True))


def test_without_other_data_the_rest_of_a_batch_are_examples_of_any_kind(toy):
    alone = made_task(toy)
    _, classes, _ = alone.make_batch(1, 0, 64)
    assert (classes[48:] >= IGNORE).any(dim=1).sum() > 4
    assert "false" not in alone.validate(alone.make_model().eval())


def test_other_data_are_excerpts_of_the_learnt_folds_without_effects_that_name_a_class(toy, task):
    assert list(task._others.groups) == ["debian, sound"]
    names = [r.name for sounds in task._others.sounds for r in sounds.recordings]
    assert names == ["toys-1/0.wav", "toys-2/0.wav", "toys-3/0.wav"]
    assert [r.name for r in task._checked_others.sounds[0].recordings] == ["toys-4/0.wav"]
    assert len(task._others.groups["debian, sound"]) == 3 * 3  # 13, 14 and 15 s are three excerpts each
    assert task.data_hash() != made_task(toy).data_hash()


def test_a_share_of_clips_and_of_other_sound_is_heard_over_a_telephone(toy, task):
    """The toy ear's embeddings are levels of bands; a telephone has none above 4 kHz."""
    config = read_config(SoundsRunConfig, None, [*settings(toy), "telephone_share=0.5"])
    over = SoundsTask(config, toy, toy / "runs" / "cache")
    assert len(over._telephone) == len(over._single)  # each clip once, and no scenes
    (plain, *_), (heard, classes, clip) = (made.make_batch(1, 5, 16) for made in (task, over))
    assert heard.shape == (16, 62, 4)
    assert torch.equal(heard[4:12], plain[4:12])
    changed = [row for row in range(16) if not torch.equal(heard[row], plain[row])]
    assert set(range(4)) <= set(changed) <= {0, 1, 2, 3, 12, 13, 14, 15}
    assert (clip[:8] >= 0).all()
    assert ((classes[:8] == clip[:8, None]) | (classes[:8] == IGNORE)).all()
    figures = over.validate(over.make_model().eval())
    assert 0 <= figures["telephone"] <= 1
    assert "telephone" not in task.validate(task.make_model().eval())


WITH_ANIMALS = ('clips=["animals"]', "clip_variants=2", "clip_share=0.5")


def test_a_share_of_the_clips_is_of_further_sets_whose_category_is_a_class(toy, task):
    config = read_config(SoundsRunConfig, None, [*settings(toy), *WITH_ANIMALS])
    further = SoundsTask(config, toy, toy / "runs" / "cache")
    assert list(further._further.groups) == ["animals, dog"]  # a lion is no class
    assert len(further._further.groups["animals, dog"]) == 3 * 10 * 2
    (plain, _, before), (heard, classes, clip) = (one.make_batch(1, 5, 256) for one in (task, further))
    dog = further.classes.index("dog")
    changed = torch.tensor([not torch.equal(a, b) for a, b in zip(heard, plain, strict=True)])[:128]
    assert (clip[:128][changed] == dog).all()  # a dog gives way to a dog, and a bell stays
    assert torch.equal(clip[:128].sort().values, before[:128].sort().values)
    assert 0.3 < changed.sum() / (clip[:128] == dog).sum() < 0.7
    assert ((classes[:128] == clip[:128, None]) | (classes[:128] == IGNORE)).all()
    assert (clip[192:] == -1).all()
    assert further.data_hash() != task.data_hash()


def test_what_is_left_out_is_learnt_neither_as_clips_nor_as_other_sound(toy):
    both = [*settings(toy, ("debian", "animals")), *WITH_ANIMALS]
    config = read_config(SoundsRunConfig, None, [*both, 'left_out=["animals"]'])
    learnt, left = (
        SoundsTask(one, toy, toy / "runs" / "cache")
        for one in (read_config(SoundsRunConfig, None, both), config)
    )
    assert list(learnt._others.groups) == ["animals, sound", "debian, sound"]
    assert list(left._others.groups) == list(left._checked_others.groups) == ["debian, sound"]
    assert not left._further.groups
    assert (left.make_batch(1, 0, 16)[2][:8] >= 0).all()  # all single clips are then of ESC-50


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("telephone_share=-0.1", "telephone_share is -0.1; expected 0 to 1"),
        ("telephone_share=1.1", "telephone_share is 1.1; expected 0 to 1"),
        ("clip_share=0", "clip_share is 0; expected more than 0, up to 1; clips=.. learns from none"),
        ("clip_variants=0", "clip_variants is 0; expected 1 or more"),
        ('clips=["esc50"]', r"clips is \['esc50'\]; expected some of gtzan"),
        (
            'left_out=["games"]',
            r"left_out is \['games'\]; expected some of clips and others, ambience, animals",
        ),
    ],
)
def test_settings_out_of_range_are_refused(setting, words):
    with pytest.raises(ConfigError, match=words):
        read_config(SoundsRunConfig, None, [setting])


def test_hours_of_other_data_are_limited(toy):
    few = [*settings(toy), f"other_hours={5 / 3600}"]
    task = SoundsTask(read_config(SoundsRunConfig, None, few), toy, toy / "runs" / "cache")
    assert len(task._others.groups["debian, sound"]) == 3


def test_the_head_learns_to_name_nothing_there_and_still_names_the_classes(toy, task):
    """The effects' pitch is near that of the bells, for which a head takes them that did not learn from them."""
    alone = made_task(toy)
    with_others, without = task.validate(trained(task)), task.validate(trained(alone))
    assert with_others["accuracy"] == without["accuracy"] == 1.0
    assert with_others["false"] < 0.05
    assert without["false"] > 0.5


@pytest.mark.parametrize("others", ['["esc50"]', '["debain"]', '["games"]', '["esc10"]'])
def test_other_data_are_sets_that_exist_beside_esc50(others):
    with pytest.raises(ConfigError, match=r"others is \[.*\]; expected some of gtzan, music_speech"):
        read_config(SoundsRunConfig, None, [f"others={others}"])


@pytest.mark.parametrize("setting", ["other_share=0.6", "other_share=-0.1", "other_hours=0"])
def test_clips_stay_half_of_a_batch(setting):
    with pytest.raises(
        ConfigError, match=r"other_share is .* and other_hours .*; expected 0 to 0.5, and more"
    ):
        read_config(SoundsRunConfig, None, [setting])


def test_a_release_names_its_data_and_counts_false_labels(toy, monkeypatch):
    monkeypatch.chdir(toy)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    chosen = [*settings(toy), *WITH_ANIMALS, "telephone_share=0.5"]
    words = [item for text in chosen for item in ("--set", text)]
    for command in (["sounds", *words], ["release", "sounds", "--out", "out/sounds"]):
        done = CliRunner().invoke(main, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    manifest = read_manifest(toy / "out" / "sounds")
    assert set(manifest.operating_points) == set(PREFERENCES)
    assert set(manifest.results["false alarms"]) == {"what", "debian, sound"}
    assert {"Debian's packages", DATA_SETS["animals"].title} <= {data["name"] for data in manifest.trained_on}
    card = (toy / "out" / "sounds" / "card.md").read_text()
    assert "at most 4, 1 and\n20 labels begin in an hour" in card
    assert "50 % are of these data sets, where they have the class too: Animal sounds (Sasmaz" in card
    assert "50 % were heard as over a telephone, with nothing above 3400 to\n4000 Hz." in card
    assert np.isfinite(manifest.results["false alarms"]["debian, sound"])


def test_weights_of_all_folds_are_released_with_the_thresholds_of_those_that_held_out(toy, monkeypatch):
    """The ear held out folds 4 and 5, so a head may learn from both."""
    monkeypatch.chdir(toy)
    monkeypatch.setenv("STREAMER_DATA", str(toy))

    def run(*command):
        return CliRunner().invoke(main, command, catch_exceptions=False)

    words = [item for text in settings(toy) for item in ("--set", text)]
    everything = [*words, "--set", "fold=0", "--set", "validation_fold=0"]
    for command in (
        ["sounds", *words, "--name", "held-out"],
        ["sounds", *everything, "--name", "all"],
        ["release", "sounds", "--run", "all", "--measured-by", "held-out", "--out", "out/all"],
    ):
        done = run(*command)
        assert done.exit_code == 0, done.output
    made = read_manifest(toy / "out" / "all")
    measured = read_manifest(toy / "runs" / "sounds" / "held-out" / "released")
    assert made.operating_points == measured.operating_points
    assert (made.temperature, made.bias) == (measured.temperature, measured.bias)
    assert made.results["clips"] == measured.results["clips"]
    assert made.sha256 != measured.sha256
    assert (made.results["held out"]["fold"], measured.results["held out"]["fold"]) == (0, 5)
    assert "The weights of this model learnt from all folds" in (toy / "out" / "all" / "card.md").read_text()
    refused = run("evaluate", "sounds", "--model", "out/all")
    assert "error: the model learnt from all folds, so no fold is held out to measure it on" in refused.stderr
