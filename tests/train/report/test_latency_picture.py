from xml.etree import ElementTree

from click.testing import CliRunner

from train.report import results
from train.report.latency import GAIN, LATENCY, draw_latency
from train.report.results import Results, Row
from train.report.results_command import results_command


def measured(gain_db, latency_ms=None):
    latency = () if latency_ms is None else (Row("latency", LATENCY, measured=latency_ms),)
    return Results("Toy", "python -m train toy", "fold 5", (Row("gain", GAIN, measured=gain_db), *latency))


def found(folder):
    return {
        folder / "separation_literature.json": measured(8.25, 20.0),
        folder / "separation_literature_10ms.json": measured(7.75, 10.0),
        folder / "separation_literature_offline.json": measured(9.5),
        folder / "separation.json": measured(6.125, 20.0),
    }


def words(path):
    return {element.text for element in ElementTree.parse(path).iter() if element.text}


def test_every_latency_is_in_the_picture_and_other_songs_are_not(tmp_path):
    assert draw_latency(found(tmp_path), tmp_path / "latency.svg")
    drawn = words(tmp_path / "latency.svg")
    assert {"8.25", "7.75", "the whole song first: 9.50"} <= drawn
    assert not {"6.12", "6.13"} & drawn


def test_the_same_figures_give_the_same_picture(tmp_path):
    for name in ("a.svg", "b.svg"):
        draw_latency(found(tmp_path), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_nothing_measured_gives_no_picture(tmp_path):
    assert not draw_latency(
        {tmp_path / "separation_literature.json": measured(None, 20.0)}, tmp_path / "a.svg"
    )
    assert not (tmp_path / "a.svg").exists()


def test_the_command_draws_beside_the_page(tmp_path):
    (tmp_path / "results").mkdir()
    for path, content in found(tmp_path / "results").items():
        results.write(content, path)
    options = ["--folder", str(tmp_path / "results"), "--page", str(tmp_path / "results.md")]
    CliRunner().invoke(results_command, options, catch_exceptions=False)
    assert "8.25" in words(tmp_path / "latency.svg")
