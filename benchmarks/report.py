"""Share timing loops, the command line and JSON output between the benchmarks, with those of `streamer bench`.

Peers are compared in one process, in turn, round by round, so that a slow moment of the machine meets all of
them. The figure of each is the median over the rounds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from threadpoolctl import threadpool_limits

from streamer.bench.measure import each, machine, percentiles

__all__ = [
    "arguments",
    "busy_processes",
    "each",
    "in_turn",
    "machine",
    "one_thread",
    "other_core_busy",
    "parser",
    "percentiles",
    "write",
]

BURN = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
"""Program that keeps a core busy until the process that started it has ended."""


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options of all benchmarks: ``--out`` and ``--smoke``."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--out", type=Path, help="write the result to this JSON file")
    made.add_argument("--smoke", action="store_true", help="do a second's work, to see that it still runs")
    return made


def arguments(description: str) -> argparse.Namespace:
    """Read the command line of a benchmark that has no options of its own."""
    return parser(description).parse_args()


@contextmanager
def busy_processes(count: int) -> Iterator[list[int]]:
    """Run `count` processes that burn processor time inside a `with` block; yield their process ids."""
    running = [subprocess.Popen([sys.executable, "-S", "-c", BURN]) for _ in range(count)]
    try:
        yield [process.pid for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()


@contextmanager
def other_core_busy() -> Iterator[None]:
    """Keep this process on the first core inside a `with` block, while another one keeps the last core busy."""
    own = psutil.Process()
    with busy_processes(1) as [other]:
        if not hasattr(own, "cpu_affinity"):  # macOS cannot pin a process to a core
            yield
            return
        before = own.cpu_affinity()
        psutil.Process(other).cpu_affinity(before[-1:])
        own.cpu_affinity(before[:1])
        try:
            yield
        finally:
            own.cpu_affinity(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit all loaded thread pools (BLAS, OpenMP, torch) to one thread inside a `with` block."""
    with threadpool_limits(limits=1):
        if "torch" not in sys.modules:
            yield
            return
        torch = sys.modules["torch"]
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def in_turn(
    calls: Mapping[str, Callable[[], object]],
    rounds: int = 7,
    least_s: float = 0.2,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time calls against each other.

    Parameters
    ----------
    calls : mapping of str to callable
        Functions to time. Each is called once before, which also compiles it.
    rounds : int
        Number of measurements of each.
    least_s : float
        Length of a measurement, which repeats its call for about this long.
    clock : callable
        Returns seconds: wall-clock time, or processor time by `time.process_time`.

    Returns
    -------
    dict of str to list of float
        Seconds for one call, one value for each round.
    """
    repeats = {name: _repeats(call, least_s, clock) for name, call in calls.items()}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            seconds[name].append(_timed(call, repeats[name], clock) / repeats[name])
    return seconds


def write(result: Mapping[str, Any], out: Path | None) -> None:
    """Write a result as JSON to `out`, if one is given."""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _repeats(call: Callable[[], object], least_s: float, clock: Callable[[], float]) -> int:
    call()
    repeats = 1
    while (took_s := _timed(call, repeats, clock)) < least_s / 2:
        repeats = max(2 * repeats, int(repeats * least_s / max(took_s, 1e-6) / 2))
    return max(1, round(repeats * least_s / max(took_s, 1e-9)))


def _timed(call: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    before = clock()
    for _ in range(repeats):
        call()
    return clock() - before
