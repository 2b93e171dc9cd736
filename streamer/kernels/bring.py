"""Compile all kernels for a wheel, which `setup.py` does: ``python -m streamer.kernels.bring FOLDER``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

import streamer
from streamer.kernels.brought import CPU, brought_path, can_run
from streamer.kernels.kernel import Kernel
from streamer.kernels.machine_code import compiled, load_llvm
from streamer.kernels.stored import write


def main() -> None:
    """Write the machine code of all kernels to the folder that the first argument names."""
    if not can_run():
        sys.exit(
            f"expected a processor like {CPU}, and no settings of numba or rocket-fft in the environment"
        )
    bring(all_kernels(), Path(sys.argv[1]))


def bring(kernels: Iterable[Kernel], folder: Path) -> None:
    """Compile kernels for `CPU` and for nothing that this processor has beyond; numba must not be imported before."""
    os.environ.update(NUMBA_CPU_NAME=CPU, NUMBA_CPU_FEATURES="")
    load_llvm()  # since numba looks for its symbols
    for kernel in kernels:
        path = folder / brought_path(kernel).name
        write(path, compiled(kernel))
        path.chmod(0o644)  # whoever installs the wheel, everyone may read it


def all_kernels() -> Iterator[Kernel]:
    """Yield the kernels of the package; only the modules that have some are imported."""
    root = Path(streamer.__file__).parent
    for file in sorted(root.rglob("*.py")):
        if "\n@kernel(" in file.read_text(encoding="utf-8"):
            module = import_module(".".join(("streamer", *file.relative_to(root).with_suffix("").parts)))
            yield from (each for each in vars(module).values() if _is_of(module.__name__, each))


def _is_of(module: str, each: object) -> bool:
    return isinstance(each, Kernel) and each.function.__module__ == module


if __name__ == "__main__":
    main()
