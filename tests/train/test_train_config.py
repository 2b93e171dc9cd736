import json
from dataclasses import asdict

import pytest

from streamer.errors import ConfigError
from train.config import read_config
from train.tasks.gate import GateRunConfig


def test_assignments_win_over_the_file(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[loop]\nsteps = 7\nbatch = 3\n[model]\nspectral_channels = [1, 2, 3]\n")
    config = read_config(GateRunConfig, path, ["loop.steps=9", "loop.learning_rate = 1"])
    assert (config.loop.steps, config.loop.batch, config.loop.learning_rate) == (9, 3, 1.0)
    assert config.model.spectral_channels == (1, 2, 3)


def test_a_run_s_own_config_reads_back(tmp_path):
    config = read_config(GateRunConfig, None, ["loop.seed=5", "scenes.seconds=2.0"])
    (tmp_path / "config.json").write_text(json.dumps(asdict(config)))
    assert read_config(GateRunConfig, tmp_path / "config.json") == config


def test_unknown_key_names_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown key 'loop.step'; did you mean 'loop.steps'\?"):
        read_config(GateRunConfig, None, ["loop.step=1"])


def test_assignment_without_value_is_refused():
    with pytest.raises(ConfigError, match=r"got 'loop\.steps'; expected key=value"):
        read_config(GateRunConfig, None, ["loop.steps"])
