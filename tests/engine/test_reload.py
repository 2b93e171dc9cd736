"""Test reloading: streams that did not change go on without a gap, and a wrong configuration changes nothing."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import soundfile

from streamer.cli.helpers.signals import HangupSignal
from streamer.config import Config
from streamer.config_file import read_config
from streamer.engine.build_streams import build_streams
from streamer.engine.engine import Engine
from streamer.engine.reload import Reload
from streamer.events.kinds import Event, Status
from streamer.inference.model_cache import ModelCache
from streamer.wire.subscriber import Subscriber
from tests import bus
from tests.conftest import DEADLINE_S
from tests.programs import STREAMER, free_address, received, running, streamer
from tests.scripted import RATE, Collected, loud
from tests.toy_model import write_toy_model
from tests.toy_separation import write_toy_separation


class During(Collected):
    """A sink that calls a function once a stream has reached a sample."""

    def __init__(self, stream: str, at: int, then: Callable[[], object]) -> None:
        super().__init__()
        self._when, self._then = (stream, at), then
        self._done = False

    def send(self, event: Event) -> None:
        super().send(event)
        stream, at = self._when
        if event.stream == stream and event.stop >= at and not self._done:
            self._done = True
            self._then()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a configuration in which the toy gate runs on the streams that `write` names."""
    write_toy_model(tmp_path / "toy")
    for name in "abcd":
        soundfile.write(tmp_path / f"{name}.wav", loud(6), RATE)
    return tmp_path / "streamer.toml"


def write(path: Path, *streams: str, other: str = "") -> None:
    """Write a configuration of streams, given as the names of their files, each with its own keys after a space."""
    models = f"[models]\ngate = '{path.parent / 'toy'}'\nsounds = 'off'\ngenre = 'off'\n{other}\n"
    entries = []
    for text in streams:
        name, _, own = text.partition(" ")
        entries.append(f"[[stream]]\nname = '{name}'\ndevice = 'file:{path.parent / name}.wav'\n{own}\n")
    publish = "" if "[publish]" in other else "[publish]\nscores_hz = 10\nlevel_hz = 10\n"
    path.write_text(models + publish + "".join(entries), encoding="utf-8")


def heard(path: Path, *changes: Callable[[], object]) -> tuple[Collected, Engine, list[str]]:
    """Run the engine; two seconds into stream a, make each change and reload. Return sink, engine and outcomes."""
    said: list[str] = []

    def configured() -> Config:
        return read_config(path)

    loaded = ModelCache()
    streams = build_streams(configured(), realtime=False, duration_s=6, models=loaded)
    reload = Reload(
        configured,
        configured(),
        streams,
        lambda config, before: build_streams(
            config, realtime=False, duration_s=6, models=loaded, running=before
        ),
    )

    def then() -> None:
        for change in changes:
            change()
            said.append(reload.reload(engine))

    sink = During("a", 2 * RATE, then)
    engine = Engine(streams, [sink], configured())
    engine.run(threading.Event())
    return sink, engine, said


def test_what_did_not_change_goes_on_without_a_gap(path: Path) -> None:
    write(path, "a", "b", "c")
    sink, engine, said = heard(path, lambda: write(path, "a", "c gate.min_on_ms = 50", "d"))
    assert said == ["the configuration was read again: opening d; changing c; ending b"]
    levels = sink.of("level", "a")
    assert (levels[0].start, levels[-1].stop) == (0, 6 * RATE)
    assert all(x.stop == y.start and (x.seq or 0) + 1 == y.seq for x, y in pairwise(levels))
    assert {event.epoch for event in sink.of("level", "a")} == {0}
    assert sink.of("level", "b")[-1].stop < 6 * RATE
    assert [e.state for e in sink.of("status", "b") if isinstance(e, Status)][-1] == "ended"
    assert [level.start for level in sink.of("level", "c")].count(0) == 2  # it began anew
    assert sink.of("level", "d")[-1].stop == 6 * RATE
    samples = [(each.name, each.samples) for each in engine.summaries]
    assert samples[2:] == [("a", 6 * RATE), ("c", 6 * RATE), ("d", 6 * RATE)]
    assert {name for name, heard in samples[:2] if 0 < heard < 6 * RATE} == {"b", "c"}  # ended by the reload
    assert [stream.name for stream in engine.streams] == ["a", "c", "d"]
    assert engine.streams[1].config.decisions["gate"].min_on_ms == 50
    for stream in "abc":  # all that were heard are told
        assert said[0] in [e.message for e in sink.of("status", stream) if isinstance(e, Status)]


