"""From the arguments of a call, or the options of a command, to a configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from streamer.config import Config
from streamer.config_file import from_mapping, read_config
from streamer.config_sections import EngineConfig, ModelsConfig
from streamer.errors import ConfigError
from streamer.history.settings import SECTION, HistoryConfig
from streamer.setting_types import is_finite
from streamer.sinks.open_sinks import sink_sections
from streamer.start_time import check_start_time

T = TypeVar("T")


def configured(
    config: Config | str | os.PathLike[str] | None,
    models: Mapping[str, str | Path] | None = None,
    prefer: str | None = None,
    backend: str | None = None,
    threads: int | None = None,
) -> Config:
    """Return a configuration in which the caller's models, operating point, backend and threads replace its own.

    Parameters
    ----------
    config : Config, path or None
        The configuration itself, a TOML file, or None for the defaults.
    models : mapping of str to str or Path, or None
        Name or folder of a model, or ``off``, by head slot; it holds for every stream.
    prefer, backend : str or None
    threads : int or None
        Values for the keys of these names in ``[models]`` and ``[engine]``; None keeps the configuration's value.

    Raises
    ------
    ConfigError
        If the file or one of the values cannot be used.
    """
    base = _base(config)
    chosen = {**_models_by_slot(models), **given(prefer=prefer)}
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


def with_streams(config: Config, **values: object) -> Config:
    """Return a copy of a configuration with other values in each of its streams.

    Parameters
    ----------
    config : Config
    **values
        New values of fields of `StreamConfig`; a field given as None keeps its value.
    """
    return replace(config, stream=tuple(changed(entry, **values) for entry in config.stream))


def with_stems(config: Config, **stems: object) -> Config:
    """Return a copy of a configuration with other values in ``[stems]``: in the common section and each stream's own.

    Parameters
    ----------
    config : Config
    **stems
        New values of fields of `StemsConfig`; a field given as None keeps its value.
    """
    entries = (
        replace(entry, stems=changed(entry.stems, **stems)) if entry.stems else entry
        for entry in config.stream
    )
    return replace(config, stream=tuple(entries), stems=changed(config.stems, **stems))


def with_history(config: Config, file: str | None) -> Config:
    """Return a copy of a configuration whose history is kept in a file; None leaves it as it is.

    Raises
    ------
    ConfigError
        If the name of the file is empty.
    """
    if file is None:
        return config
    if not file:
        raise ConfigError("--store is empty; expected a file for the database, such as house.db")
    kept = replace(config.section(SECTION, HistoryConfig), file=file)
    return replace(config, sections={**config.sections, SECTION: kept})


def changed(section: T, **values: object) -> T:
    """Return a copy of a section with new values of some fields; a field given as None keeps its value."""
    return replace(section, **given(**values))  # type: ignore[type-var]


def given(**values: object) -> dict[str, Any]:
    """Return, by name, the arguments that are not None."""
    return {key: value for key, value in values.items() if value is not None}


def path_from(name: str, value: object) -> Path:
    """Return `value`, which a caller gave as the argument `name`, as a Path.

    Raises
    ------
    ConfigError
        If `value` is neither text nor a path; the error names the argument.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise ConfigError(f"{name} is {value!r}; expected a path, as text or a pathlib.Path")
    return Path(value)


def channel_number(value: object) -> int:
    """Return the number of a channel.

    Raises
    ------
    ConfigError
        If it is no whole number from 1 on.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"channel is {value!r}; expected the number of a channel, from 1 on")
    return value


def start_time_setting(value: object) -> str:
    """Return the setting `StreamConfig.start_time` for the argument ``start_time`` of a call.

    Parameters
    ----------
    value : datetime, str or None
        One without a time zone is in local time. None leaves the setting empty.

    Raises
    ------
    ConfigError
        If it is anything else, or a text that is no time.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise ConfigError(
            f"start_time is {value!r}; expected a datetime, or a text such as '2026-01-31T23:59:59Z'"
        )
    check_start_time(value)
    return value


def flag(name: str, value: object) -> bool:
    """Return True or False as a caller gave it.

    Raises
    ------
    ConfigError
        If it is anything else, such as a text; names the argument.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; expected True or False")
    return value


def positive_int(name: str, value: object, unit: str) -> int:
    """Return `value` as an int if it is a whole number above 0; otherwise raise an error as `positive` does."""
    number = positive(name, value, unit)
    if not number.is_integer():
        raise ConfigError(f"{name} is {value!r}; expected a whole number of {unit}")
    return int(number)


def positive(name: str, value: object, unit: str) -> float:
    """Return `value`, which a caller gave as the argument `name`, as a float if it is a number above 0.

    Raises
    ------
    ConfigError
        If `value` is anything else; the error names the argument and its unit.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not is_finite(value) or float(value) <= 0:
        raise ConfigError(f"{name} is {value!r}; expected a finite number of {unit} above 0")
    return float(value)


def _models_by_slot(models: object) -> dict[str, Any]:
    """Return the models of a call as a file would name them."""
    if models is None:
        return {}
    if not isinstance(models, Mapping) or not all(isinstance(slot, str) for slot in models):
        raise ConfigError(
            f"models is {models!r}; expected a mapping of slots to models, as {{'genre': 'off'}}"
        )
    return {slot: str(model) if isinstance(model, Path) else model for slot, model in models.items()}


def _base(config: Config | str | os.PathLike[str] | None) -> Config:
    if config is None:
        return Config()
    if isinstance(config, str | os.PathLike):
        return read_config(Path(config), sink_sections())
    if not isinstance(config, Config):
        raise ConfigError(f"config is {config!r}; expected a Config or the path of a TOML file")
    return config
