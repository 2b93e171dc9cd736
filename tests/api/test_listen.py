"""`streamer.listen`: what comes, what is lost, and that the device is closed however it is left."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import streamer
from streamer.sinks.event_queue import EventQueue
from tests.api.microphone import RATE, FakeMicrophone, plug_in

pytestmark = pytest.mark.usefixtures("toys")

TENTHS = streamer.Config(publish=streamer.PublishConfig(level_hz=10))
"""A level every tenth of a second, whatever the steps of the models are."""


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch) -> FakeMicrophone:
    plugged = FakeMicrophone()
    plug_in(monkeypatch, plugged)
    return plugged


@pytest.fixture
def loud_wav(tmp_path: Path) -> Path:
    path = tmp_path / "loud.wav"
    sound = np.random.default_rng(3).normal(0, 0.2, 3 * RATE)
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    return path


def assert_closed(microphone: FakeMicrophone) -> None:
    assert microphone.closed.wait(30)
    engines = [thread for thread in threading.enumerate() if thread.name == "engine"]
    for thread in engines:
        thread.join(30)
        assert not thread.is_alive()


def first_decision(events: streamer.EventIterator) -> streamer.Decision:
    return next(event for event in events if isinstance(event, streamer.Decision) and event.state == "on")


def test_the_microphone_is_the_default_and_its_events_come(microphone: FakeMicrophone) -> None:
    with streamer.listen() as events:
        decision = first_decision(events)
        assert (decision.topic, decision.label) == ("gate/mic", "loud")
        assert decision.time is not None
    assert_closed(microphone)


def test_a_loop_that_breaks_closes_the_device(microphone: FakeMicrophone) -> None:
    for event in streamer.listen("mic"):
        assert event.stream == "mic"
        break
    assert_closed(microphone)


def test_an_error_in_the_loop_closes_the_device(microphone: FakeMicrophone) -> None:
    def work() -> None:
        with streamer.listen("mic") as events:
            raise LookupError(next(events).topic)

    with pytest.raises(LookupError, match="status/mic"):
        work()
    assert_closed(microphone)


def test_close_ends_it_and_what_waits_is_dropped(microphone: FakeMicrophone) -> None:
    events = streamer.listen("mic")
    next(events)
    events.close()
    events.close()
    assert_closed(microphone)
    assert list(events) == []


def test_garbage_collection_closes_the_device(microphone: FakeMicrophone) -> None:
    holder: list[Any] = [streamer.listen("mic")]
    holder.append(holder)  # a circle, which reference counts do not free
    assert microphone.opened.wait(30)
    del holder
    gc.collect()
    assert_closed(microphone)


def test_an_interrupt_closes_the_device_though_its_traceback_is_kept(
    microphone: FakeMicrophone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(queue: EventQueue) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(EventQueue, "take", interrupted)
    with pytest.raises(KeyboardInterrupt) as kept:
        next(streamer.listen("mic"))
    assert_closed(microphone)
    assert kept.tb is not None


def test_a_program_that_ends_closes_the_device() -> None:
    """Of a notebook's cell or a script that holds the iterator to its end."""
    program = (
        "import streamer\n"
        "events = streamer.listen(f'file:{streamer.DEMO_PATH}', models={'gate': 'off'})\n"
        "print(next(events).kind)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "status\n", "")


def test_stop_ends_in_order(microphone: FakeMicrophone) -> None:
    with streamer.listen("mic") as events:
        first_decision(events)
        events.stop()
        rest = list(events)
    assert [e.state for e in rest if isinstance(e, streamer.Decision)][-1] == "off"
    assert isinstance(rest[-1], streamer.Status)
    assert rest[-1].state == "ended"


def test_a_slow_reader_loses_running_values_that_are_counted_and_no_decision(
    microphone: FakeMicrophone, caplog: pytest.LogCaptureFixture
) -> None:
    events = streamer.listen("mic", max_waiting=20, duration_s=12)
    assert microphone.closed.wait(60)
    found = list(events)
    assert events.lost_events > 200
    assert len(found) == 20
    assert "events are lost: 20 wait to be taken" in caplog.text
    decisions = [event.seq for event in found if event.kind == "gate"]
    assert len(decisions) > 10
    assert decisions == list(range(len(decisions)))
    assert isinstance(found[-1], streamer.Status)
    assert found[-1].state == "ended"


def test_a_file_that_can_wait_loses_nothing(loud_wav: Path) -> None:
    device = f"file:{loud_wav}"
    found = list(streamer.listen(device, realtime=False, max_waiting=1, config=TENTHS))
    seqs = [event.seq for event in found if event.kind == "level"]
    assert seqs == list(range(30))


def test_the_duration_ends_it(microphone: FakeMicrophone) -> None:
    *_, last = streamer.listen("mic", duration_s=2)
    assert isinstance(last, streamer.Status)
    assert (last.state, last.stop) == ("ended", 2 * RATE)


def test_a_device_that_fails_raises_after_its_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, FakeMicrophone(seconds=1))
    found: list[streamer.Event] = []
    with pytest.raises(streamer.StreamError, match="the microphone was unplugged; plug it in"):
        found.extend(streamer.listen("mic"))
    assert isinstance(found[-1], streamer.Status)
    assert found[-1].state == "failed"


