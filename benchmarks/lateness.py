"""Measure how late messages reach a subscriber: with one stream or many, on a busy machine, and after a freeze.

python -m benchmarks.lateness [--seconds S] [--out FILE] [--smoke]

`streamer listen` runs in a process of its own on the bundled recording in real time; each stream starts at another
place of it. A subscriber in this process receives everything. Lateness is the time from the capture of a message's
last sample, which is known exactly for a recording, to its receipt. A busy machine runs a process on each core that
only burns time. A peer that only computes, for half of the time, shows how late such a machine makes any program.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile

from benchmarks.listening import SETTLE_S, Received, collect, listening, receive
from benchmarks.report import busy_processes, machine, parser, percentiles, write
from streamer.bench.recording import recording
from streamer.events.kinds import Decision, Level, Scores, Status, Stem

RATE_HZ = 16_000
PLACES = 10
"""Number of places in the recording at which streams start, in turn."""
TIMELY = ("level", "scores", "decision")
"""Kinds of messages with a deadline. Stems have none, since the separation declares its latency."""
FREEZE_S, AFTER_S = 5.0, 8.0
"""Time for which the process is stopped, and time for which it is measured afterwards."""
CALM_S = 1.0
"""Time without a message later than any before the freeze, after which things count as usual again."""
MANY_STREAMS_MS = 130.0
"""Deadline for many streams: one hop of the models that always run, 80 ms, and 50 ms."""


@dataclass(frozen=True)
class Case:
    """A number of streams, their settings, whether the machine is busy, and the deadline of messages."""

    name: str
    streams: int = 1
    settings: str = ""
    busy: bool = False
    deadline_ms: float = 15.0


CASES = (
    Case("1 stream"),
    Case("1 stream, turn_ms = 5", settings="[engine]\nturn_ms = 5"),
    Case("1 stream, turn_ms = 1", settings="[engine]\nturn_ms = 1"),
    Case("1 stream, stems published", settings="[stems]\npublish = true"),
    Case("50 streams", 50, deadline_ms=MANY_STREAMS_MS),
    Case("50 streams, all cores busy", 50, busy=True, deadline_ms=MANY_STREAMS_MS),
)


PEER_TURN_S, PEER_COMPUTES_S = 0.03, 0.015
"""Interval at which the peer wakes, and time that it computes then, both like those of fifty streams."""


def write_config(case: Case, folder: Path) -> Path:
    """Write a configuration whose streams play the recording from several places on."""
    samples, _ = recording(RATE_HZ)
    entries = []
    for n in range(case.streams):
        path = folder / f"{n % PLACES}.wav"
        if not path.exists():
            soundfile.write(path, np.roll(samples, -(n % PLACES) * len(samples) // PLACES), RATE_HZ)
        entries.append(f"[[stream]]\nname = 's{n}'\ndevice = 'file:{path}'\n")
    config = folder / "streamer.toml"
    config.write_text("\n".join([case.settings, *entries]), encoding="utf-8")
    return config


def measure(case: Case, seconds: float) -> dict[str, Any]:
    """Measure lateness by kind of message, and losses."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        config = write_config(case, Path(folder))
        _, subscriber = stack.enter_context(listening("--config", str(config)))
        receive(subscriber)
        collect(subscriber, SETTLE_S)
        stack.enter_context(busy_processes(os.cpu_count() or 1 if case.busy else 0))
        dropped = _dropped(collect(subscriber, SETTLE_S))
        found = collect(subscriber, seconds)
        lost = subscriber.lost.total()
    kinds = {"level": Level, "scores": Scores, "decision": Decision, "stem": Stem}
    late_s = {
        name: [each.late_s for each in found if isinstance(each.event, kind)] for name, kind in kinds.items()
    }
    return {
        "late_ms": {name: percentiles(np.array(values), 1e-3) for name, values in late_s.items() if values},
        "messages": {name: len(values) for name, values in late_s.items() if values},
        "deadline_ms": case.deadline_ms,
        "missed": {name: int((np.array(late_s[name]) > 1e-3 * case.deadline_ms).sum()) for name in TIMELY},
        "lost_messages": lost,
        "dropped_samples": _dropped(found) - dropped,
    }


