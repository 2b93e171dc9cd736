"""The page about a separation: figures, and songs to look at and to listen to."""

import base64
import io
import json
import re
import shutil

import numpy as np
import pytest
import soundfile

from streamer.errors import ConfigError
from tests.toy_separation import write_toy_separation
from tests.train.report.test_report import Outline
from train.data.decode import RATE_HZ
from train.report.build import write_report

NAMES = [f"Ann - {n}" for n in range(9)]
SECTIONS = ["Evaluation", "Cost", "Learning curves", "Configuration", "Environment"]


def decibels(voice_nsdr):
    keys = [f"{stem}/{key}" for stem in ("voice", "music") for key in ("nsdr", "sdr", "sir", "sar", "si_sdr")]
    return dict.fromkeys(keys, 3.0) | {"voice/nsdr": voice_nsdr}


@pytest.fixture
def run(tmp_path):
    """A run whose songs are better the higher their number, and the last of which has no figure."""
    rng = np.random.default_rng(0)
    for name in NAMES:
        folder = tmp_path / "mine" / name
        folder.mkdir(parents=True)
        for stem in ("vocals", "accompaniment"):
            soundfile.write(folder / f"{stem}.wav", rng.uniform(-0.2, 0.2, (RATE_HZ, 2)), RATE_HZ)
    folder = tmp_path / "separation" / "run"
    write_toy_separation(folder / "exported", 0.25)
    (folder / "config.json").write_text(json.dumps({"data": [str(tmp_path / "mine")]}))
    (folder / "predictions").mkdir()
    songs = [
        {
            "name": name,
            "source": "mine",
            "artist": "Ann",
            "seconds": 1.0 + n,
            "decibels": decibels(float(n) if n < 8 else None),
        }
        for n, name in enumerate(NAMES)
    ]
    content = {"command": "python -m train evaluate separation --run run", "songs": songs}
    (folder / "predictions" / "test.json").write_text(json.dumps(content))
    return folder


def sounds(text):
    """Every sound of a page by its label."""
    found = re.findall(r'aria-label="(Ann[^"]*)" src="data:audio/ogg;base64,([^"]*)"', text)
    return {label: soundfile.read(io.BytesIO(base64.b64decode(content)))[0] for label, content in found}


def test_the_worst_the_best_and_those_between_are_played(run, tmp_path):
    text = write_report([run], data=tmp_path).read_text()
    assert Outline(text).titles == ["Songs of mine", "Songs to listen to, run", *SECTIONS]
    shown = re.findall(r"<h3>(Ann - \d) <small>([^<]*)</small>", text)
    assert shown == [
        ("Ann - 0", "worst"),
        ("Ann - 2", "lower quarter"),
        ("Ann - 4", "median"),
        ("Ann - 5", "upper quarter"),
        ("Ann - 7", "best"),
    ]
    assert f"<b>{np.average(np.arange(8), weights=1.0 + np.arange(8)):.2f} dB</b>" in text
    assert all(address.startswith(("#", "data:")) for address in Outline(text).addresses)


def test_what_is_played_is_what_the_model_makes_of_the_song(run, tmp_path):
    heard = sounds(write_report([run], data=tmp_path, named=["Ann - 8"]).read_text())
    assert len(heard) == 6 * 5
    mixture, voice = heard["Ann - 8: mixture"], heard["Ann - 8: voice, estimated"]
    assert mixture.shape == voice.shape == (RATE_HZ, 2)
    true = soundfile.read(tmp_path / "mine" / "Ann - 8" / "vocals.wav")[0]
    assert (
        np.corrcoef(heard["Ann - 8: voice, true"][:, 0], true[:, 0])[0, 1] > 0.5
    )  # as good as Vorbis is at noise
    assert np.std(voice) == pytest.approx(0.25 * np.std(mixture), rel=0.1)


def test_a_song_that_was_not_measured_is_refused(run, tmp_path):
    with pytest.raises(ConfigError, match="no song 'Bob' was measured; expected one of Ann - 0, Ann - 1"):
        write_report([run], data=tmp_path, named=["Bob"])


def test_without_the_data_there_are_figures_alone(run):
    text = write_report([run]).read_text()
    assert "The songs are absent." in text
    assert not sounds(text)


def test_where_the_songs_have_gone_the_page_says_so(run, tmp_path):
    shutil.rmtree(tmp_path / "mine")
    text = write_report([run], data=tmp_path).read_text()
    assert "The songs are absent: data names" in text


def test_of_several_folds_each_has_its_songs(run, tmp_path):
    other = tmp_path / "separation" / "other"
    shutil.copytree(run, other)
    content = json.loads((other / "predictions" / "test.json").read_text())
    content["songs"] = content["songs"][:1]
    (other / "predictions" / "test.json").write_text(json.dumps(content))
    shutil.rmtree(tmp_path / "mine" / "Ann - 8")
    text = write_report([run, other], data=tmp_path, named=["Ann - 8"]).read_text()
    assert Outline(text).titles[1:3] == [f"Songs to listen to, {name}" for name in ("run", "other")]
    assert "Ann - 8 is absent." in text


def test_of_a_network_that_does_not_step_nothing_is_missed_that_it_cannot_have(run, tmp_path):
    offline = tmp_path / "separation_offline" / "run"
    shutil.copytree(run, offline, ignore=shutil.ignore_patterns("exported"))
    text = write_report([offline], data=tmp_path).read_text()
    assert Outline(text).titles == ["Songs of mine", *(title for title in SECTIONS if title != "Cost")]


def test_each_data_set_has_figures_of_its_own(run, tmp_path):
    content = json.loads((run / "predictions" / "test.json").read_text())
    for song in content["songs"][4:]:
        song["source"] = "theirs"
    (run / "predictions" / "test.json").write_text(json.dumps(content))
    text = write_report([run], data=tmp_path).read_text()
    assert Outline(text).titles[:2] == ["Songs of mine", "Songs of theirs"]
    for numbers in (np.arange(4), np.arange(4, 8)):
        assert f"<b>{np.average(numbers, weights=1.0 + numbers):.2f} dB</b>" in text


def test_a_song_that_cannot_be_read_is_said(run, tmp_path):
    (tmp_path / "mine" / "Ann - 0" / "vocals.wav").write_bytes(b"nothing")
    text = write_report([run], data=tmp_path).read_text()
    assert "vocals.wav cannot be read" in text
    assert len(sounds(text)) == 4 * 5


def test_what_is_absent_is_said_with_what_makes_it(tmp_path):
    folder = tmp_path / "separation" / "run"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"fold": 5}')
    text = write_report([folder]).read_text()
    assert (
        "Absent: predictions/*.json. Make it: <code>python -m train evaluate separation --run run</code>"
        in text
    )
