import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner
from markupsafe import Markup

from streamer.errors import ConfigError
from tests.train.made_predictions import choice, detection
from tests.train.toy_data import make_toy_data
from train.evaluate.saliency import SaliencyMap
from train.report import plots
from train.report.build import report_command, write_report
from train.report.page import table
from train.report.spectra import Spectra

EVERYTHING = [
    "Evaluation",
    "Robustness",
    "Saliency maps",
    "Cost",
    "Learning curves",
    "Configuration",
    "Environment",
]
OF_CHOICE = ["Accuracy", "Accuracy against time", "Labels", "Confusion matrix", "Most confused pairs"]
OF_CHOICE += ["Misclassified clips", "Reliability"]
OF_DETECTION = ["Detection", "ROC and precision-recall", "Accuracy against time", "By data set"]
OF_DETECTION += ["Misclassified clips", "Reliability"]
VOID = {"meta", "br"}


class Outline(HTMLParser):
    """Headings, open elements and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.titles, self.open, self.addresses, self._in_title = [], [], [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.addresses += [v for k, v in attrs if k in {"href", "src", "xlink:href", "action", "data"}]
        self._in_title = tag == "h2"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self._in_title = False

    def handle_data(self, data):
        if self._in_title:
            self.titles.append(data)


def write_json(path, content):
    path.write_text(json.dumps(content))


def make_run(folder, predictions, learning_rate=0.1):
    """A run's folder with every file that there can be."""
    predictions.save(folder / "predictions" / "test.npz")
    write_json(
        folder / "config.json", {"fold": 1, "loop": {"learning_rate": learning_rate, "name": "<b>bold</b>"}}
    )
    write_json(folder / "environment.json", {"commit": "abc", "packages": {"torch": "2.0"}})
    clips = {"what": "Held-out clips.", "clips": 40, "accuracy": learning_rate}
    write_json(folder / "evaluation.json", {"test": {"clips": clips}})
    lines = [{"step": s, "loss": 1 / s, "score": s / 40} for s in (10, 20, 30)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    curves = [{"name": "white noise", "unit": "dB SNR", "levels": [20, 0], "values": [0.7, 0.2]}]
    measured = {"command": "python -m train inspect toy", "figure": "accuracy", "sounds": 8, "clean": 0.8}
    write_json(folder / "robustness.json", {**measured, "curves": curves})
    write_json(
        folder / "cost.json",
        {
            "command": "python -m train inspect toy",
            "models": {"toy": {"parameters": 12_345, "macs_per_s": 2.5e6}},
            "together": {"parameters": 12_345, "core_ms_per_s_with_front_ends": 1.5},
        },
    )
    frames = np.random.default_rng(0).normal(size=(50, 16))
    SaliencyMap("toy/1-0", "dog", "cat", frames, frames).save(folder / "saliency" / "1.npz")
    return folder


@pytest.fixture(scope="module")
def two_folds(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs") / "sounds"
    folders = [make_run(runs / f"fold{n}", choice(n), n / 10) for n in (1, 2)]
    path = write_report(folders)
    assert path == folders[0] / "report.html"
    return path.read_text()


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return write_report([make_run(tmp_path_factory.mktemp("gate") / "run", detection())]).read_text()


def test_a_choice_has_every_section_and_none_is_absent(two_folds):
    assert Outline(two_folds).titles == OF_CHOICE + EVERYTHING
    assert 'class="absent"' not in two_folds


def test_a_gate_has_its_own_sections(gate):
    assert Outline(gate).titles == OF_DETECTION + EVERYTHING
    assert 'class="absent"' not in gate


def test_a_page_asks_nothing_of_the_net_and_closes_what_it_opens(two_folds, gate):
    for text in (two_folds, gate):
        outline = Outline(text)
        assert outline.open == []
        assert all(a.startswith(("#", "data:")) for a in outline.addresses)
        assert not re.search(r"<script|<link|@import|url\((?!#)", text)
        names = re.findall(r"https?://[^\"' <]+", text)
        assert {name for name in names if "www.w3.org" not in name} == set()  # namespaces alone


def test_drawings_have_the_colours_of_the_page(two_folds):
    assert "var(--series-1)" in two_folds
    assert "#0102" not in two_folds


def test_folds_are_told_with_mean_and_spread(two_folds):
    assert "<td>accuracy</td><td>0.150 ± 0.071</td>" in two_folds  # evaluation.json: 0.1 and 0.2
    assert '<h3>clips (test)</h3><p class="note">Held-out clips.</p>' in two_folds
    assert '<td>clips</td><td>40.000 ± 0</td><td class="n">40</td><td class="n">40</td>' in two_folds
    assert "20: 0.700 ± 0, 0: 0.200 ± 0" in two_folds  # robustness.json, alike in both
    assert re.search(r"<b>0\.\d{3} ± 0\.\d{3}</b><span>accuracy, mean and spread over folds", two_folds)
    assert "80 held-out clips of folds 1, 2" in two_folds
    assert "fold1: <code>0.1</code><br>fold2: <code>0.2</code>" in two_folds


def test_what_others_wrote_is_text(two_folds):
    assert "<b>bold</b>" not in two_folds
    assert "&lt;b&gt;bold&lt;/b&gt;" in two_folds


def test_labels_stand_worst_first(two_folds):
    rows = re.findall(
        r"<tr><td>(cat|cow|dog|hen)</td>(?:<td class=\"n\">[\d.]+</td>){2}<td class=\"n\">([\d.]+)", two_folds
    )
    assert len(rows) == 4
    assert [f1 for _, f1 in rows] == sorted(f1 for _, f1 in rows)


def test_what_is_absent_is_said_with_the_command_that_makes_it(tmp_path):
    folder = tmp_path / "sounds" / "run"
    folder.mkdir(parents=True)
    write_json(folder / "config.json", {"fold": 1})
    text = write_report([folder]).read_text()
    for what, command in [
        ("predictions/*.npz", "python -m train evaluate sounds --run run"),
        ("robustness.json", "python -m train inspect sounds --run run"),
        ("saliency/*.npz", "python -m train inspect sounds --run run"),
        ("cost.json", "python -m train inspect sounds --run run"),
        ("metrics.jsonl, which training writes", "python -m train sounds"),
        ("environment.json, which training writes", "python -m train sounds"),
    ]:
        assert f"Absent: {what}. Make it: <code>{command}</code>" in text


def test_of_an_ear_nothing_is_missed_that_it_cannot_have(tmp_path):
    folder = tmp_path / "ear" / "run"
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text(json.dumps({"step": 10, "seconds": 3.5, "score": 0.5}) + "\n")
    text = write_report([folder]).read_text()
    assert Outline(text).titles == ["Evaluation", "Cost", "Learning curves", "Configuration", "Environment"]
    assert "score against step" in text
    assert "seconds against step" not in text


def test_spectrograms_come_out_of_the_data_sets(tmp_path):
    data = make_toy_data(tmp_path / "data")
    spectra = Spectra(data)
    assert spectra.find("esc50/5-1-A-dog").frames.shape[1] == 64
    assert spectra.category("esc50/5-1-A-dog") == "dog"
    for absent in ("esc50/none", "none/5-1-A-dog", "gtzan_mels/99"):
        assert spectra.find(absent) is None
    assert spectra.category("none/5-1-A-dog") == spectra.category("esc50/none") == ""
    assert Spectra(None).find("esc50/5-1-A-dog") is None


def test_the_command_says_what_is_wrong(tmp_path):
    (tmp_path / "empty").mkdir()
    run = CliRunner().invoke
    for given, words in [
        ([str(tmp_path / "none")], "is not a folder; expected a run"),
        ([str(tmp_path / "empty")], "has none of a run's files"),
    ]:
        with pytest.raises(ConfigError, match=words):
            run(report_command, given, catch_exceptions=False)


def test_runs_that_do_not_go_together_are_refused(tmp_path):
    sounds = make_run(tmp_path / "a", choice())
    with pytest.raises(ConfigError, match="runs are of tasks gate, sounds; expected one task"):
        write_report([sounds, make_run(tmp_path / "b", detection())])
    with pytest.raises(ConfigError, match="clip toy/1-0 was held out twice"):
        write_report([sounds, make_run(tmp_path / "c", choice())])
    with pytest.raises(ConfigError, match="has no predictions 'validation', it has test"):
        write_report([sounds], predictions="validation")
    (sounds / "cost.json").write_text("{")
    with pytest.raises(ConfigError, match=r"cost\.json is not JSON"):
        write_report([sounds])


def test_a_table_escapes_text_and_keeps_html():
    text = table(["<a>", "n"], [("<b>", 1.23456), (Markup("<i>x</i>"), None)])
    assert "<th>&lt;a&gt;</th>" in text
    assert "<td>&lt;b&gt;</td>" in text
    assert "<td><i>x</i></td>" in text
    assert '<td class="n">1.235</td>' in text


def test_a_sparkline_leaves_out_what_is_no_number():
    svg = plots.sparkline([np.array([0.0, 1.0, np.nan])], width=102, height=22)
    assert 'points="1.0,21.0 51.0,1.0"' in svg
