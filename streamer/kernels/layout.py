"""Say where a NumPy array keeps its fields, and what the machine code of kernels refers to.

The fields are those of ``PyArrayObject_fields`` in NumPy's C interface, for 64 bits.
"""

from __future__ import annotations

import numpy as np

OBJECT_TYPE = object.__basicsize__ - 8
"""Offset in bytes of the pointer to an object's type, the last field that all objects have."""

_FIRST = object.__basicsize__
DATA, RANK, SHAPE, STRIDES, DESCRIPTION, FLAGS = (_FIRST + 8 * n for n in (0, 1, 2, 3, 5, 6))
"""Offsets in bytes; the object that owns the memory lies between the strides and the description of the type."""

_C_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400

ARRAY_TYPE, TYPE_ERROR, RUNTIME_ERROR, NONE = (
    f"streamer_{name}" for name in ("array_type", "type_error", "runtime_error", "none")
)
"""Symbols whose addresses are those of objects of Python. LLVM does not look for Python's own symbols of errors, since
numba gives these another meaning."""

DTYPES = ("float32", "float64", "complex64", "int64")
"""Types of items that kernels may take."""


def dtype_symbol(dtype: str) -> str:
    """Return the symbol whose address is that of a type of items."""
    return f"streamer_dtype_{dtype}"


def needed_flags(constant: bool) -> int:
    """Return the flags that an array must have whose items a kernel reads, or else changes."""
    return _C_CONTIGUOUS | _ALIGNED | (0 if constant else _WRITEABLE)


def symbols() -> dict[str, int]:
    """Return the addresses of the symbols, which differ from process to process."""
    objects: dict[str, object] = {
        ARRAY_TYPE: np.ndarray,
        TYPE_ERROR: TypeError,
        RUNTIME_ERROR: RuntimeError,
        NONE: None,
    }
    objects |= {dtype_symbol(dtype): np.dtype(dtype) for dtype in DTYPES}
    return {name: id(each) for name, each in objects.items()}
