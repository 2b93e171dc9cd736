"""Tools that all measurements share: timing of single calls, percentiles, and a description of the machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from streamer.arrays import Array
from streamer.dsp.stage import Stage

T = TypeVar("T")


class Stepped:
    """Keeps a stage and its state together, so that a measurement can call one function for each block.

    Parameters
    ----------
    stage : Stage
        Stage to be stepped, from its `init` on.
    batch : int
        Number of streams that step together.
    """

    def __init__(self, stage: Stage, batch: int = 1) -> None:
        self._stage, self._state = stage, stage.init(batch)

    def step(self, x: Array) -> Array:
        """Return the items that the next input items `x`, shape (batch, items, ...), complete."""
        y, self._state = self._stage.step(x, self._state)
        return y


def each(call: Callable[[T], object], items: Sequence[T]) -> Array:
    """Call a function once for each item, and return the seconds that each call took.

    Parameters
    ----------
    call : callable
        Called with one item.
    items : sequence
        Arguments of the calls, in order.

    Returns
    -------
    float64 array, shape (len(items),)
        Seconds of each call, the reading of the clock (some 0.05 us) included.
    """
    clock = time.perf_counter_ns
    marks = np.empty((len(items), 2), np.int64)
    for n, item in enumerate(items):
        before = clock()
        call(item)
        marks[n] = before, clock()
    return (marks[:, 1] - marks[:, 0]) / 1e9


def percentiles(seconds: Array, unit: float = 1e-6) -> dict[str, float]:
    """Return the median, the 95th and 99th percentile and the maximum of times.

    Parameters
    ----------
    seconds : array, shape (any,)
        Times in seconds, at least one.
    unit : float
        Unit of the results in seconds; by default they are in microseconds.

    Returns
    -------
    dict of str to float
        ``p50``, ``p95``, ``p99`` and ``max``.
    """
    values = np.percentile(np.asarray(seconds) / unit, [50, 95, 99, 100])
    return {
        name: round(float(value), 3) for name, value in zip(("p50", "p95", "p99", "max"), values, strict=True)
    }


def machine(packages: Sequence[str] = ()) -> dict[str, Any]:
    """Return, by name, facts about the machine and the software of a measurement.

    Parameters
    ----------
    packages : sequence of str
        Names of installed distributions whose versions are listed.
    """
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in sorted(packages)},
    }


def machine_text(described: Mapping[str, Any]) -> str:
    """Return the result of `machine` as two lines of text."""
    packages = ", ".join(f"{name} {number}" for name, number in described["packages"].items())
    return (
        f"{described['processor']}, {described['cores']} cores, {described['system']}\n"
        f"Python {described['python']}, {packages}"
    )


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
