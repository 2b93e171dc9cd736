"""Read the configuration from TOML, refusing keys that do not exist and values of another type."""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, time
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from streamer.config import Config, StreamConfig
from streamer.config_sections import KEYS
from streamer.errors import ConfigError
from streamer.setting_types import check_type, options_of

T = TypeVar("T")

OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""Byte order marks of encodings that TOML and JSON do not have."""


def read_config(path: Path, sections: Mapping[str, type] = MappingProxyType({})) -> Config:
    """Return the configuration that a TOML file describes.

    Parameters
    ----------
    path : Path
    sections : mapping of str to type
        Sections that the file may have besides the fields of `Config`, each with its dataclass. They become
        `Config.sections`.

    Raises
    ------
    ConfigError
        If the file cannot be read or is no TOML, or a key or value in it cannot be used. The error names the key, and
        the most similar key that exists.
    """
    import tomllib  # here, since most starts read no file

    text = read_text(path)
    try:
        content = tomllib.loads(text)
    # ValueError: bad TOML, numbers that are too long. RecursionError: tables nested too deep.
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error
    try:
        for_all = {key: value for key, value in content.items() if key != "stream"}
        shared = from_mapping(Config, for_all, base=Config(), sections=sections)
        return _with_streams(shared, content["stream"]) if "stream" in content else shared
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def read_text(path: Path) -> str:
    """Return the text of a configuration in UTF-8, without the byte order mark that some editors put before it.

    Raises
    ------
    ConfigError
        If the file cannot be read, or is in another encoding.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; give --config a TOML file") from error
    encoding = next((name for mark, name in OTHER_ENCODINGS if content.startswith(mark)), None)
    if encoding is None and b"\0" in content:
        encoding = "UTF-16, or no text at all"
    if encoding:
        raise ConfigError(f"{path} is in {encoding}; expected UTF-8: choose that where your editor saves it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path} has the byte 0x{content[error.start]:02x} in line {line}, which is no UTF-8; expected UTF-8: "
            "choose that where your editor saves it"
        ) from error


def _with_streams(shared: Config, value: Any) -> Config:
    """Return the configuration with its streams, each based on the settings that hold for all."""
    base = StreamConfig(models=shared.models, decisions=shared.decisions, stems=shared.stems)
    return replace(shared, stream=_value(get_type_hints(Config)["stream"], value, "stream", base))


def from_mapping(
    kind: type[T],
    content: Mapping[str, Any],
    where: str = "",
    base: T | None = None,
    sections: Mapping[str, type] = MappingProxyType({}),
) -> T:
    """Return a configuration dataclass built from nested mappings, after a check of every key and type.

    Parameters
    ----------
    kind : type
        The dataclass to build.
    content : Mapping
        Its fields by name. A field with `streamer.config_sections.KEYS` in its metadata is a mapping whose keys
        stand here beside the other fields.
    where : str
        Key of `content` in the file and a dot, for the error text; tables of a list are numbered from 1 on.
    base : optional
        Values for keys that are absent; None takes the defaults of `kind`.
    sections : mapping of str to type
        Further tables in `content`, each with its dataclass, which become the field ``sections``.

    Raises
    ------
    ConfigError
        If a key does not exist, or a value has another type or is infinite or no number.
    """
    extra = {key: _KeyPlace("sections", settings, in_mapping=True) for key, settings in sections.items()}
    places = _places(kind) | extra
    values: dict[str, Any] = {}
    for key, value in content.items():
        if key not in places:
            near = difflib.get_close_matches(key, places, n=1)
            way_out = f"did you mean {where + near[0]!r}?" if near else f"expected one of {', '.join(places)}"
            raise ConfigError(f"unknown key {where + key!r}; {way_out}")
        place = places[key]
        if place.in_mapping:
            mapping = values.setdefault(place.field, dict(getattr(base, place.field, {})))
            mapping[key] = _value(place.hint, value, where + key, mapping.get(key))
        else:
            values[key] = _value(place.hint, value, where + key, getattr(base, key, None))
    try:
        return kind(**values) if base is None else replace(base, **values)  # type: ignore[type-var]
    except ConfigError as error:
        raise ConfigError(f"[{where.removesuffix('.')}]: {error}" if where else str(error)) from error


class _KeyPlace(NamedTuple):
    """The field that a key of the file sets, the type of its value, and whether it is a key of that field's mapping."""

    field: str
    hint: Any
    in_mapping: bool


def _places(kind: type) -> dict[str, _KeyPlace]:
    """Return the keys of a section in their order, and what each sets."""
    hints = get_type_hints(kind)
    places = {}
    for own in fields(kind):
        for key in own.metadata.get(KEYS, ()):
            places[key] = _KeyPlace(own.name, get_args(hints[own.name])[1], in_mapping=True)
        if KEYS not in own.metadata:
            places[own.name] = _KeyPlace(own.name, hints[own.name], in_mapping=False)
    return places


def _value(hint: Any, value: Any, where: str, base: Any) -> Any:
    """Return a checked value of the type `hint`; `base` has the values that a table, or each of a list, omits."""
    if get_origin(hint) is tuple:
        kind, *others = get_args(hint)
        if not isinstance(value, list):
            what = f"of tables, [[{where}]]" if is_dataclass(kind) else f"as [{_shown(value)}]"
            raise ConfigError(f"{where} is {_shown(value)}; expected a list {what}")
        if Ellipsis not in others and len(value) != 1 + len(others):
            raise ConfigError(f"{where} is {value!r}; expected {1 + len(others)} in the list")
        each_base = None if isinstance(base, tuple) else base
        return tuple(_value(kind, item, f"{where}[{n}]", each_base) for n, item in enumerate(value, 1))
    if get_origin(hint) is Mapping:
        return _table(get_args(hint)[1], value, where, base or {})
    wanted = [option for option in options_of(hint) if option is not NoneType]
    table = next((option for option in wanted if isinstance(option, type) and is_dataclass(option)), None)
    if table:
        if not isinstance(value, Mapping):
            header = re.sub(r"\[\d+\]", "", where)
            raise ConfigError(f"{where} is {_shown(value)}; expected a table, [{header}]")
        return from_mapping(table, value, where + ".", base)
    check_type(wanted, value, f"{where} is {_shown(value)}")
    return float(value) if float in wanted else value


def _table(kind: Any, content: Any, where: str, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping whose keys are anybody's, with values of the type `kind`; those in `base` hold if absent."""
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where} is {_shown(content)}; expected a table, as {where} = {{ name = ... }}")
    return {
        **base,
        **{key: _value(kind, value, f"{where}.{key}", base.get(key)) for key, value in content.items()},
    }


def _shown(value: object) -> str:
    """Return a value as a configuration writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | time) else repr(value)
