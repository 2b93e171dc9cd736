"""The command line: what bad input gets (one line, exit code, no traceback), and what the commands print."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.cli.main import main
from streamer.config import MODEL_KEYS
from streamer.inference.model_folders import released_folder
from streamer.wire.subscriber import Subscriber
from tests.conftest import DEADLINE_S
from tests.programs import STREAMER, free_address, messages, of_the_sound, running, streamer
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model


def refused(code: int, text: str, *arguments: str, stdin: bytes | None = None) -> None:
    """The program says one line and leaves with `code`."""
    done = streamer(*arguments, stdin=stdin)
    said = done.stderr.decode()
    assert done.returncode == code, said
    assert "Traceback" not in said
    errors = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, said
    assert re.search(text, errors[0]), said


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.1 * np.sin(np.arange(16_000) * 0.3), 16_000)
    return path


def test_unknown_device_offers_what_there_is(virtual_microphone: str) -> None:
    refused(
        1, r"no input device 'nosuchdevice'; there are .*\d \(default\)", "listen", "--device", "nosuchdevice"
    )


def test_an_absent_file_without_its_prefix_is_pointed_out() -> None:
    done = streamer("listen", "--device", "absent.wav", "--bind", free_address())
    assert b"file:absent.wav" in done.stderr


def test_a_file_without_its_prefix_is_pointed_out(tone: Path) -> None:
    refused(2, rf"device '{tone}' is a file; did you mean file:{tone}\?", "listen", "--device", str(tone))


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("absent.wav", None, r"absent\.wav"),
        ("empty.wav", b"", r"empty\.wav is empty \(0 bytes\); expected sound"),
        ("text.wav", b"this is no sound at all, just words" * 50, r"text\.wav"),
    ],
)
def test_a_file_that_is_no_sound(tmp_path: Path, name: str, content: bytes | None, text: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    refused(1, text, "analyze", str(path))
    refused(1, text, "listen", "--device", f"file:{path}", "--fast", "--bind", free_address())


def test_an_output_without_anything_to_play_is_refused() -> None:
    refused(
        2,
        "--output is 'default' and nothing is to be played; add --play voice",
        "listen",
        "--output",
        "default",
    )


def test_a_rate_of_1_hz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "slow.wav"
    soundfile.write(path, np.zeros(10), 1)
    refused(1, r"slow\.wav.*\b1 Hz", "analyze", str(path))


def test_a_rate_of_384_khz_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "fast.wav"
    soundfile.write(path, 0.1 * np.sin(np.arange(384_000) * 0.01), 384_000)
    done = streamer("analyze", str(path))
    assert done.returncode == 0, done.stderr
    assert {h["rate"] for h in messages(done.stdout)} == {384_000}


def test_nan_and_infinity_are_muted_and_counted(tmp_path: Path, tone: Path) -> None:
    samples, rate = soundfile.read(tone, dtype="float32")
    samples[100:200] = np.nan
    samples[300] = np.inf
    path = tmp_path / "bad.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    done = streamer("listen", "--device", f"file:{path}", "--fast", "--json", "--bind", free_address())
    assert done.returncode == 0, done.stderr
    assert [h["muted_samples"] for h in messages(done.stdout) if h["kind"] == "status"][-1] == 101
    assert b"muted 101 samples" in done.stderr
    assert b"bad: 101 samples were no sound" in streamer("analyze", str(path)).stderr


def test_files_of_one_name_are_told_apart(tmp_path: Path, tone: Path) -> None:
    paths = [tmp_path / folder / "rec.wav" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        shutil.copy(tone, path)
    found = messages(streamer("analyze", *map(str, paths)).stdout)
    assert {(h["stream"], h["source"]) for h in found} == {
        ("rec", f"file:{paths[0]}"),
        ("rec-2", f"file:{paths[1]}"),
    }
    listen = ("listen", "--fast", "--json", "--bind", free_address(), "--device", f"file:{paths[0]}")
    statuses = [h for h in messages(streamer(*listen).stdout) if h["kind"] == "status"]
    assert {h["source"] for h in statuses} == {f"file:{paths[0]}"}


def test_a_subscriber_says_what_it_waits_for(tone: Path) -> None:
    address = free_address()
    with running("subscribe", "music", "--address", address) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(
            b"'music' is no kind of message that this version knows (gate, sound, genre, "
        )
        said = process.stderr.readline().decode()
        assert said == (
            f"waiting for music: nobody publishes on {address}; start a publisher, as in `streamer listen`\n"
        )
    listen = ("listen", "--device", f"file:{tone}", "--device", "-", "--bind", address)
    with running(*listen, stdin=subprocess.PIPE), Subscriber(("status",), address) as statuses:
        assert statuses.receive(DEADLINE_S)
        with running("subscribe", "taught", "--address", address) as process:
            assert process.stderr is not None
            said = process.stderr.readline().decode()
    assert re.fullmatch(
        rf"waiting for taught: {address} publishes \(stream \w+\), but nothing of this so far\n", said
    )


def test_raw_pcm_that_is_wrong_gives_no_warning_of_numpy() -> None:
    content = np.random.default_rng(0).bytes(40_000)
    options = ("--device", "-", "--pcm", "16000:1:f32le", "--fast", "--json", "--bind", free_address())
    done = streamer("listen", *options, stdin=content)
    assert b"Warning" not in done.stderr
    assert [h["muted_samples"] for h in messages(done.stdout) if h["kind"] == "status"][-1] > 1_000


def test_one_channel_is_heard_alone(tmp_path: Path) -> None:
    sound = 0.1 * np.random.default_rng(0).standard_normal((16_000, 3))
    path, one, config = tmp_path / "array.wav", tmp_path / "one" / "array.wav", tmp_path / "one.toml"
    one.parent.mkdir()
    soundfile.write(path, sound, 16_000, subtype="FLOAT")
    soundfile.write(one, sound[:, 2], 16_000, subtype="FLOAT")
    config.write_text(f"[[stream]]\ndevice = 'file:{path}'\nchannel = 3\n")
    third, alone = streamer("analyze", str(path), "--channel", "3"), streamer("analyze", str(one))
    assert of_the_sound(messages(third.stdout)) == of_the_sound(messages(alone.stdout)) != []
    refused(
        1, "the sound has no channel 4; expected a number from 1 to 3", "analyze", str(path), "--channel", "4"
    )
    levels = [
        [
            h["rms_dbfs"]
            for h in messages(streamer("listen", *how, "--fast", "--json", "--bind", free_address()).stdout)
            if h["kind"] == "level"
        ]
        for how in (
            ("--config", str(config)),
            ("--device", f"file:{path}", "--channel", "3"),
            ("--device", f"file:{one}"),
        )
    ]
    assert levels[0] == levels[1] == levels[2] != []


def test_channels_that_cancel_are_heard_by_one_of_them_and_said_once(tmp_path: Path) -> None:
    sound = 0.1 * np.random.default_rng(0).standard_normal(32_000)
    path, one = tmp_path / "inverted.wav", tmp_path / "one.wav"
    soundfile.write(path, np.stack([sound, -sound], axis=1), 16_000, subtype="FLOAT")
    soundfile.write(one, sound, 16_000, subtype="FLOAT")
    text = "the 2 channels cancel each other (one is inverted): channel 1 is heard instead of their mean"
    done = streamer("listen", "--device", f"file:{path}", "--fast", "--json", "--bind", free_address())
    said = [h["message"] for h in messages(done.stdout) if h["kind"] == "status" and h["message"]]
    assert len(said) == 1
    assert said[0].startswith(text)
    done, alone = streamer("analyze", str(path)), streamer("analyze", str(one))
    assert f"inverted: {text}" in done.stderr.decode()
    assert not alone.stderr
    levels, expected = (
        [h["rms_dbfs"] for h in messages(each.stdout) if h["kind"] == "level"] for each in (done, alone)
    )
    assert levels[0] == -120.0
    assert levels[2:] == expected[2:]  # the second begins with the fade


def test_a_url_that_refuses() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    refused(
        1,
        rf"127\.0\.0\.1:{port}",
        "listen",
        "--device",
        f"http://127.0.0.1:{port}/x",
        "--bind",
        free_address(),
    )


def test_an_occupied_port(tone: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        refused(
            1, rf"{address}.*another program uses it", "listen", "--device", f"file:{tone}", "--bind", address
        )


def test_beyond_loopback_needs_keys(tone: Path) -> None:
    refused(2, r"0\.0\.0\.0:9.*needs keys", "listen", "--device", f"file:{tone}", "--bind", "tcp://0.0.0.0:9")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("[gate]\nonn = 0.5", r"unknown key 'gate\.onn'; did you mean 'gate\.on'\?"),
        ("[gate]\non = 'high'", r"gate\.on is 'high'; expected a number"),
        ("[gate]\non = 0.2\noff = 0.4", r"thresholds are on = 0\.2, off = 0\.4"),
        ("stream = 3", r"stream is 3; expected a list of tables, \[\[stream\]\]"),
        ("[publish", r"is no TOML"),
        (
            "[[stream]]\nname='a'\ndevice='file:x'\n[[stream]]\nname='a'\ndevice='file:y'",
            r"stream name 'a' is taken",
        ),
    ],
)
def test_a_configuration_that_cannot_be_used(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "streamer.toml"
    path.write_text(content)
    refused(2, text, "listen", "--config", str(path), "--bind", free_address())


def test_a_configuration_that_is_absent(tmp_path: Path) -> None:
    refused(2, r"cannot read .*no\.toml", "listen", "--config", str(tmp_path / "no.toml"))


def test_pcm_format_that_is_none() -> None:
    refused(
        2, r"--pcm is '48000'; expected RATE:CHANNELS:ENCODING", "listen", "--device", "-", "--pcm", "48000"
    )


def test_an_altered_model(tmp_path: Path, tone: Path) -> None:
    folder = write_toy_model(tmp_path / "altered")
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"x")
    config = tmp_path / "streamer.toml"
    config.write_text(f'[models]\ngate = "{folder}"')
    refused(
        1, r"has SHA-256 .* the manifest says", "listen", "--config", str(config), "--device", f"file:{tone}"
    )
    refused(1, r"has SHA-256 .* the manifest says", "models", "verify", str(folder))


def test_a_model_for_another_front_end(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    shutil.copytree(released_folder() / "gate", folder)
    content = json.loads((folder / "manifest.json").read_text())
    content["front_end_fingerprint"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(content))
    refused(1, r"was made for front end 000000000000; .*retrain and export", "models", "verify", str(folder))


def test_a_model_that_there_is_not() -> None:
    refused(
        1,
        r"no model 'gatte'; expected .* one of the released: ear, ear_int8, gate",
        "models",
        "verify",
        "gatte",
    )


@pytest.mark.parametrize("model", ["yamnet", "sound=x", "=x", "pre_roll_s=1"])
def test_a_model_for_no_place(tone: Path, model: str) -> None:
    refused(
        2,
        rf"--model is '{model}'; expected SLOT=MODEL with {', '.join(MODEL_KEYS)} for SLOT, such as gate=yamnet",
        "analyze",
        "--model",
        model,
        str(tone),
    )


def test_models_are_chosen_on_the_command_line(tmp_path: Path, tone: Path) -> None:
    ear = write_toy_ear(tmp_path / "ear")
    folders = [
        write_toy_model(tmp_path / "gate"),
        write_toy_head(tmp_path / "sounds", ear, "sounds"),
        write_toy_head(tmp_path / "genre", ear, "genre", exclusive=True),
    ]
    models = [word for folder in folders for word in ("--model", f"{folder.name}={folder}")]
    noise = tmp_path / "noise.wav"
    soundfile.write(noise, np.random.default_rng(0).normal(0, 0.2, 32_000), 16_000)
    assert heads_said(streamer("analyze", *models, str(noise)).stdout) == {"gate", "sounds", "genre"}
    off = ["--model", "genre=off", "--model", "sounds=off"]
    assert heads_said(streamer("analyze", *models, *off, str(tone)).stdout) == {"gate"}
    refused(
        1, r"model gate has no operating point 'recall'", "analyze", *models, "--prefer", "recall", str(tone)
    )


def heads_said(lines: bytes) -> set[str]:
    return {head for header in messages(lines) for head in header.get("heads", ())}


def test_usage_errors_leave_with_2() -> None:
    assert streamer("listen", "--no-such-option").returncode == 2
    assert streamer("analyze").returncode == 2


def test_the_other_files_are_analyzed(tmp_path: Path, tone: Path) -> None:
    done = streamer("analyze", str(tmp_path / "absent.wav"), str(tone))
    assert done.returncode == 1
    assert {h["stream"] for h in messages(done.stdout)} == {"tone"}


def test_models_are_listed_and_verified() -> None:
    assert b"gate  gate  every " in streamer("models", "list").stdout
    assert b"gate: whole, fits, runs" in streamer("models", "verify", "gate").stdout


def test_keys_are_made(tmp_path: Path) -> None:
    done = streamer("keys", str(tmp_path / "keys"), "--client", "lights")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.decode().splitlines()
    assert line.startswith(f"{tmp_path / 'keys' / 'clients' / 'lights'}: hand this folder to lights")


def test_subscribe_prints_text_and_json(tone: Path, tmp_path: Path) -> None:
    address = free_address()
    config = tmp_path / "streamer.toml"
    config.write_text("[engine]\nmax_lag_ms = 1000")
    long = tmp_path / "long.wav"
    soundfile.write(long, np.zeros(60 * 16_000), 16_000)
    with running("listen", "--device", f"file:{long}", "--config", str(config), "--bind", address):
        text = streamer("subscribe", "level", "--address", address, "--count", "2", "--timeout", "300")
        assert text.returncode == 0, text.stderr
        assert re.fullmatch(
            r"(0:00:\S+  level/long +rms -120\.0 dBFS  peak -120\.0 dBFS\n){2}", text.stdout.decode()
        )
        as_json = streamer("subscribe", "status/long", "--address", address, "--count", "1", "--json")
        assert messages(as_json.stdout)[0]["kind"] == "status"


def test_subscribe_to_nobody_says_so() -> None:
    refused(1, r"no message from .* for 0\.2 s", "subscribe", "--address", free_address(), "--timeout", "0.2")


@pytest.mark.parametrize(
    "arguments", [["models", "list"], ["listen", "--device", "file:TONE", "--fast", "--bind", "ADDRESS"]]
)
def test_a_full_disk_is_one_line(tone: Path, arguments: list[str]) -> None:
    given = [a.replace("TONE", str(tone)).replace("ADDRESS", free_address()) for a in arguments]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [STREAMER, *given], stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE_S, check=False
        )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"No space left on device" in done.stderr


def test_a_reader_that_leaves_ends_it_quietly(tone: Path) -> None:
    command = f"{STREAMER} analyze {tone} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=DEADLINE_S, check=False
    )
    assert done.stderr == b""
    assert len(done.stdout.splitlines()) == 1


def test_the_package_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "streamer", "--help"], capture_output=True, check=True)
    assert done.stdout.startswith(b"Usage: streamer [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    "command", [[], *([name] for name in main.commands), ["models", "list"], ["bench", "latency"]]
)
def test_help_loads_nothing_slow(command: list[str]) -> None:
    code = (
        "import sys; from streamer.__main__ import main\n"
        "try: main()\n"
        "finally: print(sorted({'numba', 'numpy', 'rich', 'scipy', 'zmq', 'onnxruntime'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--help"], capture_output=True, timeout=DEADLINE_S, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"Usage: streamer")
    assert done.stdout.endswith(b"\n[]\n")


@pytest.mark.parametrize("command", [["analyze"], ["separate", "--out", "o"], ["teach", "bell"]])
def test_a_url_or_nothing_in_place_of_a_file_is_named(command: list[str]) -> None:
    refused(
        2,
        r"https://\*\*\*@x\.org/y\.mp3 is a URL; expected a file: hear a URL with `streamer listen --device URL`",
        *command,
        "https://me:secret@x.org/y.mp3",
    )
    refused(2, "the name of a file is empty; expected the path of a sound file", *command, "")


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [("--bind", "junk", "junk"), ("--pcm", "junk", "--pcm is 'junk'"), ("--keys", "absent", "absent")],
)
def test_options_are_checked_before_a_microphone_is_looked_for(option: str, value: str, text: str) -> None:
    done = streamer("listen", option, value)
    assert done.returncode == 2
    (said,) = done.stderr.decode().splitlines()
    assert said.startswith("Error: ")
    assert text in said


@pytest.mark.parametrize(
    "group", [main, *(one for one in main.commands.values() if isinstance(one, click.Group))]
)
def test_the_list_of_commands_fits_80_columns_whole(group: click.Group) -> None:
    said = CliRunner().invoke(group, ["--help"], terminal_width=80).stdout
    listed = said.partition("Commands:\n")[2].splitlines()
    assert len(listed) == len(group.commands)  # none is broken into two lines
    assert "..." not in "".join(listed)


def test_a_reload_says_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("streamer.cli.reload")
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    monkeypatch.setattr(module, "ANSWER_S", 0.2)
    address = free_address()
    done = CliRunner().invoke(main, ["reload", "--address", address])
    waiting, error = done.stderr.splitlines()
    assert waiting == f"waiting up to 0.2 s for a `streamer listen` on {address}"
    assert error.startswith(f"Error: no message from {address} for 0.2 s")
