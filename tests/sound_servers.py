"""Sound servers for tests, PulseAudio and PipeWire, each in a folder of its own, with sources that come and go."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import DEADLINE_S

PROGRAMS = {
    "pulseaudio": ("pulseaudio", "pactl", "parec"),
    "pipewire": ("pipewire", "wireplumber", "pipewire-pulse", "dbus-run-session", "pactl", "parec"),
}
"""What a machine needs to run each server."""

PULSEAUDIO = """
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native
load-module module-null-sink sink_name=first rate=48000 channels=2 norewinds=1
load-module module-rescue-streams
"""

PIPEWIRE = """
pipewire &
until [ -S "$XDG_RUNTIME_DIR/pipewire-0" ]; do sleep 0.02; done
wireplumber &
exec pipewire-pulse
"""


@dataclass
class SoundServer:
    """A running sound server, found by `environment`."""

    kind: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server; skip the test where it is not installed, or fail where it should be."""
        missing = [program for program in PROGRAMS[self.kind] if shutil.which(program) is None]
        if missing:
            reason = f"{', '.join(missing)} not installed: {self.kind} cannot be tried"
            if self.kind == "pulseaudio" and os.environ.get("STREAMER_REQUIRE_MICROPHONE") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
        if self.kind == "pulseaudio":
            script = self.folder / "daemon.pa"
            script.write_text(PULSEAUDIO.format(folder=self.folder))
            options = ["--exit-idle-time=-1", "--realtime=no", "--high-priority=no", "--log-level=error"]
            command = ["pulseaudio", "--daemonize=no", "-n", "-F", str(script), *options]
        else:
            command = ["dbus-run-session", "--", "sh", "-c", PIPEWIRE]
        own = {"XDG_RUNTIME_DIR": self.folder, "HOME": self.folder, "XDG_CONFIG_HOME": self.folder / "config"}
        own |= {"XDG_STATE_HOME": self.folder / "state"}
        if self.kind == "pulseaudio":
            own |= {"PULSE_RUNTIME_PATH": self.folder}
        environment = {**os.environ, **{name: str(path) for name, path in own.items()}}
        for name in ("PULSE_SERVER", "DBUS_SESSION_BUS_ADDRESS"):
            environment.pop(name, None)
        (self.folder / "pipewire-0").unlink(missing_ok=True)  # of a server that was killed
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        socket = self.folder / ("native" if self.kind == "pulseaudio" else "pulse/native")
        self.environment = {"PULSE_SERVER": f"unix:{socket}"}
        self._wait_until_it_answers()
        if self.kind == "pipewire":
            self.plug_in("first", 48_000, 2)
            self.make_default("first")

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while subprocess.run(
            self._pactl("info"), capture_output=True, env=self._environment, check=False
        ).returncode:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment, "LC_ALL": "C.UTF-8"}

    def _pactl(self, *words: str) -> list[str]:
        return ["pactl", *words]

    def ask(self, *words: str) -> str:
        """Return what `pactl` prints."""
        done = subprocess.run(
            self._pactl(*words),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=True,
        )
        return done.stdout

    def source(self, name: str) -> str:
        """The server's name of the source that `plug_in(name)` makes."""
        return f"{name}.monitor" if self.kind == "pulseaudio" else name

    def plug_in(self, name: str, rate_hz: int, channels: int, *more: str) -> str:
        """Add a source, and return the number by which it is unplugged."""
        # PipeWire takes no monitor for the default source; these are sources that nobody plays into.
        more += ("norewinds=1",) if self.kind == "pulseaudio" else ("media.class=Audio/Source/Virtual",)
        made = self.ask(
            "load-module",
            "module-null-sink",
            f"sink_name={name}",
            f"rate={rate_hz}",
            f"channels={channels}",
            *more,
        )
        self._wait_for_source(self.source(name))
        return made.strip()

    def add_sink(self, name: str, rate_hz: int) -> str:
        """Add a sink, and return the name of the source that hears what is played into it."""
        more = ("norewinds=1",) if self.kind == "pulseaudio" else ()
        self.ask(
            "load-module", "module-null-sink", f"sink_name={name}", f"rate={rate_hz}", "channels=1", *more
        )
        self._wait_for_source(f"{name}.monitor")
        return f"{name}.monitor"

    def _wait_for_source(self, name: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while name not in self.ask("list", "short", "sources").split():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def unplug(self, number: str) -> None:
        self.ask("unload-module", number)

    def make_default(self, name: str) -> None:
        """Make a source the default, and wait until it is."""
        deadline = time.monotonic() + DEADLINE_S
        while self.ask("get-default-source").strip() != name:
            # PipeWire refuses until WirePlumber is ready.
            subprocess.run(["pactl", "set-default-source", name], env=self._environment, check=False)
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def move_streams(self, name: str) -> None:
        """Move all captures to a source, as a user does by hand."""
        for line in self.ask("list", "short", "source-outputs").splitlines():
            self.ask("move-source-output", line.split("\t")[0], self.source(name))

    @contextmanager
    def playing(self, sink: str, sound: Path, rate_hz: int) -> Iterator[None]:
        """Play raw float32 of one channel into a sink."""
        command = ["pacat", "--playback", "--raw", "--format=float32le", f"--rate={rate_hz}", "--channels=1"]
        with subprocess.Popen([*command, f"--device={sink}", str(sound)], env=self._environment) as player:
            try:
                yield
            finally:
                player.kill()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server hang."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def end(self) -> None:
        """End the server and all that it started."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE_S)
            self.process = None
