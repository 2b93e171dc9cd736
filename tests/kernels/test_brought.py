"""Test the machine code that a wheel brings: when it is taken, and when it is left aside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.kernels import brought
from streamer.kernels.bring import all_kernels
from tests.conftest import DEADLINE_S, ROOT
from tests.kernels.test_kernel import SCALED, run

pytestmark = pytest.mark.skipif(not brought.can_run(), reason=f"this processor is not like {brought.CPU}")

BRING = """
import scaled
from pathlib import Path
from streamer.kernels.bring import bring
bring([scaled.scaled], Path("brought"))
"""
RUN = """
import sys
from pathlib import Path
from llvmlite import binding
from streamer.kernels import brought
features = {name: has and name != sys.argv[1] for name, has in binding.get_host_cpu_features().items()}
binding.get_host_cpu_features = lambda: binding.targets.FeatureMap(features)
brought.brought_folder = lambda: Path("brought")
import scaled
scaled.main()
"""
COMPILED = "[3. 4.] True\n"
LOADED = "[3. 4.] False\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the kernel of `SCALED`, and the machine code that a wheel would bring."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "scaled.py").write_text(SCALED, encoding="utf-8")
    run(folder, folder / "cache", code=BRING)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Copy of that folder which a test may change."""
    return shutil.copytree(made, tmp_path / "copy")


def run_here(folder: Path, missing: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the kernel on a processor that lacks an instruction."""
    return run(folder, folder / "cache", missing, code=RUN, **settings)


def test_it_is_taken_without_a_word_and_nothing_is_compiled_or_kept(folder: Path) -> None:
    done = run_here(folder, "")
    assert (done.stdout, done.stderr) == (LOADED, "")
    assert not (folder / "cache").exists()


@pytest.mark.parametrize("missing", ["avx2", "fma", "bmi2"])
def test_a_processor_that_lacks_instructions_compiles(folder: Path, missing: str) -> None:
    done = run_here(folder, missing)
    assert done.stdout == COMPILED
    assert done.stderr.startswith("compiling for this processor; ")


def test_a_setting_of_the_compiler_compiles(folder: Path) -> None:
    assert run_here(folder, "", NUMBA_OPT="2").stdout == COMPILED


def test_another_source_compiles(folder: Path) -> None:
    (folder / "scaled.py").write_text(SCALED.replace("2 * value", "4 * value"), encoding="utf-8")
    assert run_here(folder, "").stdout == "[6. 8.] True\n"


def damaged(whole: bytes) -> Iterator[bytes]:
    """Yield damaged forms of a file: one changed bit, a missing end, no content, something else."""
    yield whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:]
    yield whole[: len(whole) // 2]
    yield b""
    yield b"\n" * len(whole)


def test_a_damaged_file_is_named_and_never_run(folder: Path) -> None:
    (file,) = (folder / "brought").iterdir()
    whole = file.read_bytes()
    first, *others = damaged(whole)
    file.write_bytes(first)
    done = run_here(folder, "")
    assert done.stdout == COMPILED
    assert done.stderr.startswith(
        f"{Path('brought', file.name)} is damaged, and is left aside\ncompiling for"
    )
    for content in others:  # now the cache has it
        file.write_bytes(content)
        done = run_here(folder, "")
        assert done.stdout == LOADED
        assert done.stderr == f"{Path('brought', file.name)} is damaged, and is left aside\n"


def test_a_damaged_file_of_the_cache_is_compiled_anew_and_replaced(folder: Path) -> None:
    run_here(folder, "avx2")
    (file,) = (folder / "cache" / "streamer" / "kernels").iterdir()
    file.write_bytes(next(damaged(file.read_bytes())))
    again, then = run_here(folder, "avx2"), run_here(folder, "avx2")
    assert (again.stdout, then.stdout) == (COMPILED, LOADED)
    assert f"{file.name} is damaged" in again.stderr
    assert not then.stderr


def test_every_kernel_of_the_package_is_brought() -> None:
    sources = (ROOT / "streamer").rglob("*.py")
    written = sum(
        line.startswith("@kernel(") for file in sources for line in file.read_text("utf-8").splitlines()
    )
    names = [kernel.name for kernel in all_kernels()]
    assert len(names) == len(set(names)) == written
    assert "streamer.heads.hysteresis.decide" in names


def test_a_build_that_cannot_bring_it_makes_the_package_and_says_why(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NUMBA_OPT": "2"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert (
        "brings no machine code, so a first start compiles it: expected a processor like x86" in done.stderr
    )
    assert (tmp_path / "streamer" / "kernels" / "machine_code.py").exists()
    assert not (tmp_path / "streamer" / "kernels" / brought.CPU).exists()
