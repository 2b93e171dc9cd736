"""Check the keys and types of settings: in a file, and in configuration dataclasses that are made in Python."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from streamer.errors import ConfigError

TYPE_NAMES: Mapping[type, str] = MappingProxyType(
    {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        Path: "a path",
        NoneType: "None",
    }
)
"""Types of values, as errors call them."""


def check_types(section: Any) -> None:
    """Check the fields of a configuration dataclass against their type hints.

    Raises
    ------
    ConfigError
        If a field has another type, or is a number that is infinite or NaN; names the field.
    """
    for name, hint in _hints(section.__class__).items():
        _check(hint, getattr(section, name), name)


def check_keys(where: str, found: Mapping[str, object], expected: tuple[str, ...]) -> None:
    """Check that a mapping of settings has no keys but the expected ones.

    Raises
    ------
    ConfigError
        If it has another key; the text begins with `where`.
    """
    unknown = [key for key in found if key not in expected]
    if unknown:
        raise ConfigError(f"{where} has the key {unknown[0]!r}; expected {', '.join(expected)}")


def check_type(options: list[Any], value: object, found: str) -> None:
    """Check that a value has one of several types.

    Parameters
    ----------
    options : list of type
        A number may be of any library; True and False are no numbers.
    value : object
    found : str
        What was found, for the error text: ``NAME is VALUE``.

    Raises
    ------
    ConfigError
        If it has none of the types, or is a number that is infinite or NaN.
    """
    if not any(_has_type(option, value) for option in options):
        names = " or ".join(TYPE_NAMES.get(option, option.__name__) for option in options)
        raise ConfigError(f"{found}; expected {names}")
    if isinstance(value, Real) and not is_finite(value):
        raise ConfigError(f"{found}; expected a finite number")


def is_finite(number: Any) -> bool:
    """Return whether a real number of any type is finite and no larger than a float can be."""
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond any float
        return False


def options_of(hint: Any) -> list[Any]:
    """Return the types that a hint such as ``float | None`` allows."""
    return list(get_args(hint)) if get_origin(hint) in (Union, UnionType) else [hint]


def _check(hint: Any, value: object, where: str) -> None:
    if get_origin(hint) is tuple:
        kind = get_args(hint)[0]
        if not isinstance(value, tuple):
            raise ConfigError(f"{where} is {value!r}; expected a tuple of {kind.__name__}")
        for number, item in enumerate(value, 1):
            _check(kind, item, f"{where}[{number}]")
    elif get_origin(hint) is Mapping:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} is {value!r}; expected a mapping of names to settings")
        for key, item in value.items():
            _check(get_args(hint)[1], item, f"{where}[{key!r}]")
    else:
        check_type(options_of(hint), value, f"{where} is {value!r}")


def _has_type(option: Any, value: object) -> bool:
    if option in (int, float):
        return isinstance(value, Integral if option is int else Real) and not isinstance(value, bool)
    return isinstance(value, option)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
