"""What `streamer listen` refuses or points out in one line: devices, addresses, configurations, raw PCM."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.programs import free_address, messages, refused, streamer


def test_unknown_device_offers_what_there_is(virtual_microphone: str) -> None:
    refused(
        1, r"no input device 'nosuchdevice'; there are .*\d \(default\)", "listen", "--device", "nosuchdevice"
    )


def test_an_absent_file_without_its_prefix_is_pointed_out() -> None:
    done = streamer("listen", "--device", "absent.wav", "--bind", free_address())
    assert b"file:absent.wav" in done.stderr


def test_a_file_without_its_prefix_is_pointed_out(tone: Path) -> None:
    refused(2, rf"device '{tone}' is a file; did you mean file:{tone}\?", "listen", "--device", str(tone))


def test_an_output_without_anything_to_play_is_refused() -> None:
    refused(
        2,
        "--output is 'default' and nothing is to be played; add --play voice",
        "listen",
        "--output",
        "default",
    )


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


@pytest.mark.parametrize("pcm", [(), ("--pcm", "16000:1:f32le")])
def test_standard_input_without_sound_is_no_success(pcm: tuple[str, ...]) -> None:
    text = (
        r"Error: stdin: standard input ended without any sound; expected at least 1 frame .*: see whether the program "
        "that writes it works on its own"
    )
    refused(1, text, "listen", "--device", "-", *pcm, "--bind", free_address(), stdin=b"")


def test_raw_pcm_that_is_wrong_gives_no_warning_of_numpy() -> None:
    content = np.random.default_rng(0).bytes(40_000)
    options = ("--device", "-", "--pcm", "16000:1:f32le", "--fast", "--json", "--bind", free_address())
    done = streamer("listen", *options, stdin=content)
    assert b"Warning" not in done.stderr
    assert [h["muted_samples"] for h in messages(done.stdout) if h["kind"] == "status"][-1] > 1_000


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
    ("arguments", "text"),
    [
        (
            ("listen", "talk.flac"),
            r"got 'talk\.flac' without an option; expected an input as in --device talk\.flac",
        ),
        (("listen", "{tone}"), r"got '.*' without an option; expected an input as in --device file:/"),
        (
            ("listen", "--device", ""),
            r"stream device is ''; expected an input: mic, pulse:NAME, file:PATH, a URL",
        ),
        (("listen", "--device", "file:"), r"stream device is 'file:'; expected an input: mic"),
        (
            ("listen", "--duration", "5s"),
            r"--duration is 5s; expected seconds above 0, such as",
        ),
        (("listen", "--duration", "nan"), r"--duration is nan; expected seconds above 0"),
        (("reload", "--address", "7765"), r"or ipc://PATH; did you mean tcp://127\.0\.0\.1:7765\?"),
        (("subscribe", "/mic"), r"got the topic '/mic'; expected KIND or KIND/STREAM"),
        (("listen", "--bind", "7765"), r"or ipc://PATH; did you mean tcp://127\.0\.0\.1:7765\?"),
        (("listen", "--bind", "localhost:7765"), r"or ipc://PATH; did you mean tcp://localhost:7765\?"),
        (("listen", "--bind", "127.0.0.1:99999"), r"or ipc://PATH$"),
        (
            ("teach", "{tone}"),
            r"LABEL is '.*', which is a file; expected the name of the sound before the files: ",
        ),
        (
            ("teach", "kettle", "--device", "mic", "--seconds", "99"),
            r"--seconds is 99; expected seconds above 0, 30 at most",
        ),
        (
            ("analyze", "file:talk.flac"),
            r"file:talk\.flac is written as a device; expected a path: talk\.flac",
        ),
    ],
)
def test_a_first_mistake_is_told_with_what_to_type(arguments: tuple[str, ...], text: str, tone: Path) -> None:
    refused(2, text, *(argument.format(tone=tone) for argument in arguments))
