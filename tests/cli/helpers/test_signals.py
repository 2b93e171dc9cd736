"""Ctrl-C and SIGTERM: whatever the command is at, it ends with a line and no traceback."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from streamer.cli.main import main
from tests.conftest import DEADLINE_S
from tests.programs import free_address, messages, received, running


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_being_interrupted_ends_cleanly_with_a_summary(tmp_path: Path, how: signal.Signals) -> None:
    from streamer.wire.subscriber import Subscriber

    long = tmp_path / "long.wav"
    soundfile.write(long, np.zeros(60 * 16_000), 16_000)
    address = free_address()
    with (
        Subscriber(("level",), address) as subscriber,
        running("listen", "--device", f"file:{long}", "--bind", address) as process,
    ):
        received(subscriber, 3)
        process.send_signal(how)
        _, said = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert re.search(rb"long: heard 0:00:0\S+, dropped 0 samples, 0 overruns, muted 0 samples", said)
    assert b"Traceback" not in said


def test_an_interrupted_analysis_says_so_and_hears_no_more(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.wav" for name in ("long", "next")}
    for path, seconds in zip(paths.values(), (1_800, 1), strict=True):
        soundfile.write(path, np.zeros(seconds * 16_000, np.int16), 16_000)
    with running("analyze", *map(str, paths.values()), "--jobs", "1") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert b"Error: interrupted in long" in said
    assert {h["stream"] for h in messages(first + out)} == {"long"}


def test_ctrl_c_ends_any_command_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("streamer.api.devices.input_devices", interrupted)
    done = CliRunner().invoke(main, ["devices"])
    assert (done.exit_code, done.stderr) == (130, "Error: interrupted\n")


@pytest.mark.parametrize(
    "module", ["streamer.standard_descriptors", "streamer.errors", "click", "streamer.cli.main"]
)
def test_ctrl_c_ends_the_start_with_a_line_even_where_a_library_catches_it(module: str) -> None:
    """Nothing but the packages' own beginnings is imported before Ctrl-C is taken note of."""
    start = """
import signal, sys
from streamer.__main__ import main

class Caught:
    @staticmethod
    def find_spec(name, *_):
        if name == sys.argv[1]:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                pass

sys.meta_path.insert(0, Caught)
main()
"""
    done = subprocess.run([sys.executable, "-c", start, module], capture_output=True, timeout=DEADLINE_S)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"Error: interrupted\n")
