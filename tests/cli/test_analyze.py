"""`streamer analyze`: what it makes of files of every kind, and which models it runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.config_sections import MODEL_KEYS
from tests.programs import free_address, messages, of_the_sound, refused, streamer
from tests.toy_model import write_toy_ear, write_toy_head, write_toy_model


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


def test_the_other_files_are_analyzed(tmp_path: Path, tone: Path) -> None:
    done = streamer("analyze", str(tmp_path / "absent.wav"), str(tone))
    assert done.returncode == 1
    assert {h["stream"] for h in messages(done.stdout)} == {"tone"}


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
    config = tmp_path / "tenths.toml"
    config.write_text("[publish]\nlevel_hz = 10\n", encoding="utf-8")
    done, alone = (streamer("analyze", "--config", str(config), str(each)) for each in (path, one))
    assert f"inverted: {text}" in done.stderr.decode()
    assert not alone.stderr
    levels, expected = (
        [h["rms_dbfs"] for h in messages(each.stdout) if h["kind"] == "level"] for each in (done, alone)
    )
    assert levels[0] == -120.0
    assert levels[2:] == expected[2:]  # the second begins with the fade


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
