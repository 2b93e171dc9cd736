"""Read what a compiled kernel takes, as it is written beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

_ARRAY = re.compile(r"(const )?(float32|float64|complex64|int64)\[(:(?:,:)*)\]$")


@dataclass(frozen=True)
class ArrayArgument:
    """An array that a kernel takes.

    Attributes
    ----------
    dtype : str
        Name of NumPy's type of its items.
    dimensions : int
        Number of axes. The items lie one after the other, the last axis innermost (C order).
    constant : bool
        Whether the kernel only reads it, so that it need not be writable.
    """

    dtype: str
    dimensions: int
    constant: bool

    def __str__(self) -> str:
        return f"a {'' if self.constant else 'writable '}{self.dtype} array of {self.dimensions} dimensions"


Argument: TypeAlias = ArrayArgument | type[int] | type[float]
"""What a kernel takes: an array, an integer (64 bits) or a number (double precision)."""


def arguments_of(signature: str) -> tuple[Argument, ...]:
    """Return the arguments of a signature, such as ``"const float32[:,:], int64[:], int"``.

    Raises
    ------
    ValueError
        If the signature has another form.
    """
    return tuple(_argument(part) for part in re.split(r",\s+", signature))


def _argument(text: str) -> Argument:
    if text in ("int", "float"):
        return int if text == "int" else float
    if not (found := _ARRAY.match(text)):
        raise ValueError(
            f"kernel argument is {text!r}; expected int, float, or an array such as float32[:,:] or const int64[:]"
        )
    constant, dtype, axes = found.groups()
    return ArrayArgument(dtype, axes.count(":"), constant is not None)
