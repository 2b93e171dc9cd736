"""Memory that is only needed to start is let go, and nothing is harmed."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
import numpy as np
from streamer.frontend import FrontEnd
from streamer.memory import release, unwritten
from streamer.stage import offline

def resident_kb():
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1])

x = np.random.default_rng(0).normal(0, 0.1, (1, 16_000)).astype(np.float32)
before = offline(FrontEnd(), x)
held_kb = resident_kb()
assert release(frozenset()) == 0  # what was not seen before is left alone
libraries = unwritten()
assert any("libllvmlite" in mapping.path for mapping in libraries)
released = release(libraries)
freed_kb = held_kb - resident_kb()
assert np.array_equal(offline(FrontEnd(), x), before)

from numba import njit
assert njit(lambda n: n + 1)(1) == 2  # the compiler still works
print(released, freed_kb)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what is mapped where")
def test_libraries_are_let_go_and_come_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    released, freed_kb = map(int, done.stdout.split())
    assert released > 60_000_000
    assert freed_kb > 40_000
