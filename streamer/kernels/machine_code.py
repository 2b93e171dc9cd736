"""Load the machine code of kernels, which the wheel brought or the user's cache has; else compile it first.

To load it takes LLVM's part of llvmlite alone.
"""

from __future__ import annotations

import ctypes
import json
import logging
import platform
import sysconfig
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import llvmlite.binding
import platformdirs

from streamer.kernels.brought import brought_path, can_run, compiler_settings
from streamer.kernels.kernel import Kernel
from streamer.kernels.layout import symbols
from streamer.kernels.stored import file_name, read, write

logger = logging.getLogger(__name__)

_METH_FASTCALL = 0x80
_loading = Lock()

_new_function = ctypes.PYFUNCTYPE(ctypes.py_object, *[ctypes.c_void_p] * 3)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)


class _Method(ctypes.Structure):
    """``PyMethodDef`` of Python's C interface."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def machine_code_folder() -> Path:
    """Return the folder in which the machine code of kernels is kept."""
    return platformdirs.user_cache_path("streamer") / "kernels"


def load_llvm() -> None:
    """Load what holds machine code in memory, which the first kernel that runs would do otherwise."""
    _engine()


def entry_of(kernel: Kernel) -> Callable[..., None]:
    """Return a kernel as a function of Python; compile it, and say so once, if it is nowhere."""
    with _loading:
        return _loaded(kernel)[0]


@cache
def _loaded(kernel: Kernel) -> tuple[Callable[..., None], _Method]:
    """Return a kernel as a function of Python, and its description, to which Python keeps only the address."""
    engine = _engine()  # first, since numba looks for its symbols
    content = _brought(kernel) or _cached(kernel)
    libraries, code = _split(content)
    for path in libraries:
        llvmlite.binding.load_library_permanently(str(path))
    engine.add_object_file(llvmlite.binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    method = _Method(kernel.name.encode(), engine.get_function_address(kernel.name), _METH_FASTCALL, None)
    entry: Any = _new_function(ctypes.addressof(method), None, None)
    return entry, method


def _brought(kernel: Kernel) -> bytes | None:
    content = read(brought_path(kernel)) if can_run() else None
    # A rocket-fft that somebody built may lack the library of the same version's wheel.
    return content if content and all(path.exists() for path in _split(content)[0]) else None


def _cached(kernel: Kernel) -> bytes:
    path = machine_code_folder() / file_name(kernel, _machine_and_versions())
    content = read(path)
    if content is None:
        _say_that_this_compiles()
        content = compiled(kernel)
        try:
            write(path, content)
        except OSError as error:
            logger.warning("%s cannot be written (%s); each start compiles anew", path.parent, error.strerror)
    return content


@cache
def _say_that_this_compiles() -> None:
    logger.warning("compiling for this processor; this takes some seconds, and later starts do without it")


def compiled(kernel: Kernel) -> bytes:
    """Return a kernel's object file, behind a line that names the libraries that it calls."""
    from streamer.kernels.compile import libraries, machine_code  # here, since it imports numba

    return json.dumps(libraries(kernel)).encode() + b"\n" + machine_code(kernel)


def _split(content: bytes) -> tuple[list[Path], bytes]:
    """Return the libraries that a kernel calls, and its object file."""
    names, _, code = content.partition(b"\n")
    return [_installed(name) for name in json.loads(names)], code


def _installed(name: str) -> Path:
    """Return the path of a file of a package, such as ``package/file``, without an import."""
    package, _, file = name.partition("/")
    spec = find_spec(package)
    assert spec is not None  # it was there when the kernel was compiled for these versions
    assert spec.origin is not None
    return Path(spec.origin).with_name(file)


@cache
def _machine_and_versions() -> tuple[str, ...]:
    """Return all that code compiled here depends on besides its source: processor, settings and libraries."""
    llvm = llvmlite.binding
    return (
        platform.machine(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        sysconfig.get_config_var("EXT_SUFFIX"),
        *compiler_settings(),
        *(version(name) for name in ("llvmlite", "numba", "numpy", "rocket-fft")),
    )


@cache
def _engine() -> Any:
    """Return what holds machine code in memory, and finds what lies outside of it."""
    llvm = llvmlite.binding
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for name, address in symbols().items():
        llvm.add_symbol(name, address)
    machine = llvm.Target.from_default_triple().create_target_machine()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
