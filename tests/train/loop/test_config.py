import json
import tomllib
from dataclasses import asdict

import pytest

from streamer.errors import ConfigError
from tests.conftest import ROOT
from train.data.sets.catalogue import DATA_SETS
from train.loop.config import flatten, read_config
from train.loop.registry import TASKS, find_plugin
from train.mixing.scenes import PARTS
from train.tasks.gate.task import GateRunConfig


def test_assignments_win_over_the_file(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[loop]\nsteps = 7\nbatch = 3\n[model]\nspectral_channels = [1, 2, 3]\n")
    config = read_config(GateRunConfig, path, ["loop.steps=9", "loop.learning_rate = 1"])
    assert (config.loop.steps, config.loop.batch, config.loop.learning_rate) == (9, 3, 1.0)
    assert config.model.spectral_channels == (1, 2, 3)


def test_a_run_s_own_config_reads_back(tmp_path):
    config = read_config(GateRunConfig, None, ["loop.seed=5", "scenes.scene.seconds=4.0"])
    (tmp_path / "config.json").write_text(json.dumps(asdict(config)))
    assert read_config(GateRunConfig, tmp_path / "config.json") == config


def test_unknown_key_names_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown key 'loop.step'; did you mean 'loop.steps'\?"):
        read_config(GateRunConfig, None, ["loop.step=1"])


def test_assignment_without_value_is_refused():
    with pytest.raises(ConfigError, match=r"got 'loop\.steps'; expected key=value"):
        read_config(GateRunConfig, None, ["loop.steps"])


def test_a_key_within_a_value_is_refused():
    with pytest.raises(
        ConfigError, match=r"got 'music_weight\.x=1'; expected a key within a table, music_weight is"
    ):
        read_config(GateRunConfig, None, ["music_weight=2.0", "music_weight.x=1"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "steps =", "is not TOML"),
        ("a.json", "{", "is not JSON"),
        ("a.toml", "\xff", "has the byte 0xff"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_refused(tmp_path, name, text, said):
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=f"{name} {said}"):
        read_config(GateRunConfig, tmp_path / name)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*a\.toml: No such file or directory; give --config"):
        read_config(GateRunConfig, tmp_path / "a.toml")


@pytest.mark.parametrize("task", TASKS)
def test_a_task_s_example_has_every_key_at_its_default(task):
    configs = ROOT / "train" / "configs"
    # A row of the laboratory may have the name of its task, and settings of its own.
    path = next(
        path for path in (configs / f"{task}.toml", configs / "reference" / f"{task}.toml") if path.is_file()
    )
    default = find_plugin(task).config()
    assert read_config(type(default), path) == default
    assert keys(tomllib.loads(path.read_text())) == keys(asdict(default))


def test_the_free_gate_differs_from_the_gate_by_its_data_alone_which_are_all_free():
    configs = ROOT / "train" / "configs"
    free = read_config(GateRunConfig, configs / "gate_free.toml")
    assert all(DATA_SETS[name].is_free for name in free.data)
    assert free.mel_share == 0.0
    weights = dict(zip(PARTS, free.scenes.scene.weights, strict=True))
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["song"] == weights["song+speech"] == 0.0
    own = flatten(asdict(GateRunConfig()))
    differing = {key for key, value in flatten(asdict(free)).items() if own[key] != value}
    assert differing == {"data", "mel_share", "scenes.scene.weights"}
    texts = (tomllib.loads((configs / f"{name}.toml").read_text()) for name in ("gate_free", "gate"))
    assert keys(next(texts)) == keys(next(texts))


def keys(content, where=""):
    """The full names of all values, tables opened."""
    found = set()
    for key, value in content.items():
        found |= keys(value, f"{where}{key}.") if isinstance(value, dict) else {where + key}
    return found
