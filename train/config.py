"""What a training run is made of: a frozen dataclass a task, read from TOML and the command line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from streamer.config import from_mapping
from streamer.errors import ConfigError

T = TypeVar("T")


def read_config(kind: type[T], path: Path | None, assignments: Sequence[str] = ()) -> T:
    """Build a configuration from a TOML file and ``key.key=value`` assignments, which win.

    Parameters
    ----------
    kind : type
        A configuration dataclass.
    path : Path or None
        TOML, or the ``config.json`` of a run; none keeps the defaults.
    assignments : sequence of str
        Values are TOML; what is no TOML is text.

    Raises
    ------
    ConfigError
        If a key is unknown, a value has another type, or an assignment has no ``=``.
    """
    parse = json.loads if path and path.suffix == ".json" else tomllib.loads
    content: dict[str, Any] = parse(path.read_text(encoding="utf-8")) if path else {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set got {assignment!r}; expected key=value, as in --set steps=100")
        table = content
        *tables, last = key.strip().split(".")
        for name in tables:
            table = table.setdefault(name, {})
        try:
            table[last] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            table[last] = text
    return from_mapping(kind, content)
