"""`python -m train lab`: a row is trained and measured on toy clips, stored, and written into the page."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from models.reference.sound_cnn import SoundCnn
from models.reference.sound_conformer import SoundConformer
from streamer.errors import ConfigError
from tests.conftest import ROOT
from tests.train.toy_data import make_toy_data
from train.lab import command, page, results
from train.lab.outcomes import Outcomes
from train.lab.pairs import PAIRS
from train.lab.rows import ROWS
from train.lab.systems import network
from train.lab.systems.classifier import DECISIONS, PROBABILITIES, SHARES, figures_of, gradient_boosting
from train.lab.systems.network import CONFIGS, Network
from train.lab.systems.network_cost import cost_of_network, count_macs
from train.lab.systems.separation import SongSeparation
from train.lab.systems.separators import Trained
from train.lab.tables import TABLES
from train.loop.config import read_config
from train.mixing.image_variations import ImageVariations
from train.mixing.mel_images import CENTRE_DB, SCALE_DB, MelImageConfig, mel_image
from train.tasks.reference.config import ImageRunConfig
from train.tasks.reference.figures import load_network
from train.tasks.reference.networks import GenreCnnRunConfig, SoundCnnRunConfig
from train.tasks.reference.task import ImageTask
from train.tasks.reference.transfer import SoundConformerRunConfig

RESULT = results.Result(
    {"accuracy": {"4": 0.5, "5": 0.6}},
    1_234_567,
    12.34,
    0.5,
    345.6,
    7.0,
    "python -m train lab",
    "1234567890abcdef",
    "2026-12-01",
)
OUTCOMES = Outcomes.count(["toy/1", "toy/2"], np.array([4, 5]), np.array([True, False]))
TINY = [
    "model.channels=[4, 4, 8]",
    "model.hidden=8",
    "image.bands=16",
    "image.frames=40",
    "loop.steps=20",
    "loop.batch=8",
    "loop.validate_every=10",
    "loop.schedule.cosine.warm_up_steps=2",
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def here(toy, tmp_path, monkeypatch):
    """A folder with a page to write and small settings of a row."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_DATA", str(toy))
    folder = tmp_path / "configs"
    folder.mkdir()
    text = "\n".join(f"{key} = {value}" for key, value in (line.split("=") for line in TINY))
    (folder / "sound_cnn.toml").write_text(text)
    monkeypatch.setattr(network, "CONFIGS", folder)
    places = "\n".join(f"<!-- {name} -->\n<!-- end {name} -->" for name in page.PLACES)
    (tmp_path / "laboratory.md").write_text(f"By hand.\n\n{places}\n")
    return tmp_path


