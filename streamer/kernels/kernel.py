"""Compiled kernels: loops over arrays, written in Python and run as machine code.

numba compiles a kernel once on each machine. Its machine code is kept on disk (`machine_code.py`), and later starts
load that without numba, whose import and whose own cache take longer than all else that a start does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from streamer.kernels.signature import Argument, ArrayArgument, arguments_of

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class Helper:
    """A function that only kernels call; it is compiled as a part of them.

    Parameters
    ----------
    function : callable
        What numba compiles; it lies in the same file as the kernels, whose machine code depends on this file alone.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


class Foreign(NamedTuple):
    """A function of another library that kernels call, and that numba knows once the library is imported.

    Attributes
    ----------
    module, name : str
        Where it is found.
    library : str
        Name of the module's attribute that holds the path of its machine code, as ``module:attribute``.
    """

    module: str
    name: str
    library: str


class Kernel:
    """A function that changes the arrays it is given, as machine code that runs without the GIL.

    Parameters
    ----------
    function : callable
        What numba compiles; it returns nothing and makes no arrays.
    arguments : tuple of Argument
        What it takes.
    fastmath : frozenset of str
        LLVM's names of the liberties that are allowed with the rules of floating-point numbers.
    """

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Argument, ...], fastmath: frozenset[str]
    ) -> None:
        self.function, self.arguments, self.fastmath = function, arguments, fastmath
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._entry: Callable[..., None] = self._load_and_run

    def __call__(self, *values: Any) -> None:
        """Run the kernel.

        Raises
        ------
        TypeError
            If a value is not what the kernel takes.
        """
        try:
            self._entry(*values)
        except TypeError:
            self._run_on_copies(*values)

    def _load_and_run(self, *values: Any) -> None:
        from streamer.kernels.machine_code import entry_of  # here, since it loads LLVM

        self._entry = entry_of(self)
        self._entry(*values)

    def _run_on_copies(self, *values: Any) -> None:
        """Run on copies of arrays whose items do not lie one after the other, and copy back what was changed."""
        self._check(values)
        pairs = list(zip(values, self.arguments, strict=True))
        plain = [np.array(v, order="C") if isinstance(a, ArrayArgument) else v for v, a in pairs]
        self._entry(*plain)
        for (value, argument), copy in zip(pairs, plain, strict=True):
            if isinstance(argument, ArrayArgument) and not argument.constant:
                value[...] = copy

    def _check(self, values: tuple[Any, ...]) -> None:
        if len(values) != len(self.arguments):
            raise TypeError(f"{self.name} got {len(values)} arguments; expected {len(self.arguments)}")
        for n, (value, argument) in enumerate(zip(values, self.arguments, strict=True)):
            if not isinstance(argument, ArrayArgument):
                expected = "an integer" if argument is int else "a number"
                fits = isinstance(value, int | np.integer | (float if argument is float else int))
                given = repr(value)
            else:
                fits, expected, given = _fits(value, argument), str(argument), _described(value)
            if not fits:
                raise TypeError(f"{self.name} got {given} as argument {n + 1}; expected {expected}")


def kernel(signature: str, fastmath: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Kernel]:
    """Return a decorator that makes a function a `Kernel`.

    Parameters
    ----------
    signature : str
        Types of the arguments, such as ``"const float32[:,:], int64[:], int"``; ``const`` is what is only read.
    fastmath : tuple of str
        LLVM's names of the liberties that are allowed with the rules of floating-point numbers.
    """
    arguments = arguments_of(signature)
    return lambda function: Kernel(function, arguments, frozenset(fastmath))


def helper(function: AnyFunction) -> AnyFunction:
    """Let kernels call a function; it is compiled as a part of them, for whatever types they give it."""
    made: Any = Helper(function)
    return made  # type: ignore[no-any-return]


def _fits(value: Any, argument: ArrayArgument) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.dtype == argument.dtype
        and value.ndim == argument.dimensions
        and (argument.constant or value.flags.writeable)
    )


def _described(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    writable = "writable" if value.flags.writeable else "read-only"
    return f"a {writable} {value.dtype} array of {value.ndim} dimensions"
