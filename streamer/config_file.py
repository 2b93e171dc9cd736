"""Configuration from TOML: a key that does not exist, or a value of another type, is an error."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from streamer.config import OWN_KEYS, Config, StreamConfig
from streamer.errors import ConfigError

T = TypeVar("T")


def read_config(path: Path) -> Config:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        If the file cannot be read or is no TOML, or a key or value in it cannot be used; the text names the key
        and the nearest that exists.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; give --config a TOML file") from error
    # Besides what is no text or no TOML: numbers that are too long, tables that nest too deep.
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error
    try:
        of_all = from_mapping(Config, {k: v for k, v in content.items() if k != "stream"}, base=Config())
        return _with_streams(of_all, content["stream"]) if "stream" in content else of_all
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _with_streams(of_all: Config, value: Any) -> Config:
    """The configuration with its streams; what one has of its own stands on what holds for all."""
    base = StreamConfig(**{key: getattr(of_all, key) for key in OWN_KEYS})
    return replace(of_all, stream=_value(get_type_hints(Config)["stream"], value, "stream", base))


def from_mapping(kind: type[T], content: Mapping[str, Any], where: str = "", base: T | None = None) -> T:
    """Build a configuration dataclass from nested mappings, checking every key and type.

    Parameters
    ----------
    kind : type
        A configuration dataclass.
    content : Mapping
        Its fields by name.
    where : str
        Key of `content` in the file and a dot, for the error text; tables of a list are numbered from 1 on.
    base : optional
        What holds where a key is absent; None takes the defaults of `kind`.

    Raises
    ------
    ConfigError
        If a key does not exist, or a value has another type or is infinite or no number.
    """
    hints = get_type_hints(kind)
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    values = {}
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            way_out = f"did you mean {where + near[0]!r}?" if near else f"expected one of {', '.join(known)}"
            raise ConfigError(f"unknown key {where + key!r}; {way_out}")
        values[key] = _value(hints[key], value, where + key, getattr(base, key, None))
    try:
        return kind(**values) if base is None else replace(base, **values)  # type: ignore[type-var]
    except ConfigError as error:
        raise ConfigError(f"[{where.removesuffix('.')}]: {error}" if where else str(error)) from error


def _value(hint: Any, value: Any, where: str, base: Any) -> Any:
    """A value of the type that is hinted at; `base` is what a table stands on, or each table of a list."""
    if get_origin(hint) is tuple:
        kind, *others = get_args(hint)
        if not isinstance(value, list):
            of_what = f"of tables, [[{where}]]" if is_dataclass(kind) else f"as [{value!r}]"
            raise ConfigError(f"{where} is {value!r}; expected a list {of_what}")
        if Ellipsis not in others and len(value) != 1 + len(others):
            raise ConfigError(f"{where} is {value!r}; expected {1 + len(others)} in the list")
        of_each = None if isinstance(base, tuple) else base
        return tuple(_value(kind, item, f"{where}[{n}]", of_each) for n, item in enumerate(value, 1))
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    wanted = [option for option in options if option is not NoneType]
    table = next((option for option in wanted if isinstance(option, type) and is_dataclass(option)), None)
    if table:
        if not isinstance(value, Mapping):
            header = re.sub(r"\[\d+\]", "", where)
            raise ConfigError(f"{where} is {value!r}; expected a table, [{header}]")
        return from_mapping(table, value, where + ".", base)
    if float in wanted and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, tuple(wanted)) or (isinstance(value, bool) and bool not in wanted):
        names = " or ".join(option.__name__ for option in wanted)
        raise ConfigError(f"{where} is {value!r}; expected {names}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where} is {value!r}; expected a finite number")
    return value
