"""Test that two builds are compared figure by figure, round by round."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.against import AgainstError, Build, figures_of, make_build, ratios, run_benchmark

BENCHMARK = """
import json, sys
from pathlib import Path
out = Path(sys.argv[sys.argv.index("--out") + 1])
if "--fail" in sys.argv:
    sys.exit("no such thing")
out.write_text(json.dumps({"machine": {"cores": 2}, "streams": {"4": {"ms": 1.5, "lost": False}}, "words": "x"}))
"""


@pytest.fixture
def build(tmp_path: Path) -> Build:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "toy.py").write_text(BENCHMARK)
    return Build("this build", tmp_path, Path(sys.executable))


def test_figures_are_the_numbers_of_a_result_without_the_machine(build: Build) -> None:
    assert run_benchmark(build, "toy", []) == {"streams.4.ms": 1.5}
    assert figures_of({"a": 1, "b": {"c": 2.5, "d": [3]}}) == {"a": 1.0, "b.c": 2.5}


def test_a_benchmark_that_fails_says_what_it_said(build: Build) -> None:
    with pytest.raises(AgainstError, match="toy of this build ended with status 1 and said 'no such thing'"):
        run_benchmark(build, "toy", ["--fail"])


def test_ratios_are_those_of_each_round() -> None:
    rounds = [
        ({"ms": 1.0, "s": 3.0, "new": 1.0}, {"ms": 2.0, "s": 3.0}),
        ({"ms": 4.0, "s": 3.0}, {"ms": 4.0, "s": 6.0}),
        ({"ms": 1.0, "s": 3.0}, {"ms": 4.0, "s": 0.0}),
    ]
    (found,) = ratios(rounds)  # `s` was 0 in one round, and `new` is of one build alone
    assert (found.figure, found.ours, found.other) == ("ms", 1.0, 4.0)
    assert (found.ratio, found.least, found.most) == (0.5, 0.25, 1.0)
    assert ratios(rounds, only="s.") == []


def test_a_build_is_that_of_its_commit_with_an_environment_of_its_own(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "scripts").mkdir(parents=True)
    setup = root / "scripts" / "setup.sh"
    setup.write_text("#!/bin/sh\nmkdir -p .venv && echo $1 >> .venv/made\n")
    setup.chmod(0o755)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "one"]):
        subprocess.run([*git, *command], cwd=root, check=True)
    (root / "later").write_text("")
    for command in (["add", "."], ["commit", "--quiet", "-m", "two"]):
        subprocess.run([*git, *command], cwd=root, check=True)
    made = make_build("HEAD~1", tmp_path / "builds", root)
    assert not (made.folder / "later").exists()
    assert (made.folder / ".venv" / "made").read_text() == "bench\n"
    assert make_build("HEAD~1", tmp_path / "builds", root) == made
    with pytest.raises(AgainstError, match="'nowhere' is no revision of"):
        make_build("nowhere", tmp_path / "builds", root)


def test_the_command_prints_and_stores_ratios(build: Build, tmp_path: Path, monkeypatch, capsys) -> None:
    from benchmarks import against

    monkeypatch.setattr(against, "ROOT", build.folder)
    monkeypatch.setattr(
        against, "make_build", lambda revision, builds: Build(revision, build.folder, build.python)
    )
    out = tmp_path / "ratios.json"
    monkeypatch.setattr(
        sys, "argv", ["against", "--rounds", "2", "--out", str(out), "before", "toy", "--streams", "4"]
    )
    against.main()
    assert "1.000 (1.000 to 1.000)  streams.4.ms  1.5 against 1.5" in capsys.readouterr().out
    stored = json.loads(out.read_text())
    assert (stored["revision"], stored["arguments"], stored["rounds"]) == ("before", ["--streams", "4"], 2)
    assert stored["ratios"][0]["figure"] == "streams.4.ms"
