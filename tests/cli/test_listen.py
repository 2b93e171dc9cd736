"""Whole programs on real inputs: file, URL, standard input and microphone say the same; the gate is right."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.cli.main import main
from streamer.demo_recording import DEMO_PATH
from streamer.wire.subscriber import Subscriber
from tests.conftest import DEADLINE_S
from tests.programs import (
    STREAMER,
    assert_alike,
    free_address,
    gate_changes,
    messages,
    of_the_sound,
    received,
    running,
    streamer,
)

TRUTH = json.loads(DEMO_PATH.with_suffix(".json").read_text())
MUSIC_S = [
    (s["start"] / TRUTH["rate_hz"], s["stop"] / TRUTH["rate_hz"])
    for s in TRUTH["segments"]
    if s["label"] == "music"
]
NEAR_S = 0.6
"""How near to the true time a decision says that music began or ended."""


@pytest.fixture(scope="module")
def demo_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled recording as 16-bit WAV: every way in gets these very samples."""
    path = tmp_path_factory.mktemp("sound") / "demo.wav"
    samples, rate_hz = soundfile.read(DEMO_PATH, dtype="float32")
    soundfile.write(path, samples, rate_hz, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def from_file(demo_wav: Path) -> list[dict[str, Any]]:
    done = streamer("analyze", str(demo_wav))
    assert done.returncode == 0, done.stderr
    return messages(done.stdout)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def assert_gate_is_right(changes: list[tuple[str, float]], offset_s: float = 0.0) -> None:
    assert [state for state, _ in changes] == ["off", "on", "off", "on", "off"]
    true_s = [second for segment in MUSIC_S for second in segment]
    assert [second - offset_s for _, second in changes[1:]] == pytest.approx(true_s, abs=NEAR_S)


def test_the_gate_is_right_on_the_bundled_recording(from_file: list[dict[str, Any]]) -> None:
    assert_gate_is_right(gate_changes(from_file))


def test_the_same_file_gives_the_same_bytes(demo_wav: Path) -> None:
    assert streamer("analyze", str(demo_wav)).stdout == streamer("analyze", str(demo_wav)).stdout


def test_standard_input_says_the_same(demo_wav: Path, from_file: list[dict[str, Any]]) -> None:
    samples, rate_hz = soundfile.read(demo_wav, dtype="int16")
    arguments = ["listen", "--device", "-", "--pcm", f"{rate_hz}:1:s16le", "--json", "--bind", free_address()]
    done = streamer(*arguments, stdin=samples.astype("<i2").tobytes())
    assert done.returncode == 0, done.stderr
    assert_alike(of_the_sound(messages(done.stdout)), of_the_sound(from_file))


def test_a_url_says_the_same(demo_wav: Path, from_file: list[dict[str, Any]]) -> None:
    with served(demo_wav.parent) as url:
        done = streamer("listen", "--device", f"{url}/demo.wav", "--json", "--bind", free_address())
    assert done.returncode == 0, done.stderr
    assert_alike(of_the_sound(messages(done.stdout)), of_the_sound(from_file))


def test_another_rate_says_the_same_within_what_resampling_explains(
    tmp_path: Path, demo_wav: Path, from_file: list[dict[str, Any]]
) -> None:
    at_48k = tmp_path / "demo48k.flac"
    subprocess.run(["ffmpeg", "-v", "error", "-i", demo_wav, "-ar", "48000", "-ac", "2", at_48k], check=True)
    said = messages(streamer("analyze", str(at_48k)).stdout)
    assert [s for s, _ in gate_changes(said)] == [s for s, _ in gate_changes(from_file)]
    assert [t for _, t in gate_changes(said)] == pytest.approx(
        [t for _, t in gate_changes(from_file)], abs=0.1
    )

    def scores(headers: list[dict[str, Any]]) -> np.ndarray:
        return np.array([h["heads"]["gate"]["music"] for h in headers if h["kind"] == "scores"])

    assert np.median(np.abs(scores(said) - scores(from_file))) < 0.01


def test_a_paced_file_is_published_to_a_subscriber_in_real_time(demo_wav: Path) -> None:
    address = free_address()
    with (
        Subscriber(("gate", "status"), address) as subscriber,
        running("listen", "--device", f"file:{demo_wav}", "--duration", "6", "--bind", address) as process,
    ):
        on = next(h for h in iter(lambda: received(subscriber, 1)[0], None) if h.get("state") == "on")
        assert on["start"] / on["rate"] == pytest.approx(MUSIC_S[0][0], abs=NEAR_S)
        assert on["latency_ms"] >= 0
        end = next(h for h in iter(lambda: received(subscriber, 1)[0], None) if h.get("state") == "ended")
        assert end["stop"] == 6 * end["rate"]
        assert process.wait(DEADLINE_S) == 0


def test_a_late_subscriber_gets_the_last_state_at_once(demo_wav: Path) -> None:
    address = free_address()
    with running("listen", "--device", f"file:{demo_wav}", "--bind", address):
        with Subscriber(("gate",), address) as early:
            assert received(early, 1)[0]["state"] == "off"
        with Subscriber(("gate",), address) as late:
            (first,) = received(late, 1)
    assert first["state"] == "off"
    assert first["replay"] is True


def test_several_at_once_and_one_that_fails(demo_wav: Path, tmp_path: Path) -> None:
    done = streamer(
        "listen", "--device", f"file:{demo_wav}", "--device", f"file:{tmp_path / 'absent.wav'}",
        "--device", f"file:{demo_wav}", "--fast", "--bind", free_address(), "--json",
    )  # fmt: skip
    assert done.returncode == 1
    assert b"Error: absent: " in done.stderr
    assert b"Traceback" not in done.stderr
    said = messages(done.stdout)
    for name in ("demo", "demo-2"):
        assert_gate_is_right(gate_changes([h for h in said if h["stream"] == name]))
    assert [h["state"] for h in said if h["stream"] == "absent"] == ["failed"]


def test_stems_that_are_missing_are_said_and_all_else_goes_on(
    demo_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("streamer.sinks.stem_writer.is_full", lambda _: True)
    words = ["--device", f"file:{demo_wav}", "--fast", "--json", "--bind", free_address()]
    done = CliRunner().invoke(main, ["listen", *words, "--stems-to", str(tmp_path)])
    assert done.exit_code == 1
    assert "stem voice of demo cannot be written into" in caplog.text
    assert "less than 17 MB are free; make room" in caplog.text
    assert_gate_is_right(gate_changes(messages(done.stdout_bytes)))


@pytest.fixture
def no_microphone(tmp_path: Path) -> dict[str, str]:
    """Environment of a machine whose sound system knows no device."""
    config = tmp_path / "alsa.conf"
    config.write_text("</usr/share/alsa/alsa.conf>\n")
    return {**os.environ, "ALSA_CONFIG_PATH": str(config), "PULSE_SERVER": "/nonexistent"}


@pytest.mark.skipif(Path("/proc/asound/card0").exists(), reason="this machine has a sound card")
@pytest.mark.parametrize("device", ["auto", "mic"])
def test_only_auto_falls_back_and_says_so(no_microphone: dict[str, str], device: str) -> None:
    arguments = [STREAMER, "listen", "--device", device, "--duration", "1", "--bind", free_address()]
    done = subprocess.run(arguments, env=no_microphone, capture_output=True, timeout=DEADLINE_S, check=False)
    if device == "mic":
        assert done.returncode == 1
        assert b"Error: mic: no input device for 'mic'" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert b"NO MICROPHONE: no input device" in done.stderr
        assert b"status/demo" in done.stdout


LOSSES = ("dropped_samples", "overruns", "epoch")
"""Counts that stay 0 while no sound is lost."""


def heard_of_the_microphone(demo_wav: Path, config: Path) -> tuple[float, list[dict[str, Any]]] | None:
    """Play the recording into the microphone: when, and what is said of it; None if sound is lost on the way."""
    address = free_address()
    with (
        Subscriber(("gate", "status"), address) as subscriber,
        running("listen", "--device", "mic", "--config", str(config), "--bind", address),
    ):
        received(subscriber, 2)  # it listens: a status and, after warm-up, how things stand
        played_at = time.time()
        with subprocess.Popen(["paplay", str(demo_wav)]) as player:
            said: list[dict[str, Any]] = []
            while len(gate_changes(said)) < 4:
                (header,) = received(subscriber, 1)
                if any(header.get(name) for name in LOSSES):
                    player.kill()
                    return None
                assert header["stop"] < 60 * header["rate"], f"the gate does not change: {said}"
                said.append(header)
    return played_at, said


def test_the_microphone_is_heard_by_a_subscriber(
    virtual_microphone: str, demo_wav: Path, tmp_path: Path
) -> None:
    """Sound played into a real device, heard by one process, told to another."""
    config = tmp_path / "streamer.toml"
    config.write_text("[engine]\nmax_lag_ms = 10000")
    attempts = (heard_of_the_microphone(demo_wav, config) for _ in range(5))  # a busy machine loses sound
    whole = next((attempt for attempt in attempts if attempt), None)
    assert whole is not None, "sound was lost in each of 5 attempts"
    played_at, said = whole
    changes = [("off", 0.0), *gate_changes(said)]
    first = next(h for h in said if h["kind"] == "gate" and h["state"] == "on")
    heard_at = (
        datetime.fromisoformat(first["time"]).timestamp() - (first["stop"] - first["start"]) / first["rate"]
    )
    assert heard_at - played_at >= MUSIC_S[0][0] - NEAR_S
    assert_gate_is_right(changes, offset_s=changes[1][1] - MUSIC_S[0][0])
