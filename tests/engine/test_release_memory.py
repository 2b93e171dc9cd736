"""Test that memory which only the start needed is released, and that the program still works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streamer.engine import release_memory
from tests.conftest import DEADLINE_S

PROGRAM = """
from pathlib import Path
import numpy as np
from streamer.dsp.log_mel import LogMel
from streamer.engine.release_memory import release, unchanged_mappings
from streamer.dsp.stage import offline

def of_the_compiler(mappings):
    return [mapping for mapping in mappings if "libllvmlite" in mapping.path]

def resident_kb(mappings):
    starts, found, counts = {f"{mapping.start:x}-" for mapping in mappings}, 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            counts = line.partition("-")[0] + "-" in starts
        elif line.startswith("Rss:") and counts:
            found += int(line.split()[1])
    return found

x = np.random.default_rng(0).normal(0, 0.1, (1, 16_000)).astype(np.float32)
before = offline(LogMel(), x)
assert release(frozenset()) == 0  # what was not seen before is left alone
libraries = unchanged_mappings()
compiler = of_the_compiler(libraries)
held_kb = resident_kb(compiler)
assert held_kb > 0  # it has been used
released = release(libraries)
assert released >= sum(mapping.stop - mapping.start for mapping in compiler)
left_kb = resident_kb(compiler)
assert left_kb == 0, f"{left_kb} of {held_kb} KB of the compiler are still in memory"
assert np.array_equal(offline(LogMel(), x), before)

from numba import njit
assert njit(lambda n: n + 1)(1) == 2  # the compiler still works
assert resident_kb(compiler) > 0  # it came back by itself
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what is mapped where")
def test_libraries_are_let_go_and_come_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert done.returncode == 0, done.stderr


def told(*mappings: str) -> str:
    return "".join(f"7f00{n}000-7f00{n}800 {mapping}\n" for n, mapping in enumerate(mappings))


def test_only_libraries_that_nothing_was_changed_in_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest, none = "p 00000000 08:01 123 ", "Rss: 4 kB\nAnonymous: 0 kB\nSwap: 0 kB"
    smaps = tmp_path / "smaps"
    smaps.write_bytes(
        told(
            f"r--{rest}/usr/lib/liba.so.1\n{none}",
            f"r-x{rest}/usr/lib/a.cpython-311.so\n{none}",
            f"rw-{rest}/usr/lib/written.so\n{none}",
            f"r--{rest}/usr/lib/relocated.so\nRss: 4 kB\nAnonymous: 4 kB\nSwap: 0 kB",
            f"r--{rest}/usr/lib/swapped.so\nRss: 0 kB\nAnonymous: 0 kB\nSwap: 8 kB",
            f"r--{rest}/usr/lib/old_kernel.so\nRss: 0 kB\nAnonymous: 0 kB",
            f"r--{rest}/home/my.songs/a.npy\n{none}",
            f"r--{rest[:-1]}\n{none}",
        ).encode()
        + b"7f009000-7f009800 r--p 00000000 08:01 123 /usr/l\xe9/libb.so\n"
        + none.encode()
    )
    monkeypatch.setattr(release_memory, "SMAPS", smaps)
    names = {Path(mapping.path).name for mapping in release_memory.unchanged_mappings()}
    assert names == {"liba.so.1", "a.cpython-311.so", "libb.so"}


def test_where_nothing_is_told_nothing_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_memory, "SMAPS", tmp_path / "absent")
    assert release_memory.unchanged_mappings() == frozenset()
    assert release_memory.release(release_memory.unchanged_mappings()) == 0
