"""Load the machine code of kernels, which lies in the user's cache; compile it first where it is not there.

To load it takes LLVM's part of llvmlite alone. A file's name has a hash of all that its machine code depends on, so a
file is never changed, and other versions and processors have files of their own.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import logging
import os
import platform
import sysconfig
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import llvmlite.binding
import platformdirs

from streamer.kernels.kernel import Kernel
from streamer.kernels.layout import symbols

logger = logging.getLogger(__name__)

_METH_FASTCALL = 0x80
_COMPILER_SETTINGS = ("NUMBA_", "ROCKET_FFT_")
"""Beginnings of the environment variables that change what is compiled, such as the processor that it is for."""
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
    """Return a kernel as a function of Python; compile it, and say so once, if it is not in the cache."""
    with _loading:
        return _loaded(kernel)[0]


@cache
def _loaded(kernel: Kernel) -> tuple[Callable[..., None], _Method]:
    """Return a kernel as a function of Python, and its description, to which Python keeps only the address."""
    engine, path = _engine(), _path(kernel)  # the engine first, since numba looks for its symbols
    try:
        content = path.read_bytes()
    except OSError:
        _say_that_this_compiles()
        content = _compiled(kernel)
        _keep(path, content)
    libraries, _, code = content.partition(b"\n")
    for name in json.loads(libraries):
        llvmlite.binding.load_library_permanently(str(_installed(name)))
    engine.add_object_file(llvmlite.binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    method = _Method(kernel.name.encode(), engine.get_function_address(kernel.name), _METH_FASTCALL, None)
    entry: Any = _new_function(ctypes.addressof(method), None, None)
    return entry, method


@cache
def _say_that_this_compiles() -> None:
    logger.warning("compiling for this processor; this takes some seconds, and later starts do without it")


def _compiled(kernel: Kernel) -> bytes:
    from streamer.kernels.compile import libraries, machine_code  # here, since it imports numba

    return json.dumps(libraries(kernel)).encode() + b"\n" + machine_code(kernel)


def _keep(path: Path, content: bytes) -> None:
    """Write a file as a whole, so that no other process reads a part of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        Path(file.name).replace(path)
    except OSError as error:
        logger.warning("%s cannot be written (%s); each start compiles anew", path.parent, error.strerror)


def _installed(name: str) -> Path:
    """Return the path of a file of a package, such as ``package/file``, without an import."""
    package, _, file = name.partition("/")
    spec = find_spec(package)
    assert spec is not None  # it was there when the kernel was compiled for these versions
    assert spec.origin is not None
    return Path(spec.origin).with_name(file)


def _path(kernel: Kernel) -> Path:
    source = Path(kernel.function.__code__.co_filename).read_bytes()
    key = hashlib.sha256(source + _machine_and_versions()).hexdigest()[:16]
    return machine_code_folder() / f"{kernel.name}-{key}"


@cache
def _machine_and_versions() -> bytes:
    """Return all that machine code depends on besides the kernel: processor, libraries, and how it is made."""
    llvm = llvmlite.binding
    parts: Iterable[str] = (
        platform.machine(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        sysconfig.get_config_var("EXT_SUFFIX"),
        *(
            f"{name}={value}"
            for name, value in sorted(os.environ.items())
            if name.startswith(_COMPILER_SETTINGS)
        ),
        *(version(name) for name in ("llvmlite", "numba", "numpy", "rocket-fft")),
    )
    own = [file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("*.py"))]
    return "\n".join([*parts, *own]).encode()


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