def test_one_stream_of_several_that_fails_lets_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, loud_wav: Path
) -> None:
    plug_in(monkeypatch, FakeMicrophone(seconds=0.1), FakeMicrophone(seconds=0.1))
    devices = ["mic", f"file:{loud_wav}", "mic-2"]
    found: list[streamer.Event] = []
    with pytest.raises(streamer.StreamError, match=r"^mic: the microphone was unplugged") as failed:
        found.extend(streamer.listen(devices, realtime=False, config=TENTHS))
    assert failed.value.__notes__ == ["mic-2: the microphone was unplugged; plug it in and start again"]
    assert [event.seq for event in found if event.topic == "level/loud"] == list(range(30))


def test_a_device_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(streamer.DeviceError, match="no input device"):
        list(streamer.listen("nosuchdevice"))
    with pytest.raises(streamer.StreamError, match="cannot be opened"):
        list(streamer.listen(f"file:{tmp_path / 'absent.wav'}"))


def test_two_listen_at_once(microphone: FakeMicrophone, loud_wav: Path) -> None:
    alone = [e.seq for e in streamer.listen(f"file:{loud_wav}", realtime=False)]
    with streamer.listen("mic") as live, streamer.listen(f"file:{loud_wav}", realtime=False) as from_file:
        assert first_decision(live).stream == "mic"
        assert [event.seq for event in from_file] == alone


def test_it_works_off_the_main_thread_and_leaves_signals_alone(microphone: FakeMicrophone) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    labels: list[str] = []

    def work() -> None:
        with streamer.listen("mic") as events:
            labels.append(first_decision(events).label)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert labels == ["loud"]
    assert before == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]


