"""Test the microphone with a real device, and with a sound server that ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from streamer.audio.devices import find_input, portaudio_inputs
from streamer.errors import DeviceError
from streamer.sources.devices.microphone import MicrophoneSource
from streamer.sources.source import SourceCounts
from tests.conftest import DEADLINE_S, ROOT

RATE_HZ = 48_000
COUNTER_SCALE = 2.0**22


@contextmanager
def playing_counter(sink: str, seconds: float, path: Path) -> Iterator[None]:
    """Play the numbers 1, 2, ... over `COUNTER_SCALE`, exact in float32, one a frame."""
    np.repeat(np.arange(1, int(seconds * RATE_HZ) + 1) / COUNTER_SCALE, 2).astype("<f4").tofile(path)
    command = ["pacat", "--playback", "--raw", "--format=float32le", f"--rate={RATE_HZ}", "--channels=2"]
    with subprocess.Popen([*command, f"--device={sink}", str(path)]) as player:
        try:
            yield
        finally:
            player.kill()


def heard_numbers(sink: str, path: Path) -> tuple[np.ndarray, SourceCounts]:
    """Listen to the numbers that are played, for a second of them, and count what is lost."""
    source = MicrophoneSource("mic", rate_hz=RATE_HZ)
    source.open()
    numbers = np.zeros(0, np.int64)
    stop = 0
    with playing_counter(sink, 20.0, path):
        deadline = time.monotonic() + DEADLINE_S
        while len(numbers) < RATE_HZ and source.counts == SourceCounts():
            assert time.monotonic() < deadline
            block = source.read(RATE_HZ)
            if block is None:
                time.sleep(0.005)
                continue
            assert source.counts != SourceCounts() or block.start == stop
            stop = block.stop
            assert block.captured_at is not None
            assert -0.1 <= time.monotonic() - block.captured_at < DEADLINE_S
            heard = np.rint(block.samples[:, 0].astype(np.float64) * COUNTER_SCALE).astype(np.int64)
            numbers = np.concatenate([numbers, heard[heard > 0]])
    source.close()
    return numbers, source.counts


def test_a_real_device_delivers_every_frame(virtual_microphone: str, tmp_path: Path) -> None:
    attempts = (heard_numbers(virtual_microphone, tmp_path / "counter.raw") for _ in range(5))
    whole = (numbers for numbers, counts in attempts if counts == SourceCounts())  # a busy machine loses some
    numbers = next(whole, None)
    assert numbers is not None, "sound was lost in each of 5 attempts"
    assert len(numbers) >= RATE_HZ
    assert (np.diff(numbers) == 1).all()


def test_a_real_device_is_listed_and_is_the_default(virtual_microphone: str) -> None:
    devices = portaudio_inputs()
    assert [device.is_default for device in devices].count(True) == 1
    assert find_input("mic", devices).max_channels >= 2


def test_a_real_device_refuses_a_rate_that_it_cannot_do(virtual_microphone: str) -> None:
    with pytest.raises(DeviceError, match="cannot do 1 Hz; ask for its own rate"):
        MicrophoneSource("mic", rate_hz=1, ring_s=1e-6).open()


LISTEN_UNTIL_ERROR = """
import subprocess, sys, time
from streamer.errors import StreamError
from streamer.sources.devices.microphone import MicrophoneSource

source = MicrophoneSource("mic", stall_s=3.0)
source.open()
heard = False
deadline = time.monotonic() + 30.0
while time.monotonic() < deadline:
    try:
        block = source.read(100_000)
    except StreamError as error:
        sys.exit(f"StreamError: {error}")
    if block is not None and not heard:
        heard = True
        subprocess.run([sys.argv[1], "stop"], check=True)
    time.sleep(0.005)
"""


def test_a_sound_server_that_ends_is_an_error(virtual_microphone: str, tmp_path: Path) -> None:
    script = ROOT / "scripts" / "virtual_microphone.sh"
    own = f'TMPDIR={tmp_path}; export TMPDIR; eval "$({script} start)"; exec "$@"'
    command = ["sh", "-c", own, "sh", sys.executable, "-c", LISTEN_UNTIL_ERROR, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("StreamError: input device ")


LISTED_ANEW = """
import subprocess, sys
from streamer.errors import DeviceError
from streamer.sources.devices.microphone import MicrophoneSource

source = MicrophoneSource("default")
try:
    source.open()
except DeviceError as error:
    print(error)
subprocess.run([sys.argv[1], "start"], check=True, stdout=subprocess.DEVNULL)
source.open()
print(source.rate_hz)
source.close()
"""


def test_a_device_that_came_after_the_first_try_is_found(running_sink: str, tmp_path: Path) -> None:
    script = ROOT / "scripts" / "virtual_microphone.sh"
    config = tmp_path / "alsa.conf"
    config.write_text(
        "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n"
    )
    folder = tmp_path / f"streamer-virtual-microphone-{os.getuid()}"
    own = {"TMPDIR": str(tmp_path), "ALSA_CONFIG_PATH": str(config), "PULSE_SERVER": f"unix:{folder}/native"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", LISTED_ANEW, str(script)],
            env={**os.environ, **own}, capture_output=True, text=True, timeout=DEADLINE_S, check=False, cwd=ROOT,
        )  # fmt: skip
    finally:
        subprocess.run([script, "stop"], env={**os.environ, **own}, check=True)
    assert done.returncode == 0, done.stderr
    absent, rate_hz = done.stdout.splitlines()
    assert absent.startswith("no input device for 'default'")
    assert rate_hz == "44100"