def peer(seconds: float) -> dict[str, Any]:
    """Measure how late a program that only computes is done, on a busy machine."""
    done_s = []
    with busy_processes(os.cpu_count() or 1):
        begun = time.monotonic()
        for turn in range(1, round(seconds / PEER_TURN_S) + 1):
            due = begun + turn * PEER_TURN_S
            time.sleep(max(0.0, due - time.monotonic()))
            until = time.thread_time() + PEER_COMPUTES_S
            while time.thread_time() < until:
                pass
            done_s.append(time.monotonic() - due)
    return {
        "turn_ms": 1e3 * PEER_TURN_S,
        "computes_ms": 1e3 * PEER_COMPUTES_S,
        "done_after_ms": percentiles(np.array(done_s), 1e-3),
    }


def measure_freeze(seconds: float) -> dict[str, Any]:
    """Stop the process for a while; measure how soon messages are in time again, and what was lost and reported."""
    with TemporaryDirectory() as folder:
        config = write_config(CASES[0], Path(folder))
        with listening("--config", str(config)) as (process, subscriber):
            receive(subscriber)
            collect(subscriber, SETTLE_S)
            before_s = _late(collect(subscriber, seconds))
            process.send_signal(signal.SIGSTOP)
            time.sleep(FREEZE_S)
            process.send_signal(signal.SIGCONT)
            began = time.monotonic()
            after = collect(subscriber, AFTER_S)
    usual_s = max(before_s)
    late = [each.at for each in after if isinstance(each.event, Level | Scores) and each.late_s > usual_s]
    calm = next(at for at in [began, *late] if not any(at < other <= at + CALM_S for other in late))
    said = [each.event.message for each in after if isinstance(each.event, Status) and each.event.message]
    return {
        "before_ms": percentiles(np.array(before_s), 1e-3),
        "after_ms": percentiles(np.array(_late(after)), 1e-3),
        "back_after_s": round(calm - began, 3),
        "dropped_s": round(_dropped(after) / RATE_HZ, 3),
        "said": said,
    }


def _late(found: Sequence[Received]) -> list[float]:
    return [each.late_s for each in found if isinstance(each.event, Level | Scores)]


def _dropped(found: Sequence[Received]) -> int:
    """Return the dropped samples of all streams, from the last status of each."""
    statuses = [each.event for each in found if isinstance(each.event, Status)]
    last = {status.stream: status.dropped_samples for status in statuses}
    return sum(last.values())


def main() -> None:
    asking = parser(__doc__ or "")
    asking.add_argument("--seconds", type=float, default=15.0, help="seconds for each case")
    asked = asking.parse_args()
    cases, seconds = (CASES[:1], 1.0) if asked.smoke else (CASES, asked.seconds)
    result: dict[str, Any] = {"machine": machine(["numba", "numpy", "onnxruntime", "pyzmq"]), "cases": {}}
    for case in cases:
        found = result["cases"][case.name] = measure(case, seconds)
        late = ", ".join(
            f"{name} {values['p50']} (p99 {values['p99']})" for name, values in found["late_ms"].items()
        )
        print(
            f"{case.name}: {late} ms; {sum(found['missed'].values())} later than {case.deadline_ms:g} ms; "
            f"{found['dropped_samples']} samples, {found['lost_messages']} messages lost"
        )
    result["peer"] = found = peer(seconds)
    done = found["done_after_ms"]
    print(
        f"a peer that computes for {found['computes_ms']:g} of each {found['turn_ms']:g} ms, all cores busy: done "
        f"after {done['p50']} ms (p99 {done['p99']})"
    )
    result["freeze"] = found = measure_freeze(seconds)
    print(
        f"frozen for {FREEZE_S:g} s: as before after {found['back_after_s']} s, {found['dropped_s']} s dropped"
    )
    write(result, asked.out)


if __name__ == "__main__":
    main()
