"""Configurations of training runs: a frozen dataclass for each task, read from TOML and the command line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from streamer.config_file import from_mapping, read_text
from streamer.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def read_config(kind: type[T], path: Path | None, assignments: Sequence[str] = ()) -> T:
    """Return a configuration built from a TOML file and ``key.key=value`` assignments, which take precedence.

    Parameters
    ----------
    kind : type
        A configuration dataclass whose fields all have defaults.
    path : Path or None
        TOML file, or the ``config.json`` of a run; None keeps the defaults.
    assignments : sequence of str
        Assignments such as ``loop.steps=100``, with values in TOML; a value that is not TOML is taken as text.

    Raises
    ------
    ConfigError
        If the file cannot be read or parsed, a key is unknown, a value has another type, or an assignment has no
        ``=``.
    """
    # A table that is given in part keeps the task's own defaults for the rest.
    content = json.loads(json.dumps(asdict(kind())))
    _fill(content, _read(path) if path else {})
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set got {assignment!r}; expected key=value, as in --set steps=100")
        table = content
        *tables, last = key.strip().split(".")
        for name in tables:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise ConfigError(
                    f"--set got {assignment!r}; expected a key within a table, {name} is a value"
                )
        try:
            table[last] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            table[last] = text
    return from_mapping(kind, content)


def flatten(content: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Return nested settings as a flat table, in which the keys are joined, as in ``loop.steps``.

    Parameters
    ----------
    content : mapping
        Settings, and tables of settings, by key.
    where : str
        Beginning of all keys, such as ``loop.``.
    """
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= flatten(value, f"{where}{key}.") if isinstance(value, Mapping) else {where + key: value}
    return flat


def _fill(content: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Replace values by given ones, table by table."""
    for key, value in given.items():
        default = content.get(key)
        if isinstance(default, dict) and isinstance(value, Mapping):
            _fill(default, value)
        else:
            content[key] = value


def _read(path: Path) -> dict[str, Any]:
    parse = json.loads if path.suffix == ".json" else tomllib.loads
    text = read_text(path)
    try:
        content: dict[str, Any] = parse(text)
    except ValueError as error:  # both parsers raise it
        raise ConfigError(f"{path} is not {path.suffix[1:].upper() or 'TOML'}: {error}") from error
    return content