@pytest.mark.parametrize(
    ("other", "streams", "why"),
    [
        ("[publish]\nlevel_hz = 20", ["a"], r"[publish] changed, which holds from start to end; set it back"),
        ("[gate]\nonn = 1", ["a"], "unknown key 'gate.onn'; did you mean 'gate.on'"),
        ("", ["a", "a"], "stream name 'a' is taken"),
        ("", ["a", "b models.gate = 'nothing'"], "stream b: no model 'nothing'"),
        (f"x = {'[' * 9_000}", ["a"], "is no TOML"),
    ],
)
def test_what_is_wrong_changes_nothing(path: Path, other: str, streams: list[str], why: str) -> None:
    write(path, "a", "c")
    sink, engine, said = heard(path, lambda: write(path, *streams, other=other))
    assert said[0].startswith("the configuration cannot be used, nothing was changed: ")
    assert why in said[0]
    assert [stream.name for stream in engine.streams] == ["a", "c"]
    assert sink.of("level", "c")[-1].stop == 6 * RATE
    assert said[0] in [e.message for e in sink.of("status", "c") if isinstance(e, Status)]


def test_a_fault_of_the_program_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, "a", "c")

    def change() -> None:
        write(path, "a", "b")
        monkeypatch.setattr("streamer.engine.reload.warm_up", lambda *_: 1 / 0)

    sink, engine, said = heard(path, change)
    assert said[0].startswith("the configuration cannot be used, nothing was changed: failed on a fault")
    assert "ZeroDivisionError" in said[0]
    assert [stream.name for stream in engine.streams] == ["a", "c"]
    assert sink.of("level", "c")[-1].stop == 6 * RATE


def test_what_is_wrong_changes_nothing_of_a_change_that_is_under_way(path: Path) -> None:
    write(path, "a", "b")
    _, engine, said = heard(path, lambda: write(path, "a", "c"), lambda: write(path, "a", "a"))
    assert said[0] == "the configuration was read again: opening c; ending b"
    assert said[1].startswith("the configuration cannot be used, nothing was changed: ")
    assert [stream.name for stream in engine.streams] == ["a", "c"]


def test_a_stream_that_comes_brings_its_own_sinks(path: Path) -> None:
    write(path, "a", "b")
    toy, stems = write_toy_separation(path.parent / "separation", 0.25), path.parent / "stems"
    own = f"b models.separation = '{toy}'\nstems.to = '{stems}'"
    sink, engine, _ = heard(path, lambda: write(path, "a", own), lambda: write(path, "a", own, "c"))
    assert [len(stream.sinks) for stream in engine.streams] == [0, 1, 0]
    assert sorted(file.name.split("-")[-1] for file in stems.iterdir()) == ["music.flac", "voice.flac"]
    assert not [event for event in sink.events if event.kind == "stem"]  # they are not published


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("folder", ["{path}", "a\\u0000b"])  # a file, and what cannot be a path
def test_a_stream_whose_sink_cannot_be_opened_fails_alone(path: Path, folder: str, later: bool) -> None:
    toy = write_toy_separation(path.parent / "separation", 0.25)
    own = f"b models.separation = '{toy}'\nstems.to = \"{folder.format(path=path)}\""
    write(path, "a", "b" if later else own)
    sink, engine, _ = heard(path, lambda: write(path, "a", own))
    assert "stems cannot be written into" in str(engine.streams[1].error)
    assert [e.state for e in sink.of("status", "b") if isinstance(e, Status)][-1] == "failed"
    assert sink.of("level", "a")[-1].stop == 6 * RATE


def test_what_a_stream_that_is_heard_no_more_left_out_is_not_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.sinks.stem_writer.is_full", lambda _: True)
    toy = write_toy_separation(path.parent / "separation", 0.25)
    write(path, "a", f"b models.separation = '{toy}'\nstems.to = '{path.parent / 'stems'}'")
    _, engine, _ = heard(path, lambda: write(path, "a"))
    assert [stream.name for stream in engine.streams] == ["a"]
    assert engine.incomplete


def test_a_stream_that_has_ended_is_opened_anew(path: Path) -> None:
    write(path, "absent", "a")
    sink, _, said = heard(path, lambda: soundfile.write(path.parent / "absent.wav", loud(1), RATE))
    assert said == ["the configuration was read again: opening again absent"]
    states = [e.state for e in sink.of("status", "absent") if isinstance(e, Status)]
    assert (states[0], states[-1]) == ("failed", "ended")


def test_the_command_lets_a_process_read_its_configuration_again(path: Path) -> None:
    address = free_address()
    for name in "abc":  # that go on however long the commands take
        soundfile.write(path.parent / f"{name}.wav", loud(120), RATE)
    write(path, "a")
    with (
        Subscriber(("status",), address) as subscriber,
        running("listen", "--config", str(path), "--bind", address) as process,
    ):
        assert received(subscriber, 1)[0]["pid"] == process.pid
        write(path, "a", "b")
        done = streamer("reload", "--address", address)
        assert done.returncode == 0, done.stderr
        assert done.stdout == b"the configuration was read again: opening b\n"
        path.write_text("[gate]\nonn = 1\n", encoding="utf-8")
        done = streamer("reload", "--address", address)
        assert done.returncode == 1
        assert b"nothing was changed" in done.stdout
        assert b"unknown key 'gate.onn'" in done.stdout
        for name in "ba":  # both still run; many of a's were sent before b was opened
            assert next(
                told for told in iter(lambda: received(subscriber, 1)[0], None) if told["stream"] == name
            )
        write(path, "c")  # nothing that was heard goes on, and what is told of the change before is no answer
        done = streamer("reload", "--address", address)
        assert done.stdout == b"the configuration was read again: opening c; ending a, b\n"
        assert process.poll() is None


