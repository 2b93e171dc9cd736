import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest
from click.testing import CliRunner

from tests.conftest import DEADLINE_S, ROOT
from tests.toy_model import write_toy_model
from tests.train.toy_task import LineConfig
from train.__main__ import ELSEWHERE, main
from train.loop import registry
from train.loop.config import read_config
from train.loop.registry import TASKS, find_plugin

SETTINGS = ["--set", "loop.device=cpu"]


@pytest.fixture(autouse=True)
def _toy(tmp_path, monkeypatch):
    """Tasks are the toy and the real ones; runs and data are in a folder of their own."""
    tasks = MappingProxyType({"line": ("tests.train.toy_task", "a line"), **TASKS})
    monkeypatch.setattr(registry, "TASKS", tasks)
    monkeypatch.setattr("train.__main__.TASKS", tasks)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(tmp_path))


def run(*arguments):
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def folder_of(result):
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_settings_and_fold_reach_the_run(tmp_path):
    (tmp_path / "line.toml").write_text("width = 7\n[loop]\nsteps = 4\n")
    folder = folder_of(run("line", "--config", "line.toml", "--fold", "2", "--set", "loop.batch=4"))
    config = read_config(LineConfig, tmp_path / folder / "config.json")
    assert (config.width, config.fold, config.loop.steps, config.loop.batch) == (7, 2, 4, 4)


def test_a_run_is_resumed_by_its_name_with_its_own_configuration(tmp_path):
    folder = folder_of(run("line", "--set", "width=7"))
    name = folder.rpartition("/")[2]
    assert folder_of(run("line", "--resume", name, "--set", "loop.steps=16")) == folder
    config = read_config(LineConfig, tmp_path / folder / "config.json")
    assert (config.width, config.loop.steps) == (7, 16)


def test_list_shows_runs_and_their_best_scores():
    folder = folder_of(run("line"))
    assert folder in run("list").stdout
    assert " step 12, best score -" in run("list", "line").stdout
    assert run("list", "gate").stdout == ""


def test_a_run_is_measured_on_its_own_fold_and_a_model_on_the_one_that_it_held_out():
    folder = folder_of(run("line", "--fold", "2"))
    measured = json.loads(run("evaluate", "line", "--run", folder).stdout)
    assert measured == {"fold": 2, "model": f"{folder}/exported", "kept": f"{folder}/predictions"}
    assert json.loads(Path(folder, "evaluation.json").read_text()) == {"test": measured}
    run("evaluate", "line", "--run", folder, "--split", "validation")
    assert json.loads(Path(folder, "evaluation.json").read_text()).keys() == {"test", "validation"}
    released = Path("models", "released", "line")
    write_toy_model(released)
    measured = json.loads(run("evaluate", "line").stdout)
    assert measured == {"fold": 5, "model": str(released), "kept": "None"}
    manifest = json.loads((released / "manifest.json").read_text())
    (released / "manifest.json").write_text(json.dumps({**manifest, "results": {"held out": {"fold": 3}}}))
    assert json.loads(run("evaluate", "line").stdout)["fold"] == 3


