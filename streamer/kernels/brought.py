"""Say which machine code a wheel brings, and whether this machine can run it.

The code depends on the operating system, the architecture, the instructions, the layout of Python's objects and the
functions of rocket-fft. It depends on neither Python's version nor those of numba, llvmlite and NumPy: what it calls
belongs to Python's stable interface, and the fields of arrays that it reads are those of all of NumPy 2.
"""

from __future__ import annotations

import os
import sysconfig
from functools import cache
from importlib.metadata import version
from pathlib import Path

import llvmlite.binding

from streamer.kernels.kernel import Kernel
from streamer.kernels.stored import file_name

CPU = "x86-64-v3"
"""LLVM's name of the processors that the code is for: nearly all for x86-64 since 2015."""

_FEATURES = (
    *("avx", "avx2", "bmi", "bmi2", "cx16", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sahf"),
    *("sse3", "ssse3", "sse4.1", "sse4.2", "xsave"),
)
"""LLVM's names of what such a processor has beyond the first ones of x86-64."""

_COMPILER_SETTINGS = ("NUMBA_", "ROCKET_FFT_")


def brought_folder() -> Path:
    """Return the folder of the wheel's machine code. A source checkout has none."""
    return Path(__file__).with_name(CPU)


def brought_path(kernel: Kernel) -> Path:
    """Return the path that a kernel's machine code has if a wheel brings it, and if it was made for this platform."""
    made_for = (sysconfig.get_platform(), CPU, str(object.__basicsize__), version("rocket-fft"))
    return brought_folder() / file_name(kernel, made_for)


@cache
def can_run() -> bool:
    """Return whether this machine can run the wheel's code, and whether no setting asks for another code."""
    features = llvmlite.binding.get_host_cpu_features()
    return not compiler_settings() and all(features.get(name) for name in _FEATURES)


def compiler_settings() -> list[str]:
    """Return the environment variables that change what is compiled, such as the processor that it is for."""
    return [
        f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(_COMPILER_SETTINGS)
    ]
