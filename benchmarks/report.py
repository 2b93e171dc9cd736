"""What the benchmarks share: timing loops, percentiles, the machine's description, JSON.

Peers are compared in one process, in turn, round by round, so that a slow moment of the machine meets all of
them; the figure of each is the median over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from streamer.stage import Array


def parser(description: str) -> argparse.ArgumentParser:
    """Of the command line that all benchmarks have: ``--out`` and ``--smoke``."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--out", type=Path, help="write the result to this JSON file")
    made.add_argument("--smoke", action="store_true", help="a second's work, to see that it still runs")
    return made


def arguments(description: str) -> argparse.Namespace:
    """Read the command line of a benchmark that has no options of its own."""
    return parser(description).parse_args()


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold every thread pool that is loaded (BLAS, OpenMP, torch) to one thread."""
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
    calls: Mapping[str, Callable[[], object]], rounds: int = 7, least_s: float = 0.2
) -> dict[str, list[float]]:
    """Time calls against each other.

    Parameters
    ----------
    calls : mapping of str to callable
        What to time. Each is called once before, which also compiles it.
    rounds : int
        How often each is measured.
    least_s : float
        A measurement repeats its call until it has lasted about this long.

    Returns
    -------
    dict of str to list of float
        Seconds for one call, one value a round.
    """
    repeats = {name: _repeats(call, least_s) for name, call in calls.items()}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            seconds[name].append(_timed(call, repeats[name]) / repeats[name])
    return seconds


def each(call: Callable[[Any], object], items: Sequence[Any]) -> Array:
    """Time every single call.

    Parameters
    ----------
    call : callable
        Takes one item.
    items : sequence
        Its arguments, in order.

    Returns
    -------
    float64 array, shape (len(items),)
        Seconds, the clock's own reading (some 0.05 us) included.
    """
    clock = time.perf_counter_ns
    marks = np.empty((len(items), 2), np.int64)
    for n, item in enumerate(items):
        before = clock()
        call(item)
        marks[n] = before, clock()
    return (marks[:, 1] - marks[:, 0]) / 1e9


def percentiles(seconds: Array, unit: float = 1e-6) -> dict[str, float]:
    """Median, 95th and 99th percentile and the largest, in `unit` seconds."""
    values = np.percentile(np.asarray(seconds) / unit, [50, 95, 99, 100])
    return {
        name: round(float(value), 3) for name, value in zip(("p50", "p95", "p99", "max"), values, strict=True)
    }


def machine(packages: Sequence[str] = ()) -> dict[str, Any]:
    """Describe where and with what a result was measured."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in sorted(packages)},
    }


def write(result: Mapping[str, Any], out: Path | None) -> None:
    """Write a result as JSON to `out`, if one is given."""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _repeats(call: Callable[[], object], least_s: float) -> int:
    call()
    repeats = 1
    while (took_s := _timed(call, repeats)) < least_s / 2:
        repeats = max(2 * repeats, int(repeats * least_s / max(took_s, 1e-6) / 2))
    return max(1, round(repeats * least_s / max(took_s, 1e-9)))


def _timed(call: Callable[[], object], repeats: int) -> float:
    before = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - before


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
