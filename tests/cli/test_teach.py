"""``streamer teach``: learnt, listed, forgotten, refused; and what listens then."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from streamer.cli.main import main
from streamer.config import Config
from streamer.config_sections import ModelsConfig
from streamer.custom_sounds.store import SoundStore, taught_folder
from streamer.errors import ModelError
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.build_heads import build_heads
from tests.custom_sounds.toy_background import HIGH_HZ, LOW_HZ, tone, write_toy_ear_to_teach
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model


@pytest.fixture(autouse=True)
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gate and an ear come with the program, and the user has taught nothing yet."""
    folder = tmp_path / "released"
    write_toy_model(folder / "gate")
    write_toy_ear_to_teach(folder / "ear")
    monkeypatch.setattr("streamer.inference.model_folders.released_folder", lambda: folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def hum(tmp_path: Path) -> Path:
    return written(tmp_path / "hum.wav", tone(LOW_HZ, rate_hz=44_100), 44_100)


@pytest.fixture
def whistle(tmp_path: Path) -> Path:
    return written(tmp_path / "whistle.flac", tone(HIGH_HZ), 16_000)


def written(path: Path, sound: np.ndarray, rate_hz: int = 16_000) -> Path:
    soundfile.write(path, sound, rate_hz)
    return path


def streamer(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def taught(*arguments: str | Path) -> str:
    done = streamer("teach", *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_sound_is_taught_listed_and_forgotten(hum: Path, whistle: Path) -> None:
    said = taught("my hum", hum).splitlines()
    assert said[0] == "hum: 2.0 s heard"
    assert said[1].startswith("my hum: learnt from 1 recording, 2.0 s; ")
    assert said[2].endswith("taught/my hum; `streamer listen` reports it from its next start on")
    taught("whistle", whistle)
    assert taught("--list").splitlines() == [
        "my hum  1 recording, 2.0 s: hum",
        "whistle  1 recording, 2.0 s: whistle",
    ]
    assert taught("--remove", "my hum") == "my hum: forgotten, with its recordings: hum\n"
    assert taught("--list").splitlines() == ["whistle  1 recording, 2.0 s: whistle"]


def test_teaching_again_adds_recordings_once(hum: Path, tmp_path: Path) -> None:
    taught("hum", hum)
    other = written(tmp_path / "other.wav", tone(LOW_HZ + 30))
    assert "hum: learnt from 2 recordings, 4.0 s" in taught("hum", other)
    assert taught("hum", other).splitlines()[0] == "other: 2.0 s known already"
    assert taught("--list") == "hum  2 recordings, 4.0 s: hum, other\n"


def test_what_was_taught_is_heard_by_listening_and_by_analysis(
    hum: Path, whistle: Path, tmp_path: Path
) -> None:
    taught("hum", hum)
    taught("whistle", whistle)
    silence = np.zeros(32_000, np.float32)
    path = written(
        tmp_path / "both.wav", np.concatenate([silence, tone(HIGH_HZ), silence, tone(LOW_HZ), silence])
    )
    done = streamer("analyze", path)
    headers = [json.loads(line) for line in done.stdout.splitlines()]
    told = [h for h in headers if h["kind"] == "taught" and h["state"] != "update"]
    assert [(h["label"], h["state"], h["model"]) for h in told] == [
        ("whistle", "on", "taught"),
        ("whistle", "off", "taught"),
        ("hum", "on", "taught"),
        ("hum", "off", "taught"),
    ]
    assert 2.0 <= told[0]["start"] / 16_000 <= 3.0
    assert 6.0 <= told[2]["start"] / 16_000 <= 7.0
    assert {"hum", "whistle"} in [set(h["heads"].get("taught", ())) for h in headers if h["kind"] == "scores"]
    assert '"taught"' not in streamer("analyze", "--model", "taught=off", path).stdout


def test_taught_sounds_share_the_ear_of_other_heads(hum: Path, released: Path) -> None:
    assert [head.name for head in build_heads(Config(), ModelCache())] == ["gate"]
    taught("hum", hum)
    write_toy_head(released / "sounds", released / "ear", "sounds")
    gate, sounds, own = build_heads(Config(), ModelCache())
    assert (own.name, own.kind, own.opened_by) == ("taught", "taught", None)
    assert own.ear is sounds.ear
    assert gate.name == "gate"


def test_a_folder_of_one_s_own(hum: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kitchen"
    said = taught("hum", hum, "--folder", folder)
    assert said.endswith(f"`streamer listen --model taught={folder}` reports it from its next start on\n")
    assert build_heads(Config(), ModelCache())[-1].name == "gate"
    assert build_heads(Config(models=ModelsConfig({"taught": str(folder)})), ModelCache())[
        -1
    ].model.manifest.labels == ("hum",)
    with pytest.raises(
        ModelError, match=r"taught is '.*', a folder without taught sounds; expected one that"
    ):
        build_heads(Config(models=ModelsConfig({"taught": str(tmp_path / "nothing")})), ModelCache())


def test_what_cannot_be_learnt_is_left_out_and_said(hum: Path, tmp_path: Path) -> None:
    silent = written(tmp_path / "silent.wav", np.zeros(16_000))
    text = tmp_path / "text.wav"
    text.write_text("no sound" * 100)
    done = streamer("teach", "hum", silent, text, hum, tmp_path / "absent.wav")
    assert done.exit_code == 1
    assert "silent: left out: it is silent" in done.stderr
    assert "text: left out: file" in done.stderr
    assert "absent: left out: file" in done.stderr
    assert "Error: 3 of 4 recordings could not be learnt for 'hum', see above" in done.stderr
    assert "hum: learnt from 1 recording" in done.stdout


def test_nothing_is_kept_where_nothing_was_learnt(tmp_path: Path) -> None:
    silent = written(tmp_path / "silent.wav", np.zeros(16_000))
    assert streamer("teach", "hum", silent).exit_code == 1
    assert "nothing was taught yet, in" in streamer("teach", "--list").stderr


def test_a_long_recording_is_heard_in_part(tmp_path: Path) -> None:
    long = written(tmp_path / "long.wav", tone(LOW_HZ, seconds=31.0))
    assert taught("hum", long).splitlines()[0] == "long: its first 30.0 s heard"


@pytest.mark.parametrize(
    ("arguments", "code", "match"),
    [
        ([], 2, "expected LABEL and FILES or --device, or --list, or --remove LABEL: one of them"),
        (["hum", "--list"], 2, "expected LABEL and FILES or --device"),
        (["--list", "--remove", "hum"], 2, "expected LABEL and FILES or --device"),
        (["hum"], 2, "nothing to learn 'hum' from; expected sound files, or --device mic"),
        (["a/b", "x.wav"], 2, "label is 'a/b'; expected 1 to 40 letters"),
        (["--remove", "hum"], 2, "no taught sound 'hum'; there is none in"),
        (["hum", "--device", "-", "--pcm", "48000"], 2, "--pcm is '48000'; expected RATE:CHANNELS:ENCODING"),
    ],
)
def test_what_is_refused(arguments: list[str], code: int, match: str) -> None:
    done = streamer("teach", *arguments)
    assert done.exit_code == code
    assert f"Error: {match}" in done.stderr
    assert "Traceback" not in done.output


def test_without_an_ear_nothing_can_be_taught(released: Path, hum: Path) -> None:
    taught("hum", hum)
    write_toy_ear(released / "ear")
    (released / "ear" / "background.npz").unlink()
    assert "ear ear has no" in streamer("teach", "hum", hum).stderr
    (released / "ear" / "manifest.json").unlink()
    assert "sounds are taught on the released ear, and there is none" in streamer("teach", "hum", hum).stderr
    with pytest.raises(ModelError, match="sounds are taught on the released ear"):
        build_heads(Config(), ModelCache())


def test_the_user_s_folder_is_in_their_data() -> None:
    assert taught_folder().name == "taught"
    assert SoundStore(taught_folder()).labels() == []


def test_a_label_that_differs_in_case_alone_is_refused(hum: Path, whistle: Path) -> None:
    assert streamer("teach", "kettle", hum).exit_code == 0
    done = streamer("teach", "Kettle", whistle)
    assert done.exit_code == 2
    assert "label is 'Kettle' and 'kettle' is taught already" in done.stderr
    assert "teach 'kettle', or remove it first" in done.stderr
    assert "Kettle" not in streamer("teach", "--list").stdout
