"""What the tests share."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streamer.onnxruntime_reports import turn_off

if TYPE_CHECKING:
    from tests.sound_servers import SoundServer

ROOT = Path(__file__).resolve().parent.parent
DEADLINE_S = 300.0
"""Longest that anything in a test may take, on the busiest machine; reached only when something is wrong."""


def pytest_configure() -> None:
    """Prepare this process, and the programs that tests start, before NumPy, torch and ONNX Runtime are imported."""
    turn_off()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell sets it for background jobs
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Test processes are as many as cores: pools of threads in each would only wait for one another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Compile the kernels once, into the user's cache, before test processes start that would each compile them."""
    subprocess.run([sys.executable, "-m", "tests.compile_kernels"], cwd=ROOT, check=True)


@pytest.fixture(scope="session", autouse=True)
def own_data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test hears what the user of this machine taught, nor leaves anything in their data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the data sets: `STREAMER_DATA`, or the default beside the checkout.

    Without it a test that needs real sound is skipped and says so; with ``STREAMER_REQUIRE_DATA=1`` it fails,
    so that a machine which should have the data cannot pass by having lost it.
    """
    folder = Path(os.environ.get("STREAMER_DATA", ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        reason = f"no data sets at {folder}; point STREAMER_DATA at the folder that holds them"
        if os.environ.get("STREAMER_REQUIRE_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of what is made of the data sets, shared by the tests that need it."""
    return tmp_path_factory.mktemp("cache")


def _running_sink() -> str | None:
    """The sink of a running virtual microphone; None if there is none."""
    sink = os.environ.get("STREAMER_VIRTUAL_MICROPHONE")
    if not sink or shutil.which("pactl") is None:
        return None
    listed = subprocess.run(
        ["pactl", "list", "short", "sinks"], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    return sink if sink in listed.stdout else None


@pytest.fixture(scope="session")
def running_sink() -> str:
    """Return the name of the PulseAudio sink that the default microphone hears.

    Where none is running, a test that needs it is skipped and says so; with ``STREAMER_REQUIRE_MICROPHONE=1`` it
    fails, so that a machine which should have one cannot pass by having lost it.
    """
    sink = _running_sink()
    if sink is None:
        reason = 'no virtual microphone is running; type: eval "$(scripts/virtual_microphone.sh start)"'
        if os.environ.get("STREAMER_REQUIRE_MICROPHONE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return sink


@pytest.fixture
def virtual_microphone(running_sink: str) -> Iterator[str]:
    """Give a test the virtual microphone for itself: others that play into it, in any process, wait."""
    path = Path(tempfile.gettempdir()) / f"streamer-microphone-in-tests-{os.getuid()}"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield running_sink


@pytest.fixture(params=["pulseaudio", "pipewire"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundServer]:
    """Start a sound server with a source `first`, which this process and its children ask."""
    from tests.sound_servers import SoundServer

    # Sockets have short paths: that of `tmp_path` may be too long.
    with tempfile.TemporaryDirectory(prefix="ear-", dir="/tmp") as folder:
        server = SoundServer(request.param, Path(folder))
        try:
            server.start()
            for name, value in server.environment.items():
                monkeypatch.setenv(name, value)
            monkeypatch.delenv("PULSE_SOURCE", raising=False)
            yield server
        finally:
            server.end()
