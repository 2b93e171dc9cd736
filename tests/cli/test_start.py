"""Test what a start loads: nothing that takes long and that the first message does without."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streamer.demo_recording import DEMO_PATH
from tests.conftest import DEADLINE_S
from tests.programs import free_address

PROGRAM = """
import sys
from streamer.__main__ import main
try: main()
finally: print("\\n", *sorted({name.partition(".")[0] for name in sys.modules}))
"""

SLOW = {"asyncio", "multiprocessing", "numba", "rich", "rocket_fft", "scipy", "sounddevice", "tomllib"}


def start() -> set[str]:
    """The top-level modules that listening to the bundled recording has loaded at its end."""
    command = ["listen", "--device", f"file:{DEMO_PATH}", "--fast", "--json", "--duration", "0.5"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command, "--bind", free_address()],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert '"kind":"level"' in done.stdout
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("device", ["mic", "pulse:any", "3"])
def test_a_microphone_that_is_not_open_loads_no_numba(device: str) -> None:
    program = (
        "import sys; from streamer.config import Config, StreamConfig\n"
        "from streamer.sources.open_source import source_for\n"
        f"source_for(StreamConfig({device!r}), Config(), realtime=True); print('numba' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    assert done.stdout == "False\n"


def test_listening_to_a_file_loads_nothing_slow() -> None:
    start()  # compiles what is not in the cache
    loaded = start()
    assert {"numpy", "onnxruntime", "llvmlite", "zmq"} <= loaded
    assert not loaded & SLOW