def test_a_stream_that_is_being_opened_is_found_and_summed_up(path: Path) -> None:
    """The only stream is of a server that takes the connection and never answers."""
    address = free_address()
    soundfile.write(path.parent / "a.wav", loud(120), RATE)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        write(path)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/radio"
        path.write_text(f"{path.read_text()}[[stream]]\nname = 'radio'\ndevice = '{url}'\n", encoding="utf-8")
        with running("listen", "--config", str(path), "--bind", address) as process:
            with Subscriber(("status",), address) as subscriber:
                first = received(subscriber, 1)[0]
            assert (first["state"], first["stop"], first["rate"]) == ("opening", 0, 1)
            write(path, "a")
            done = streamer("reload", "--address", address)
            assert done.stdout == b"the configuration was read again: opening a; ending radio\n"
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=DEADLINE_S)
    lines = [line for line in said.decode().splitlines() if ": heard " in line]
    assert [line.partition(" heard ")[0] for line in lines] == ["radio:", "a:"]
    assert lines[0].startswith("radio: heard nothing, ")


def test_without_a_configuration_there_is_nothing_to_read_again(path: Path) -> None:
    address = free_address()
    soundfile.write(path.parent / "a.wav", loud(120), RATE)
    with (
        Subscriber(("status",), address) as subscriber,
        running("listen", "--device", f"file:{path.parent / 'a.wav'}", "--bind", address),
    ):
        received(subscriber, 1)
        done = streamer("reload", "--address", address)
    assert done.returncode == 1
    assert b"there is no file to read again; expected a start with --config: " in done.stdout
    assert b"start it anew as `streamer listen --config FILE`" in done.stdout


def test_the_command_signals_no_process_that_is_not_named() -> None:
    with bus.publishing() as publisher:
        publisher.send(bus.status(pid=0))
        arguments = [STREAMER, "reload", "--address", publisher.address]
        process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
        bus.wait_for(lambda: process.poll() is not None, publisher)
        assert process.returncode == 1
        assert "its status names no process; it is of another version" in process.communicate()[1]


def test_the_command_asks_for_a_process_of_this_machine() -> None:
    done = streamer("reload", "--address", "tcp://192.0.2.1:7765")
    assert done.returncode != 0
    assert b"expected one of this machine: a signal is sent" in done.stderr


def test_a_hangup_is_answered_once_by_who_asks() -> None:
    done: list[str] = []
    with HangupSignal() as hung_up:
        hung_up.handle(lambda: done.append("again"))
        os.kill(os.getpid(), signal.SIGHUP)
        hung_up.handle(lambda: done.append("again"))
        hung_up.handle(lambda: done.append("again"))
    assert done == ["again"]


def catches_hangups(process: subprocess.Popen[bytes]) -> bool:
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & 1 << signal.SIGHUP - 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which signals a process catches")
def test_a_hangup_while_it_starts_is_answered_once_it_listens(path: Path) -> None:
    write(path, "a")
    with running("listen", "--config", str(path), "--bind", free_address()) as process:
        until = time.monotonic() + DEADLINE_S
        while not catches_hangups(process):
            assert time.monotonic() < until
            time.sleep(0.001)
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        assert any(line.startswith(b"the configuration was read again") for line in process.stderr)


def on_a_terminal(*command: str) -> tuple[int, subprocess.Popen[bytes]]:
    """Run a program in a terminal; yield the terminal's other end and the program."""
    keeper, own = pty.openpty()
    process = subprocess.Popen(["setsid", "--ctty", "--wait", *command], stdin=own, stdout=own, stderr=own)
    os.close(own)
    return keeper, process


def test_a_terminal_that_is_closed_ends_it(path: Path) -> None:
    address = free_address()
    write(path, "a")
    with Subscriber(("status",), address) as subscriber:
        keeper, process = on_a_terminal(STREAMER, "listen", "--config", str(path), "--bind", address)
        received(subscriber, 1)
        os.close(keeper)
        last = next(h for h in iter(lambda: received(subscriber, 1)[0], None) if h["state"] != "running")
        assert last["state"] == "ended"
        process.wait(DEADLINE_S)


def test_a_program_that_ignored_hangups_goes_on_without_its_terminal(path: Path, tmp_path: Path) -> None:
    address = free_address()
    write(path, "a")
    listen = f"{STREAMER} listen --config {path} --bind {address} >{tmp_path / 'said'} 2>&1"
    with Subscriber(("status",), address) as subscriber:
        keeper, process = on_a_terminal("sh", "-c", f"trap '' HUP; exec {listen}")
        received(subscriber, 1)
        os.close(keeper)
        heard = iter(lambda: received(subscriber, 1)[0], None)
        told = next(h for h in heard if h["message"] or h["state"] != "running")
        assert told["message"] == "the configuration was read again: no stream changed"
        process.terminate()
        process.wait(DEADLINE_S)
