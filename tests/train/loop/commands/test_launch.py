import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from streamer.errors import ConfigError
from tests.toy_model import write_toy_model
from tests.train.toy_task import LOOP, PLUGIN, Line, LineConfig, load
from train.loop.commands.launch import launch
from train.loop.config import read_config

NOWHERE = Path("nowhere")


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def longer(config, steps):
    return replace(config, loop=replace(config.loop, steps=steps))


def test_a_run_holds_all_that_is_needed_to_do_it_again():
    folder = launch(PLUGIN, LineConfig(width=6), NOWHERE, NOWHERE)
    assert read_config(LineConfig, folder / "config.json") == LineConfig(width=6)
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["data"] == {
        "sha256": "abc",
        "recordings": 3,
        "skipped": ["line/x: silent"],
        "labels": [],
    }
    assert (environment["device"], environment["processes"], environment["threads"]) == ("cpu", 1, 1)
    names = {path.name.partition(".")[0] for path in folder.iterdir()}
    assert names == {"config", "environment", "metrics", "events", "best", "last"}
    for name in ("best.pt", "last.pt"):
        content = load(folder / name)
        assert content["config"]["width"] == 6
        assert content["front_end"] == Line.front_end.fingerprint


def test_a_run_may_go_on_for_longer():
    folder = launch(PLUGIN, LineConfig(), NOWHERE, NOWHERE)
    assert launch(PLUGIN, longer(LineConfig(), 16), NOWHERE, NOWHERE, folder) == folder
    assert load(folder / "last.pt")["step"] == 16
    assert read_config(LineConfig, folder / "config.json").loop.steps == 16


def test_a_run_does_not_go_on_as_another():
    folder = launch(PLUGIN, LineConfig(), NOWHERE, NOWHERE)
    with pytest.raises(
        ConfigError, match=rf"run {folder} began with fold = 5, got 3; only loop\.\* may change"
    ):
        launch(PLUGIN, LineConfig(fold=3), NOWHERE, NOWHERE, folder)
    assert read_config(LineConfig, folder / "config.json") == LineConfig()


def test_a_task_that_cannot_be_made_leaves_no_run():
    def refuse(config, data, cache):
        raise ConfigError("no clips")

    with pytest.raises(ConfigError, match="no clips"):
        launch(replace(PLUGIN, task=refuse), LineConfig(), NOWHERE, NOWHERE)
    assert not Path("runs").exists()


def test_two_runs_of_one_seed_are_equal_and_of_two_seeds_are_not():
    runs = [
        launch(PLUGIN, LineConfig(fold=fold, loop=replace(LOOP, seed=seed)), NOWHERE, NOWHERE)
        for fold, seed in ((1, 1), (2, 1), (1, 2))
    ]
    first, again, other = (load(run / "best.pt")["weights"]["0.weight"] for run in runs)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@dataclass(frozen=True)
class HearingConfig(LineConfig):
    heard: str = ""


def test_a_run_keeps_what_it_hears_and_goes_on_with_nothing_else(tmp_path):
    write_toy_model(tmp_path / "heard")
    hearing = replace(PLUGIN, config=HearingConfig, input_model="heard")
    config = HearingConfig(heard=str(tmp_path / "heard"))
    folder = launch(hearing, config, NOWHERE, NOWHERE)
    manifest = json.loads((folder / "heard" / "manifest.json").read_text())
    assert launch(hearing, longer(config, 16), NOWHERE, NOWHERE, folder) == folder

    (tmp_path / "heard" / "manifest.json").write_text(json.dumps({**manifest, "sha256": "0" * 64}))
    with pytest.raises(ConfigError, match="holds another model than the run learnt on, which is kept in"):
        launch(hearing, longer(config, 18), NOWHERE, NOWHERE, folder)
