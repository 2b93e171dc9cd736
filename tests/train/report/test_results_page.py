import dataclasses
import json

import pytest
from click.testing import CliRunner

from streamer.errors import ConfigError
from tests.conftest import ROOT
from train.report import results
from train.report.results import Results, Row, fill
from train.report.results_command import results_command

TOY = Results(
    title="Toy",
    command="python -m train evaluate toy",
    split="fold 5",
    rows=(
        Row("accuracy", "all.accuracy", aim=">= 0.8", anchor="0.7, somebody"),
        Row("time", r"all.0\.5 s.median", unit="ms", aim="<= 3"),
        Row("share", "all.share"),
    ),
    before=("python -m train toy --fold 5",),
)
PRINTED = {"all": {"accuracy": {"mean": 0.8123456, "spread": 0.0123}, "0.5 s": {"median": 4}, "share": 0.25}}


def stored(tmp_path, content=TOY):
    (tmp_path / "results").mkdir()
    results.write(content, tmp_path / "results" / "toy.json")
    return tmp_path / "results"


def test_a_file_is_read_as_it_was_written(tmp_path):
    filled = fill(TOY, PRINTED, "2026-11-21", "0123456789abcdef+")
    for content in (TOY, filled):
        results.write(content, tmp_path / "toy.json")
        assert results.read(tmp_path / "toy.json") == content


def test_the_page_tells_aim_anchor_and_what_was_measured():
    text = results.markdown([fill(TOY, PRINTED, "2026-11-21", "0123456789abcdef+")])
    assert "| accuracy | 0.7, somebody | >= 0.8 | 0.8123 ± 0.012 | yes |" in text
    assert "| time |  | <= 3 ms | 4 ms | no |" in text
    assert "| share |  |  | 0.25 |  |" in text
    assert "```sh\npython -m train toy --fold 5\npython -m train evaluate toy\n```" in text
    assert "Measured on 2026-11-21 at commit 0123456789ab+." in text


def test_what_was_not_measured_is_said():
    text = results.markdown([TOY])
    assert "| accuracy | 0.7, somebody | >= 0.8 | not measured |  |" in text
    assert "Measured on" not in text


def test_a_path_that_leads_to_no_number_is_refused():
    with pytest.raises(
        ConfigError, match=r"printed no all\.0.*: no 'median' among mean; mend the row's path"
    ):
        fill(TOY, {"all": {**PRINTED["all"], "0.5 s": {"mean": 1}}}, "", "")
    for wrong in ("0.8", True, None, {"spread": 0.1}):
        with pytest.raises(
            ConfigError, match=r"all\.share of .* is .*; expected a number, or a mean and a spread"
        ):
            fill(TOY, {"all": {**PRINTED["all"], "share": wrong}}, "", "")


def test_files_that_are_not_as_they_should_be_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"has no \*\.json; expected files of results"):
        results.read_all(tmp_path)
    path = tmp_path / "toy.json"
    content = json.loads((stored(tmp_path) / "toy.json").read_text())
    for wrong in ({**content, "colour": "red"}, {**content, "rows": [{"figure": "x"}]}, [content]):
        path.write_text(json.dumps(wrong))
        with pytest.raises(ConfigError, match=r"toy\.json is not a file of results"):
            results.read(path)
    with pytest.raises(ConfigError, match="command of 'Toy' is 'rm -r x'; expected one that begins with"):
        dataclasses.replace(TOY, command="rm -r x")
    with pytest.raises(ConfigError, match="aim of 'x' is 'about 3'; expected '>= NUMBER' or '<= NUMBER'"):
        Row("x", "y", aim="about 3")


def test_the_command_writes_the_page_and_prints_what_reproduces_it(tmp_path):
    folder, page = stored(tmp_path), tmp_path / "docs" / "results.md"
    options = ["--folder", str(folder), "--page", str(page)]
    run = CliRunner().invoke
    printed = run(results_command, [*options, "--commands"], catch_exceptions=False)
    assert printed.output.splitlines() == ["python -m train toy --fold 5", "python -m train evaluate toy"]
    assert not page.exists()
    run(results_command, options, catch_exceptions=False)
    assert page.read_text() == results.markdown([TOY])
    with pytest.raises(ConfigError, match=r"has no gate\.json; it has toy"):
        run(results_command, [*options, "gate"], catch_exceptions=False)


def test_measuring_writes_what_the_command_prints(tmp_path, monkeypatch):
    folder, page = stored(tmp_path), tmp_path / "results.md"
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "__main__.py").write_text(f"import json; print(json.dumps({PRINTED!r}))")
    monkeypatch.chdir(tmp_path)  # python -m train runs the program there
    CliRunner().invoke(
        results_command, ["--measure", "--folder", str(folder), "--page", str(page)], catch_exceptions=False
    )
    row = results.read(folder / "toy.json").rows[0]
    assert (row.measured, row.spread) == (0.8123456, 0.0123)
    assert "0.8123 ± 0.012" in page.read_text()


def test_reproducing_makes_first_what_is_measured(tmp_path, monkeypatch):
    folder = stored(tmp_path)
    (tmp_path / "train").mkdir()
    program = (
        "import json, pathlib, sys; done = pathlib.Path('done'); "
        f"made = done.write_text(' '.join(sys.argv[1:])) if sys.argv[1] == 'toy' else print(json.dumps({PRINTED!r}))"
    )
    (tmp_path / "train" / "__main__.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    options = ["--folder", str(folder), "--page", str(tmp_path / "results.md")]
    CliRunner().invoke(results_command, ["--measure", *options], catch_exceptions=False)
    assert not (tmp_path / "done").exists()
    CliRunner().invoke(results_command, ["--reproduce", *options], catch_exceptions=False)
    assert (tmp_path / "done").read_text() == "toy --fold 5"
    assert results.read(folder / "toy.json").rows[0].measured == 0.8123456


@pytest.mark.parametrize(
    ("program", "words"),
    [("print('hello')", "printed no JSON"), ("raise SystemExit(3)", "evaluate toy left with 3")],
)
def test_a_command_that_fails_changes_nothing(program, words, tmp_path, monkeypatch):
    folder = stored(tmp_path)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "__main__.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=words):
        CliRunner().invoke(results_command, ["--measure", "--folder", str(folder)], catch_exceptions=False)
    assert results.read(folder / "toy.json") == TOY


def test_the_committed_page_is_that_of_the_committed_figures():
    found = results.read_all(ROOT / results.FOLDER)
    assert (ROOT / results.PAGE).read_text(encoding="utf-8") == results.markdown(list(found.values()))