def test_a_row_is_trained_measured_stored_and_written(here, caplog):
    options = ["--only", "sound_cnn", "--fold", "5", "--into", "laboratory"]
    done = CliRunner().invoke(command.lab_command, options, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (run,) = (here / "runs" / "sound_cnn").iterdir()
    measured = json.loads((run / "evaluation.json").read_text())["test"]
    assert set(measured) == {"clips", "classes", "confused"}
    stored = results.read(here / "laboratory")["sound_cnn"]
    accuracy = measured["clips"]["accuracy"]
    assert stored.figures == {"accuracy": {"5": accuracy}}
    outcomes = results.read_outcomes(here / "laboratory", "sound_cnn")
    assert outcomes.recordings == ("esc50/5-1-A-church_bells", "esc50/5-1-A-dog")
    assert outcomes.right.sum() / 2 == accuracy
    config = read_config(SoundCnnRunConfig, None, TINY)
    classes = len(load_network(run, config).head[-1].bias)
    made = SoundCnn(config.model, config.image.bands, classes)
    assert stored.parameters == sum(weights.numel() for weights in made.parameters())
    assert classes == len(measured["classes"])
    text = (here / "laboratory.md").read_text()
    assert text.startswith("By hand.")
    assert f"| {ROWS['sound_cnn'].title} | {accuracy:.3f} (fold 5) |" in text

    begun = (run / "metrics.jsonl").stat().st_mtime_ns
    CliRunner().invoke(command.lab_command, options, catch_exceptions=False)
    assert (run / "metrics.jsonl").stat().st_mtime_ns == begun  # it is not trained again


def test_a_row_shows_mean_and_spread_over_folds(tmp_path):
    (tmp_path / "lab.md").write_text((ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8"))
    results.store(tmp_path / "lab", "sound_cnn", RESULT, OUTCOMES)
    text = page.write(tmp_path / "lab").read_text(encoding="utf-8")
    title = ROWS["sound_cnn"].title
    assert f"| {title} | 0.550 ± 0.071 | no | 1,234,567 | 12.3 | 0.50 | 346 | 7.0 |" in text
    assert "| sound_cnn | `python -m train lab` | 2026-12-01 | 1234567890ab |" in text


def test_a_row_says_whether_its_weights_were_pretrained(tmp_path):
    (tmp_path / "lab.md").write_text((ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8"))
    results.store(tmp_path / "lab", "sound_resnet", replace(RESULT, begins="from scratch"), OUTCOMES)
    text = page.write(tmp_path / "lab").read_text(encoding="utf-8")
    assert "| ResNet-50, from scratch | 0.550 ± 0.071 | no |" in text
    results.store(tmp_path / "lab", "sound_resnet", replace(RESULT, begins="pretrained"), OUTCOMES)
    text = page.write(tmp_path / "lab").read_text(encoding="utf-8")
    assert "| ResNet-50, pretrained | 0.550 ± 0.071 | no |" in text


def test_a_network_of_a_kept_library_is_trained_and_measured(here):
    sizes = ["model.channels=4", "model.features=8", "model.heads=2", "model.hidden=8", "model.layers=1"]
    settings = [*sizes, "model.kernel=3", *(line for line in TINY if not line.startswith("model."))]
    text = "\n".join(f"{key} = {value}" for key, value in (line.split("=") for line in settings))
    (network.CONFIGS / "sound_conformer.toml").write_text(text)
    measured, outcomes = ROWS["sound_conformer"].system.measure("sound_conformer", [5])
    assert measured.begins == "from scratch"
    config = read_config(SoundConformerRunConfig, network.CONFIGS / "sound_conformer.toml")
    made = SoundConformer(config.model, bands=16, labels=2)
    assert measured.parameters == sum(weights.numel() for weights in made.parameters())
    assert measured.mmacs_per_s > 0
    assert measured.figures["accuracy"]["5"] == outcomes.right.sum() / 2


def test_a_result_that_lacks_the_figures_of_a_table_is_not_in_it(tmp_path):
    (tmp_path / "lab.md").write_text((ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8"))
    figures = {figure: {"5": 0.5} for figure in (*DECISIONS, *SHARES, *PROBABILITIES)}
    decisions = replace(RESULT, figures={name: figures[name] for name in DECISIONS})
    results.store(tmp_path / "lab", "music_svm", decisions, OUTCOMES)
    results.store(tmp_path / "lab", "music_logistic", replace(RESULT, figures=figures), OUTCOMES)
    text = page.write(tmp_path / "lab").read_text(encoding="utf-8")
    certainty = text.partition("<!-- certainty -->")[2].partition("<!-- end certainty -->")[0]
    assert ROWS["music_logistic"].title in certainty
    assert ROWS["music_svm"].title not in certainty
    assert f"| {ROWS['music_svm'].title} |" in text.partition("<!-- end music -->")[0]


def test_the_page_of_the_documents_is_that_of_the_stored_results(tmp_path):
    own = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")
    (tmp_path / "laboratory.md").write_text(own, encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "laboratory", tmp_path / "laboratory")
    assert page.write(tmp_path / "laboratory").read_text(encoding="utf-8") == own


def test_two_rows_are_compared_where_both_have_outcomes(tmp_path):
    (tmp_path / "lab.md").write_text((ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8"))
    results.store(tmp_path / "lab", "sound_cnn", RESULT, OUTCOMES)
    text = page.write(tmp_path / "lab").read_text(encoding="utf-8")
    assert "No two rows have been compared yet." in text
    results.store(tmp_path / "lab", "sound_cnn_first", RESULT, replace(OUTCOMES, right=np.array([0, 0])))
    text = page.write(tmp_path / "lab").read_text(encoding="utf-8")
    titles = " | ".join(ROWS[name].title for name in ("sound_cnn", "sound_cnn_first"))
    assert f"| {titles} | 0.500 | 0.000 | +0.500 (+0.000 to +1.000) | 1.000 | 2 | 4, 5 |" in text


def test_every_pair_is_of_one_table():
    assert all(ROWS[first].table == ROWS[second].table for first, second in PAIRS)


def test_broken_results_are_refused(tmp_path):
    (tmp_path / results.FILE).write_text('{"sound_cnn": {"figures": {}}}')
    with pytest.raises(ConfigError, match=r"cannot be read .*: restore it"):
        results.read(tmp_path)


NETWORKS = [name for name, row in ROWS.items() if isinstance(row.system, Network)]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_settings(name):
    config = read_config(ROWS[name].system.kind, CONFIGS / f"{name}.toml")
    assert isinstance(config, ImageRunConfig)


def test_every_row_is_in_a_table():
    places = {row.table.place for row in ROWS.values()}
    assert places == {table.of or table.place for table in TABLES}


@pytest.mark.parametrize("name", ["music_logistic", "music_svm", "music_forest", "music_boosting"])
def test_classical_classifiers_tell_toy_music_from_noise(here, name):
    measured, outcomes = ROWS[name].system.measure(name, [5])
    tables = [table for table in TABLES if "music" in (table.place, table.of)]
    assert set(measured.figures) == {figure for table in tables for figure in table.figures}
    assert measured.figures["accuracy"]["5"] > 0.8
    assert measured.parameters > 100
    assert set(outcomes.folds) == {5}
    accuracy = outcomes.right.sum() / outcomes.examples.sum()
    assert accuracy == pytest.approx(measured.figures["accuracy"]["5"], abs=1e-4)


def test_figures_of_probabilities_of_music():
    is_music = np.array([True, True, True, False, False])
    found = figures_of(is_music, np.array([0.9, 0.8, 0.4, 0.6, 0.1]))
    assert found["accuracy"] == pytest.approx(0.6)
    assert (found["precision"], found["recall"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found["recall at precision 0.95"] == pytest.approx(2 / 3)  # 0.9 and 0.8, above the false 0.6
    assert found["precision at recall 0.95"] == pytest.approx(3 / 4)  # all but the 0.1
    # Confidence 0.9, 0.8, 0.6, 0.6, 0.9; right, right, wrong, wrong, right: |1 - 0.9|, |1 - 0.8|, |0 - 0.6| by share
    assert found["calibration error"] == pytest.approx(2 / 5 * 0.1 + 1 / 5 * 0.2 + 2 / 5 * 0.6)


def test_without_xgboost_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(
        ConfigError, match=r"XGBoost cannot be imported .*; expected the extra lab: pip install"
    ):
        gradient_boosting()


def test_every_file_of_settings_is_a_row():
    separations = {
        name
        for name, row in ROWS.items()
        if isinstance(row.system, SongSeparation) and isinstance(row.system.maker, Trained)
    }
    assert {path.stem for path in CONFIGS.glob("*.toml")} == set(NETWORKS) | separations


def test_a_row_that_holds_out_the_only_fold_of_its_table_says_no_more(tmp_path):
    (tmp_path / "lab.md").write_text((ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8"))
    names = [name for table in TABLES if "separation" in (table.place, table.of) for name in table.figures]
    figures = {name: {"5": 8.2933} for name in names}
    unknown = replace(RESULT, figures=figures, parameters=None, mmacs_per_s=None, minutes=None)
    results.store(tmp_path / "lab", "separation_demucs", unknown, None)
    other = {name: {"4": 8.2933} for name in names}
    results.store(tmp_path / "lab", "separation_gru", replace(RESULT, figures=other), None)
    text = page.write(tmp_path / "lab").read_text(encoding="utf-8")
    assert (
        f"| {ROWS['separation_demucs'].title} | 8.29 | 8.29 | 8.29 | 8.29 | no |  |  | 0.50 | 346 |  |"
        in text
    )
    assert f"| {ROWS['separation_demucs'].title} | 8.293 | 8.293 | 8.293 | 8.293 |" in text
    assert f"| {ROWS['separation_gru'].title} | 8.293 (fold 4) |" in text


def test_tracks_of_the_mel_file_are_images_of_their_folds(toy):
    config = GenreCnnRunConfig()
    images = config.images([1, 2], toy, toy / "cache")
    assert set(images.folds) == {1, 2}
    assert images.image(0).shape == (128, 130)
    assert len(images.names) == len(images.categories) == len(images) > 0


def test_progressive_training_begins_with_some_clips(toy):
    config = read_config(SoundCnnRunConfig, None, [*TINY, "growing=[0.25, 1.0]", "mixup=0"])
    task = ImageTask(replace(config, variations=ImageVariations(share=0.0, masks=0)), toy, toy / "cache")
    known = task._order[: max(2, round(0.25 * len(task._order)))]
    few = {task._learnt.image(row).tobytes() for row in known}
    early = {image.numpy().tobytes() for step in range(10) for image in task.make_batch(1, step, 8)[0]}
    late = {image.numpy().tobytes() for step in range(10, 20) for image in task.make_batch(1, step, 8)[0]}
    assert early <= few < late


@pytest.mark.parametrize("growing", ["[]", "[0.5, 1.5]"])
def test_shares_of_growing_subsets_are_checked(growing):
    with pytest.raises(
        ConfigError, match=r"growing is .*; expected shares of the clips, above 0 and up to 1"
    ):
        read_config(SoundCnnRunConfig, None, [f"growing={growing}"])


def test_a_task_without_such_a_data_set_is_refused(toy):
    config = read_config(SoundCnnRunConfig, None, ['data="speech"'])
    with pytest.raises(ConfigError, match="data is 'speech'; expected one of esc50"):
        ImageTask(config, toy, toy / "cache")


def test_an_image_holds_decibels_below_the_loudest_point():
    t = np.arange(16_000) / 16_000
    tone = np.sin(2 * np.pi * 1_000 * t).astype(np.float32)
    image = mel_image(tone, MelImageConfig(bands=64, frames=60))
    assert image.shape == (64, 60)
    decibels = image * SCALE_DB + CENTRE_DB
    assert decibels.max() == pytest.approx(0.0, abs=1e-4)
    assert decibels[:, 50:].max() == pytest.approx(-80.0)  # the tone lasts 43 frames
    assert np.unique(decibels[:, 5:35].argmax(axis=0)).size == 1


def test_variations_keep_the_shape_and_change_most_images():
    images = np.random.default_rng(0).standard_normal((20, 16, 30)).astype(np.float32)
    same = ImageVariations(share=0.0, masks=0).vary(np.random.default_rng(1), images)
    np.testing.assert_array_equal(same, images)
    varied = ImageVariations(masks=0).vary(np.random.default_rng(1), images)
    changed = [not np.array_equal(one, other) for one, other in zip(varied, images, strict=True)]
    assert varied.shape == images.shape
    assert varied.dtype == np.float32
    assert 10 < sum(changed) < 20


def test_the_cost_counts_multiplications():
    layer = torch.nn.Conv2d(1, 4, 3, padding=1, bias=False)
    cost = cost_of_network(layer, torch.zeros(1, 1, 10, 1_000), clip_s=0.5)
    assert cost.parameters == 36
    assert cost.mmacs_per_s == pytest.approx(36 * 10_000 / 0.5 / 1e6)
    assert cost.ms_per_s > 0


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (torch.nn.LSTM(56, 64, batch_first=True), (56 + 64) * 4 * 64 * 16),
        (torch.nn.GRU(56, 64, batch_first=True), (56 + 64) * 3 * 64 * 16),
        (
            torch.nn.TransformerEncoderLayer(56, 4, 64, batch_first=True),
            (4 * 56**2 + 2 * 56 * 64 + 2 * 16 * 56) * 16,
        ),
    ],
)
def test_products_of_recurrent_layers_and_of_attention_are_counted(layer, macs):
    assert count_macs(layer.eval(), torch.randn(1, 16, 56)) == macs


def test_a_fold_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"music_svm has no fold 9; expected some of \[1, 2, 3, 4, 5\]"):
        ROWS["music_svm"].system.measure("music_svm", [9])
