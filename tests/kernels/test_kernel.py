"""Test compiled kernels: what they compute, what they take and refuse, and where their machine code is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from streamer.arrays import Array
from streamer.kernels import compile as compiling
from streamer.kernels import machine_code
from streamer.kernels.kernel import helper, kernel
from tests.conftest import DEADLINE_S

SCALED = """
import sys
import numpy as np
from streamer.kernels.kernel import helper, kernel

@helper
def twice(value):
    return 2 * value

@kernel("const float32[:,:], int, float, float32[:]")
def scaled(x, row, factor, y):
    for i in range(y.shape[0]):
        y[i] = twice(x[row, i]) * factor

def main():
    y = np.zeros(2, np.float32)
    scaled(np.float32([[1, 2], [3, 4]]), 1, 0.5, y)
    print(y, "numba" in sys.modules)
"""


@helper
def twice(value: Any) -> Any:
    return 2 * value


@kernel("const float32[:,:], int, float, float32[:]")
def scaled(x: Any, row: int, factor: float, y: Any) -> None:
    for i in range(y.shape[0]):
        y[i] = twice(x[row, i]) * factor


X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_a_kernel_fills_an_array() -> None:
    y = np.zeros(3, np.float32)
    scaled(X, 1, 1.5, y)
    np.testing.assert_array_equal(y, [9, 12, 15])


def test_arrays_in_another_order_are_read_and_filled() -> None:
    room = np.zeros((3, 2), np.float32)
    scaled(np.asfortranarray(X), 1, 1.5, room[:, 1])
    np.testing.assert_array_equal(room, [[0, 9], [0, 12], [0, 15]])


def test_what_is_only_read_need_not_be_writable() -> None:
    x, y = X.copy(), np.zeros(3, np.float32)
    x.flags.writeable = False
    scaled(x, np.int64(0), 1, y)
    np.testing.assert_array_equal(y, [0, 2, 4])


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda a: (a[0].astype(float), *a[1:]),
            "a writable float64 array of 2 dimensions as argument 1; expected",
        ),
        (lambda a: (a[0][0], *a[1:]), "expected a float32 array of 2 dimensions"),
        (lambda a: (a[0].astype(">f4"), *a[1:]), "got a writable >f4 array of 2 dimensions as argument 1"),
        (lambda a: (a[0].tolist(), *a[1:]), r"got \[\[0.0, 1.0, 2.0\], \[3.0, 4.0, 5.0\]\] as argument 1"),
        (lambda a: (a[0], 0.5, *a[2:]), "got 0.5 as argument 2; expected an integer"),
        (lambda a: (*a[:2], "2", a[3]), "got '2' as argument 3; expected a number"),
        (
            lambda a: (*a[:3], read_only(a[3])),
            "a read-only float32 array of 1 dimensions as argument 4; expected a wri",
        ),
        (lambda a: a[:3], "got 3 arguments; expected 4"),
    ],
)
def test_what_does_not_fit_is_refused(change: Callable[..., tuple[Any, ...]], said: str) -> None:
    given = X.copy(), 1, 1.5, np.zeros(3, np.float32)
    with pytest.raises(TypeError, match=said):
        scaled(*change(given))


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"kernel argument is 'float16\[:\]'; expected int, float, or an array such"
    ):
        kernel("float16[:]")


def run(
    folder: Path, cache: Path, *arguments: str, code: str = "import scaled; scaled.main()", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the kernel of `SCALED` in a process of its own, with a cache of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": os.pathsep.join(sys.path), **settings},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def test_it_is_compiled_once_which_is_said_and_loaded_without_numba_after_that(tmp_path: Path) -> None:
    (tmp_path / "scaled.py").write_text(SCALED, encoding="utf-8")
    first, second = run(tmp_path, tmp_path / "cache"), run(tmp_path, tmp_path / "cache")
    assert first.stdout == "[3. 4.] True\n"
    assert first.stderr.startswith(
        "compiling for this processor; this takes some seconds, and later starts do"
    )
    assert (second.stdout, second.stderr) == ("[3. 4.] False\n", "")
    assert run(tmp_path, tmp_path / "cache", NUMBA_OPT="2").stdout == "[3. 4.] True\n"
    altered = SCALED.replace("2 * value", "4 * value")
    (tmp_path / "scaled.py").write_text(altered, encoding="utf-8")
    assert run(tmp_path, tmp_path / "cache").stdout == "[6. 8.] True\n"


def test_where_nothing_can_be_kept_it_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "scaled.py").write_text(SCALED, encoding="utf-8")
    (tmp_path / "cache").write_bytes(b"")
    done = run(tmp_path, tmp_path / "cache")
    assert done.stdout == "[3. 4.] True\n"
    assert (
        f"{tmp_path / 'cache' / 'streamer' / 'kernels'} cannot be written (Not a directory); each"
        in done.stderr
    )


def test_a_helper_of_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "scaled.py").write_text(
        SCALED.replace("@helper\ndef", "def").replace("2 *", "3 *"), encoding="utf-8"
    )
    names: dict[str, Any] = {}
    code = compile("def other(value):\n    return value\n", str(tmp_path / "other.py"), "exec")
    exec(code, names)  # noqa: S102 - a function of another file

    def calls_other(x: Any) -> None:
        x[0] = other(x[0])  # type: ignore[name-defined]  # noqa: F821

    monkeypatch.setattr(machine_code, "machine_code_folder", lambda: tmp_path)
    monkeypatch.setitem(calls_other.__globals__, "other", helper(names["other"]))
    with pytest.raises(
        ValueError, match=r"helper other lies in .*other.py; expected .*test_kernel.py, the file of"
    ):
        kernel("float32[:]")(calls_other)(np.zeros(1, np.float32))


@kernel("float32[:]")
def views(x: Array) -> None:
    x.view(np.complex64)[0] = 1.0


def test_machine_code_that_calls_numbas_runtime_is_refused() -> None:
    """numba compiles what NumPy's functions do once in a process, for whichever function calls it first."""
    njit(lambda n: np.zeros(n, np.float32).view(np.complex64))(4)
    with pytest.raises(
        RuntimeError, match=r"the machine code of .*\.views calls numba's runtime; expected none"
    ):
        compiling.machine_code(views)