def test_it_unmaps_nothing_of_its_host(microphone: FakeMicrophone, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("memory was released")

    monkeypatch.setattr("streamer.engine.warm_up.release", fail)
    with streamer.listen("mic") as events:
        next(events)


def test_asyncio_tasks_run_beside_it_and_a_cancelled_wait_loses_nothing(loud_wav: Path) -> None:
    async def main() -> tuple[list[int], int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        events = await asyncio.to_thread(streamer.listen, f"file:{loud_wav}", duration_s=1, config=TENTHS)
        seqs = []
        with events:
            while True:
                try:
                    event = await asyncio.wait_for(anext(events), 0.01)
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    break
                if event.kind == "level":
                    seqs.append(event.seq)
        task.cancel()
        return seqs, turns

    seqs, turns = asyncio.run(main())
    assert seqs == list(range(10))
    assert turns > 10


def test_a_configuration_and_a_file_of_it_are_taken(microphone: FakeMicrophone, tmp_path: Path) -> None:
    path = tmp_path / "streamer.toml"
    path.write_text('[[stream]]\ndevice = "mic"\nname = "kitchen"\n')
    config = streamer.Config(stream=(streamer.StreamConfig("mic", "kitchen"),))
    for given in (path, str(path), config):
        with streamer.listen(config=given) as events:
            assert next(events).topic == "status/kitchen"


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (
            {"devices": 3},
            streamer.ConfigError,
            "devices is 3; expected a device, such as 'mic' or '3', or a list",
        ),
        ({"devices": ["mic", None]}, streamer.ConfigError, "devices is .*None.*; expected a device"),
        (
            {"devices": []},
            streamer.ConfigError,
            r"devices is empty; expected at least one, as \['mic'\], or None",
        ),
        ({"devices": Path("x.ogg")}, streamer.ConfigError, "expected text: name a file as 'file:x.ogg'"),
        (
            {"devices": ["-", "-"]},
            streamer.ConfigError,
            "2 streams have the device '-'; expected at most one",
        ),
        ({"config": 3}, streamer.ConfigError, "config is 3; expected a Config or the path of a TOML file"),
        ({"config": "absent.toml"}, streamer.ConfigError, "cannot read absent.toml: No such file"),
        ({"models": "gate"}, streamer.ConfigError, "models is 'gate'; expected a mapping of slots to models"),
        (
            {"models": {"gat": "off"}},
            streamer.ConfigError,
            "unknown key 'models.gat'; did you mean 'models.gate'",
        ),
        ({"models": {3: "off"}}, streamer.ConfigError, "models is {3: 'off'}; expected a mapping of slots"),
        (
            {"models": {"gate": Path("nosuch")}},
            streamer.ModelError,
            "no model 'nosuch'; expected a folder with",
        ),
        ({"models": {"gate": 3}}, streamer.ConfigError, "models.gate is 3; expected text"),
        ({"models": {"gate": "nosuch"}}, streamer.ModelError, "no model 'nosuch'; expected a folder with"),
        ({"prefer": "speed"}, streamer.ConfigError, "prefer is 'speed'; expected one of balanced"),
        ({"backend": "tpu"}, streamer.ConfigError, "backend is 'tpu'; expected one of cpu"),
        ({"threads": 0}, streamer.ConfigError, "threads is 0; expected 1 to 256"),
        ({"threads": "2"}, streamer.ConfigError, "threads is '2'; expected a whole number"),
        ({"duration_s": float("nan")}, streamer.ConfigError, "duration_s is nan; expected a finite number"),
        (
            {"duration_s": 0},
            streamer.ConfigError,
            "duration_s is 0; expected a finite number of seconds above 0",
        ),
        ({"duration_s": "1"}, streamer.ConfigError, "duration_s is '1'; expected a finite number of seconds"),
        ({"duration_s": 10**400}, streamer.ConfigError, "duration_s is 10+; expected a finite number"),
        ({"stems": "no"}, streamer.ConfigError, "stems is 'no'; expected True or False"),
        ({"realtime": None}, streamer.ConfigError, "realtime is None; expected True or False"),
        ({"max_waiting": 0}, streamer.ConfigError, "max_waiting is 0; expected a finite number of events"),
        ({"max_waiting": 2.5}, streamer.ConfigError, "max_waiting is 2.5; expected a whole number of events"),
        ({"prefer": 3}, streamer.ConfigError, "models.prefer is 3; expected text"),
        ({"stems": True}, streamer.ConfigError, "stems are asked for and no model takes them apart"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        streamer.listen(**arguments)


def test_files_have_times_if_it_is_said_when_they_began(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    for realtime in (True, False):
        events = streamer.listen(
            f"file:{tmp_path / 'a.wav'}", start_time=noon, realtime=realtime, duration_s=0.2, config=TENTHS
        )
        assert next(event.time for event in events if event.kind == "level") == noon + timedelta(seconds=0.1)
    with pytest.raises(
        streamer.ConfigError, match=r"start_time is '2026.*' and its device is 'mic'; expected a file"
    ):
        streamer.listen("mic", start_time=noon)
