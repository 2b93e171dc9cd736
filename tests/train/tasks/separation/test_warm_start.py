"""What a run of separation may begin with: a run, and none that learnt what is held out now."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from streamer.errors import ConfigError
from train.data.decode import RATE_HZ
from train.data.sets.songs.song_catalogue import find_songs
from train.loop.run import write_config
from train.tasks.separation.config import SeparationRunConfig
from train.tasks.separation.warm_start import check_warm_start

SINGERS = ("Ann", "Hal", "Cid", "Max", "Ben")
"""By the hash of their names in folds 1 to 5."""


@pytest.fixture
def data(tmp_path):
    for singer in SINGERS:
        folder = tmp_path / "mine" / f"{singer} - Song"
        folder.mkdir(parents=True)
        for stem in ("vocals", "accompaniment"):
            soundfile.write(folder / f"{stem}.wav", np.zeros(RATE_HZ), RATE_HZ)
    return tmp_path / "mine"


@pytest.fixture
def config(data):
    return SeparationRunConfig(data=(str(data),))


@pytest.fixture
def run(tmp_path):
    """Make the folder of a run that was validated once."""

    def made(name, config):
        folder = tmp_path / name
        folder.mkdir()
        write_config(folder, config)
        (folder / "best.pt").touch()
        return str(folder)

    return made


def test_it_must_be_a_run(config, data, tmp_path):
    with pytest.raises(ConfigError, match=r"in which there is no config\.json; expected the folder of a run"):
        check_warm_start(replace(config, begin=str(tmp_path)), data, data / "cache")


def test_it_must_have_been_validated(config, data, tmp_path, run):
    (tmp_path / "young").mkdir()
    write_config(tmp_path / "young", config)
    with pytest.raises(ConfigError, match=r"in which there is no best\.pt"):
        check_warm_start(replace(config, begin=str(tmp_path / "young")), data, data / "cache")


def test_it_must_not_know_what_is_held_out(config, data, run):
    knows = run("knows", replace(config, fold=config.learnt_folds[0]))
    expected = (
        rf"which learnt 1 of the 2 songs of fold {config.fold} and fold {config.validation_fold}, such as .* - Song; "
        "expected that it learnt none of them: hold out what it held out, or begin at random"
    )
    with pytest.raises(ConfigError, match=expected):
        check_warm_start(replace(config, begin=knows), data, data / "cache")


def test_it_may_have_held_out_the_same(config, data, run):
    check_warm_start(replace(config, begin=run("same", config)), data, data / "cache")


def test_what_it_began_with_itself_must_not_know_either(config, data, run, tmp_path):
    knows = run("knows", replace(config, fold=config.learnt_folds[0]))
    after = replace(config, begin=run("after", replace(config, begin=knows)))
    with pytest.raises(ConfigError, match="which learnt"):
        check_warm_start(after, data, data / "cache")
    (tmp_path / "knows" / "config.json").unlink()  # nothing is known of it any more
    check_warm_start(after, data, data / "cache")


def test_without_a_fold_to_validate_on_the_other_alone_is_named(config, data, run):
    knows = run("knows", replace(config, fold=config.learnt_folds[0]))
    with pytest.raises(ConfigError, match=rf"learnt 1 of the 1 songs of fold {config.fold}, such as"):
        check_warm_start(replace(config, validation_fold=0, begin=knows), data, data / "cache")


def test_it_must_not_know_held_out_music_from_another_data_set(config, data, run, monkeypatch):
    held_out = next(song for song in find_songs(config.data, data) if song.fold == config.fold)
    monkeypatch.setattr("train.tasks.separation.warm_start.accompaniments", lambda *_: [held_out.music])
    knows = run("knows", replace(config, accompaniments=("rendered",)))
    with pytest.raises(ConfigError, match="which learnt 1 of the 2 songs"):
        check_warm_start(replace(config, begin=knows), data, data / "cache")
