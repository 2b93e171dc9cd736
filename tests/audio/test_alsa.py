"""Test that a configuration of ALSA with which PortAudio would abort is an error in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DEADLINE_S, ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ALSA is Linux's")

LISTING = """
from streamer.audio.devices import portaudio_inputs
from streamer.errors import DeviceError
try:
    print([device.name for device in portaudio_inputs()])
except DeviceError as error:
    print(error)
"""
GONE = """
import os
from pathlib import Path
from streamer.audio.portaudio import list_anew, portaudio
from streamer.errors import DeviceError
portaudio()
Path(os.environ["ALSA_CONFIG_PATH"]).unlink()
try:
    list_anew()
except DeviceError as error:
    print(error)
"""


def said(program: str, configuration: Path) -> str:
    """Return what a program prints in a process of its own: PortAudio is one for the whole process."""
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(configuration)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.parametrize("content", ["", "pcm.other { type null }\n"])
def test_a_configuration_without_a_default_device_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "asound.conf"
    path.write_text(content)
    assert said(LISTING, path) == (
        "ALSA's configuration has no device `default`; expected one, which PortAudio needs: unset ALSA_CONFIG_PATH, "
        f"or mend the file that it names ({path})"
    )


def test_a_configuration_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    assert said(LISTING, tmp_path / "gone.conf").endswith(f"({tmp_path / 'gone.conf'}, which is not there)")


def test_a_configuration_with_a_fault_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "asound.conf"
    path.write_text("pcm.{ {{{\n")
    assert said(LISTING, path).startswith(
        "ALSA's configuration cannot be read (Invalid argument); expected one without"
    )


@pytest.mark.parametrize("name", ["default", "dmix"])
def test_one_device_is_enough(name: str, tmp_path: Path) -> None:
    path = tmp_path / "asound.conf"
    path.write_text(f"pcm.{name} {{ type null }}\n")
    assert said(LISTING, path) in ("['default']", "[]")  # dmix has outputs only


def test_a_configuration_that_goes_while_the_program_runs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "asound.conf"
    path.write_text("pcm.default { type null }\n")
    assert said(GONE, path).endswith("which is not there)")
