"""From the arguments of a call, or the options of a command, to a configuration."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from streamer.config import Config, EngineConfig, ModelsConfig
from streamer.config_file import from_mapping, read_config
from streamer.errors import ConfigError
from streamer.sinks.open_sinks import sink_sections

T = TypeVar("T")


def configured(
    config: Config | str | os.PathLike[str] | None,
    models: Mapping[str, str] | None = None,
    prefer: str | None = None,
    backend: str | None = None,
    threads: int | None = None,
) -> Config:
    """Return a configuration, changed by what a caller says of models and engine.

    Parameters
    ----------
    config : Config, path or None
        The configuration itself, a TOML file, or None for the defaults.
    models : mapping of str to str or None
        Models by slot, which hold for every stream, as the keys of ``[models]``.
    prefer, backend : str or None
    threads : int or None
        As the keys of ``[models]`` and ``[engine]``; None leaves them as they are.

    Raises
    ------
    ConfigError
        If the file or one of the values cannot be used.
    """
    base = _base(config)
    if models is not None and not isinstance(models, Mapping):
        raise ConfigError(
            f"models is {models!r}; expected a mapping of slots to models, as {{'genre': 'off'}}"
        )
    chosen = {**(models or {}), **given(prefer=prefer)}
    streams = tuple(
        replace(stream, models=from_mapping(ModelsConfig, chosen, "models.", stream.models))
        if stream.models
        else stream
        for stream in base.stream
    )
    return replace(
        base,
        stream=streams,
        models=from_mapping(ModelsConfig, chosen, "models.", base.models),
        engine=from_mapping(EngineConfig, given(backend=backend, threads=threads), base=base.engine),
    )


def with_stems(config: Config, **stems: object) -> Config:
    """Return a configuration with other values for ``[stems]``, of all streams and of each that has its own.

    Parameters
    ----------
    config : Config
    **stems
        Fields of `StemsConfig`; None leaves one as it is.
    """
    entries = (
        replace(entry, stems=changed(entry.stems, **stems)) if entry.stems else entry
        for entry in config.stream
    )
    return replace(config, stream=tuple(entries), stems=changed(config.stems, **stems))


def changed(section: T, **values: object) -> T:
    """Return a section of a configuration with other values; None leaves one as it is."""
    return replace(section, **given(**values))  # type: ignore[type-var]


def given(**values: object) -> dict[str, Any]:
    """Return the values that are not None."""
    return {key: value for key, value in values.items() if value is not None}


def path_from(name: str, value: object) -> Path:
    """Return a path that a caller gave.

    Raises
    ------
    ConfigError
        If it is neither text nor a path; names the argument.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise ConfigError(f"{name} is {value!r}; expected a path, as text or a pathlib.Path")
    return Path(value)


def positive_int(name: str, value: object, unit: str) -> int:
    """Return a whole number above 0; errors as `positive`."""
    number = positive(name, value, unit)
    if not number.is_integer():
        raise ConfigError(f"{name} is {value!r}; expected a whole number of {unit}")
    return int(number)


def positive(name: str, value: object, unit: str) -> float:
    """Return a number above 0.

    Raises
    ------
    ConfigError
        If it is anything else; names the argument and its unit.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < math.inf:
        raise ConfigError(f"{name} is {value!r}; expected a finite number of {unit} above 0")
    return float(value)


def _base(config: Config | str | os.PathLike[str] | None) -> Config:
    if config is None:
        return Config()
    if isinstance(config, str | os.PathLike):
        return read_config(Path(config), sink_sections())
    if not isinstance(config, Config):
        raise ConfigError(f"config is {config!r}; expected a Config or the path of a TOML file")
    return config
