import json
import os
import re
import time
from types import SimpleNamespace

import numpy
import pytest

from streamer.errors import ConfigError
from tests.train.toy_task import LineConfig
from train.loop.run import (
    DataUsed,
    data_used,
    find_run,
    new_run,
    read_metrics,
    summaries,
    write_config,
    write_environment,
)


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def started(tmp_path, name, scores=(), finished=True):
    folder = tmp_path / "runs" / "line" / name
    folder.mkdir(parents=True)
    write_config(folder, LineConfig())
    lines = [json.dumps({"step": 10 * (n + 1), "score": score}) + "\n" for n, score in enumerate(scores)]
    (folder / "metrics.jsonl").write_text("".join(lines))
    if finished:
        (folder / "best.pt").touch()
    return folder


def test_a_run_s_folder_is_named_by_time_and_configuration(monkeypatch):
    monkeypatch.setattr("time.strftime", lambda form: "20261121-101112")
    first, second = new_run("line", LineConfig()), new_run("line", LineConfig(width=9))
    assert re.fullmatch(r"runs/line/20261121-101112-[0-9a-f]{8}", str(first))
    assert first != second
    assert first.is_dir()
    with pytest.raises(ConfigError, match=rf"{first} exists; go on with it by --resume, or give"):
        new_run("line", LineConfig())


def test_a_run_may_be_named():
    assert str(new_run("line", LineConfig(), "first")) == "runs/line/first"
    with pytest.raises(ConfigError, match=r"runs/line/first exists; go on with it by --resume, or give"):
        new_run("line", LineConfig(width=9), "first")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/tmp/a", "a/"])
def test_a_name_that_is_none_of_a_folder_is_refused(name):
    with pytest.raises(
        ConfigError, match=rf"the run's name is '{name}'; expected that of one folder in runs/line"
    ):
        new_run("line", LineConfig(), name)


def test_the_environment_says_what_a_run_ran_in(tmp_path):
    data = DataUsed("abc", 12, ("esc50/1-1-A-0: broken",))
    write_environment(tmp_path, "c0ffee+", {"device": "cpu", "processes": 2, "threads": 1}, data)
    written = json.loads((tmp_path / "environment.json").read_text())
    assert written["commit"] == "c0ffee+"
    assert (written["device"], written["processes"], written["threads"]) == ("cpu", 2, 1)
    assert written["data"] == {
        "sha256": "abc",
        "recordings": 12,
        "skipped": ["esc50/1-1-A-0: broken"],
        "labels": [],
    }
    assert written["packages"]["numpy"] == numpy.__version__
    assert written["python"].startswith("3.")
    assert written["resumed"] == []


def test_a_resumed_run_notes_what_has_changed(tmp_path):
    data = DataUsed("abc", 12)
    write_environment(tmp_path, "c0ffee", {"device": "cpu"}, data)
    write_environment(tmp_path, "decade", {"device": "cpu"}, data)
    written = json.loads((tmp_path / "environment.json").read_text())
    assert written["commit"] == "c0ffee"
    (resumed,) = written["resumed"]
    assert resumed["commit"] == "decade"
    assert not {"device", "data", "packages"} & set(resumed)


def test_data_used_is_all_caches_together():
    skipped = SimpleNamespace(source="esc50", name="x", reason="silent")

    class Cache:
        def __init__(self, digest, length, skipped=()):
            self.digest, self.length, self.skipped = digest, length, skipped

        def __len__(self):
            return self.length

    used = data_used(Cache("a", 3), Cache("b", 2, (skipped,)))
    assert (used.recordings, used.skipped) == (5, ("esc50/x: silent",))
    assert used.sha256 != data_used(Cache("a", 3), Cache("c", 2)).sha256


def test_a_run_is_found_by_name_by_path_or_as_the_last_that_has_weights(tmp_path):
    started(tmp_path, "20260101-a")
    second = started(tmp_path, "20260102-b")
    started(tmp_path, "20260103-c", finished=False)
    assert find_run("line").name == "20260102-b"
    assert find_run("line", "20260103-c").name == "20260103-c"
    assert find_run("line", str(second)) == second


def test_the_last_run_is_that_which_was_begun_or_gone_on_with_last_whatever_its_name(tmp_path):
    began = time.time_ns()
    for seconds, name in enumerate(("named", "20260102-b")):
        at = began + seconds * 1_000_000_000
        os.utime(started(tmp_path, name) / "config.json", ns=(at, at))
    assert find_run("line").name == "20260102-b"
    os.utime(tmp_path / "runs/line/named/config.json", ns=(at + 1, at + 1))
    assert find_run("line").name == "named"
    os.utime(tmp_path / "runs/line/20260102-b/config.json", ns=(at + 2, at + 2))
    assert find_run("line").name == "20260102-b"


def test_an_unknown_run_names_those_that_there_are(tmp_path):
    started(tmp_path, "20260101-a")
    started(tmp_path, "20260102-b")
    with pytest.raises(ConfigError, match="no run 'x' of task line; there are 20260101-a, 20260102-b"):
        find_run("line", "x")
    with pytest.raises(
        ConfigError, match="no run 'x' of task gate; there are none; train one: python -m train gate"
    ):
        find_run("gate", "x")
    with pytest.raises(
        ConfigError, match=r"runs/gate has no run with best\.pt; train one: python -m train gate"
    ):
        find_run("gate")


def test_summaries_give_the_best_score_of_each_run(tmp_path):
    started(tmp_path, "20260101-a", [0.1, 0.75, 0.5])
    started(tmp_path, "20260102-b", finished=False)
    assert summaries(["line", "gate"]) == [
        "runs/line/20260101-a  step 30, best score 0.7500 at 20",
        "runs/line/20260102-b  no figures",
    ]


def test_no_metrics_are_no_lines(tmp_path):
    assert read_metrics(tmp_path) == []
