"""`streamer subscribe`: what it prints, and what it waits for."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from itertools import count
from pathlib import Path

import numpy as np
import soundfile

from streamer.wire.subscriber import Subscriber
from tests import bus
from tests.bus import aged
from tests.conftest import DEADLINE_S
from tests.programs import free_address, messages, refused, running, streamer


def test_a_subscriber_says_what_it_waits_for(tone: Path) -> None:
    address = free_address()
    with running("subscribe", "music", "--address", address) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(
            b"'music' is no kind of message that this version knows (gate, speech, singing, sound, genre, "
        )
        said = process.stderr.readline().decode()
        assert said == (
            f"waiting for music: nobody publishes on {address}; start a publisher, as in `streamer listen`\n"
        )
    listen = ("listen", "--device", f"file:{tone}", "--device", "-", "--bind", address)
    with running(*listen, stdin=subprocess.PIPE), Subscriber(("status",), address) as statuses:
        assert statuses.receive(DEADLINE_S)
        with running("subscribe", "taught", "--address", address) as process:
            assert process.stderr is not None
            said = process.stderr.readline().decode()
    assert re.fullmatch(
        rf"waiting for taught: {address} publishes \(stream \w+\), but nothing of this so far\n", said
    )


def test_subscribe_prints_text_and_json(tone: Path, tmp_path: Path) -> None:
    address = free_address()
    config = tmp_path / "streamer.toml"
    config.write_text("[engine]\nmax_lag_ms = 1000")
    long = tmp_path / "long.wav"
    soundfile.write(long, np.zeros(60 * 16_000), 16_000)
    with running("listen", "--device", f"file:{long}", "--config", str(config), "--bind", address):
        text = streamer("subscribe", "level", "--address", address, "--count", "2", "--timeout", "300")
        assert text.returncode == 0, text.stderr
        assert re.fullmatch(
            r"(0:00:\S+  level/long +rms -120\.0 dBFS  peak -120\.0 dBFS\n){2}", text.stdout.decode()
        )
        as_json = streamer("subscribe", "status/long", "--address", address, "--count", "1", "--json")
        assert messages(as_json.stdout)[0]["kind"] == "status"


def test_subscribe_leaves_out_what_is_too_old_and_says_so() -> None:
    with bus.publishing() as publisher:
        publisher.send(bus.status())
        wanted = ("--address", publisher.address, "--max-age", "600", "--count", "2")
        with running("subscribe", *wanted) as process:
            bus.wait_for_output(process, publisher)  # the status is repeated: what follows is received
            publisher.send(aged(bus.level(0), 3_600.0))
            publisher.send(aged(bus.level(1), 0.0))
            out, said = process.communicate(timeout=DEADLINE_S)
    assert [line.split()[1] for line in out.decode().splitlines()] == ["status/mic", "level/mic"]
    assert said.decode() == "lost or too old: 1 message (level/mic 1)\n"


def test_what_was_lost_since_the_last_line_about_losses_is_said_at_the_end() -> None:
    with bus.publishing() as publisher:
        publisher.send(bus.status())
        with running("subscribe", "--address", publisher.address, "--count", "4") as process:
            bus.wait_for_output(process, publisher)
            for seq in (0, 3, 8):
                publisher.send(bus.level(seq))
            _, said = process.communicate(timeout=DEADLINE_S)
    assert said.decode().splitlines() == [
        "lost: 2 messages (level/mic 2)",
        "lost: 4 messages (level/mic 4)",  # within a second of the first line
    ]


def test_a_subscriber_that_was_stopped_counts_what_it_missed_to_the_last_message(tmp_path: Path) -> None:
    with bus.publishing() as publisher:
        publisher.send(bus.status())
        with (
            (tmp_path / "out").open("w+b") as out,
            running("subscribe", "--json", "--address", publisher.address, stdout=out) as process,
        ):
            bus.wait_for(lambda: (tmp_path / "out").stat().st_size, publisher)
            process.send_signal(signal.SIGSTOP)
            for seq in range(20_000):
                publisher.send(bus.level(seq))
            process.send_signal(signal.SIGCONT)
            seqs = count(20_000)

            def reads_again() -> bool:
                publisher.send(bus.level(next(seqs)))
                return _last_seq(tmp_path / "out") >= 20_000

            bus.wait_for(reads_again, publisher)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=DEADLINE_S)
        got = [m["seq"] for m in messages((tmp_path / "out").read_bytes()) if m["kind"] == "level"]
    assert got == sorted(set(got))
    missed = sum(int(n) for n in re.findall(r"lost: (\d+) message", said.decode()))
    assert missed == got[-1] + 1 - len(got) > 10_000


def _last_seq(path: Path) -> int:
    """The number of the last whole message in a file of JSON lines."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return int(json.loads(lines[-1])["seq"])


def test_subscribe_to_nobody_says_so() -> None:
    refused(1, r"no message from .* for 0\.2 s", "subscribe", "--address", free_address(), "--timeout", "0.2")