def test_what_learnt_from_all_folds_is_not_measured():
    folder = folder_of(run("line", "--set", "fold=0", "--set", "validation_fold=0"))
    said = "error: the model learnt from all folds, so no fold is held out to measure it on; expected a model that"
    assert run("evaluate", "line", "--run", folder).stderr.startswith(said)
    assert not Path(folder, "exported").exists()
    released = Path("models", "released", "line")
    write_toy_model(released)
    manifest = json.loads((released / "manifest.json").read_text())
    folds = {"what": "Nothing.", "fold": 0, "validation_fold": 0}
    (released / "manifest.json").write_text(json.dumps({**manifest, "results": {"held out": folds}}))
    result = run("evaluate", "line")
    assert result.exit_code == 2
    assert result.stderr.startswith(said)
    said = f"error: run {Path(folder).name} learnt from all folds, so nothing is left to measure it on; expected --m"
    assert run("release", "line", "--run", folder).stderr.startswith(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nix"], "no task or command 'nix'; expected a task, line, ear, gate"),
        (["evaluate", "nix"], "no task 'nix'; expected one of line, ear, gate"),
        (["export", "nix", "--out", "x"], "no task 'nix'; expected one of line, ear, gate"),
        (["release", "nix"], "no task 'nix'; expected one of line, ear, gate"),
        (["list", "nix"], "no task 'nix'; expected one of line, ear, gate"),
        (
            ["export", "line", "--run", "x", "--out", "y"],
            "no run 'x' of task line; there are none; train one",
        ),
        (["release", "line"], "runs/line has no run with best.pt; train one: python -m train line"),
        (["line", "--resume", "x"], "no run 'x' of task line; there are none"),
        (["line", "--resume", "x", "--name", "y"], "got --resume and --name; a run keeps its name"),
        (
            ["line", "--resume", "x", "--config", "y"],
            "got --resume and --config; a run keeps its own configuration",
        ),
        (["release", "line", "--measured-by", "x"], "no run 'x' of task line; there are none"),
        (["evaluate", "line"], "got neither --run nor --model, and no line is released; expected a run, or"),
        (["evaluate", "line", "--run", "x", "--model", "y"], "got --run and --model; expected one of them"),
        (["line", "--set", "loop.step=1"], "unknown key 'loop.step'; did you mean 'loop.steps'?"),
        (["line", "--config", "absent.toml"], "cannot read absent.toml: No such file or directory"),
    ],
)
def test_errors_are_one_line_that_names_what_there_is(arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_list_of_commands_fits_80_columns_whole():
    said = CliRunner().invoke(main, ["--help"], terminal_width=80).stdout
    listed = said.partition("Commands:\n")[2].splitlines()
    assert len(listed) > 20
    assert not [line for line in listed if line.startswith("   ")]  # none is broken into two lines
    assert "..." not in "".join(listed)


@pytest.mark.parametrize("name", [*TASKS, *ELSEWHERE, *main.commands])
def test_each_command_is_listed_and_has_a_help(name):
    assert f"\n  {name} " in run("--help").stdout
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {name} ")
    assert "Options:" in result.stdout
    if name in ELSEWHERE:
        module, _, function = ELSEWHERE[name][0].partition(":")
        assert getattr(importlib.import_module(module), function).name == name


def test_no_command_stands_outside():
    """Every click command of the package is in the table, and only `train` itself runs as a program."""
    listed = {where for where, _ in ELSEWHERE.values()}
    found, programs = set(), set()
    for path in (ROOT / "train").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(map(_makes_a_command, node.decorator_list)):
                found.add(f"{module}:{node.name}")
            if isinstance(node, ast.Constant) and node.value == "__main__":
                programs.add(module)
    assert (
        found - {"train.__main__:main", "train.__main__:command"} == listed
    )  # the group, and what trains a task
    assert programs == {"train.__main__"}


def _makes_a_command(decorator):
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in ("click.command", "click.group")


def test_errors_of_a_command_of_its_own_module_are_one_line():
    for arguments, said in [
        (["report", "absent"], "error: absent is not a folder; expected a run, runs/TASK/TIME-HASH"),
        (["results"], "error: docs/results has no *.json; expected files of results"),
        (["inspect", "nix"], "error: no task 'nix'; expected one of line, ear, gate"),
        (["cost", "absent"], "error: absent has no manifest.json; expected a released-model folder"),
    ]:
        result = run(*arguments)
        assert result.exit_code != 0
        assert result.stderr.startswith(said)
        assert result.stderr.count("\n") == 1


def test_help_names_the_tasks_and_needs_no_torch():
    code = (
        "import sys; from train.__main__ import main; main(['--help'], standalone_mode=False); "
        "sys.exit(' '.join({'torch', 'onnx', 'sklearn', 'matplotlib'} & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Train the gate, for music, speech and singing." in done.stdout


@pytest.mark.parametrize("task", TASKS)
def test_every_task_of_the_registry_is_there(task):
    plugin = find_plugin(task)
    assert plugin.name == task
    assert plugin.config().loop.steps > 0


def test_the_short_option_prints_the_help():
    assert run("-h").stdout == run("--help").stdout
    assert run("-h").stdout.startswith("Usage: ")
