"""Options that several commands have, and the configuration that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from streamer.config import BACKENDS, MODEL_KEYS, PREFERENCES, Config, ModelsConfig, PcmConfig
from streamer.config_file import read_config
from streamer.errors import ConfigError


def hearing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --config, --model and --prefer, as `hearing_config` takes them."""
    options = (
        click.option(
            "--config", "config_path", type=click.Path(path_type=Path, readable=False), help="TOML file."
        ),
        click.option(
            "--model",
            "models",
            multiple=True,
            metavar="PLACE=MODEL",
            help=f"What listens as {', '.join(MODEL_KEYS)}: a model's name, its folder, or off; repeatable, as in "
            "--model genre=off.  [default: those that are released]",
        ),
        click.option(
            "--prefer",
            type=click.Choice(PREFERENCES),
            help="Few false alarms (precision), few misses (recall), or neither at the cost of the other.  "
            "[default: balanced]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --backend and --threads, as `engine_config` takes them."""
    backend = click.option(
        "--backend",
        type=click.Choice(BACKENDS),
        help="What runs the models: ONNX Runtime on the CPU or by CUDA, or torch on a GPU.  [default: cpu]",
    )
    threads = click.option("--threads", type=int, help="Of a model on the CPU.  [default: 1]")
    return backend(threads(command))


def engine_config(config: Config, backend: str | None, threads: int | None) -> Config:
    """A configuration with what the command line says of its engine.

    Raises
    ------
    ConfigError
        If it cannot be used.
    """
    given = {"backend": backend, "threads": threads}
    asked: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    return replace(config, engine=replace(config.engine, **asked))


def hearing_config(config_path: Path | None, models: Sequence[str], prefer: str | None) -> Config:
    """The configuration of a file, if there is one, with what the command line says of models.

    Raises
    ------
    ConfigError
        If the file cannot be used, or `models` are not of the form PLACE=MODEL.
    """
    from streamer.sinks.open_sinks import sink_sections

    config = read_config(config_path, sink_sections()) if config_path else Config()
    names = dict(map(_chosen, models))

    def changed(section: ModelsConfig) -> ModelsConfig:
        return replace(section, names={**section.names, **names}, prefer=prefer or section.prefer)

    streams = tuple(
        replace(stream, models=changed(stream.models)) if stream.models else stream
        for stream in config.stream
    )
    return replace(config, models=changed(config.models), stream=streams)


def pcm_config(text: str) -> PcmConfig:
    """The PCM format of ``RATE:CHANNELS:ENCODING``.

    Raises
    ------
    ConfigError
        If it is something else.
    """
    try:
        rate_hz, channels, encoding = text.split(":")
        return PcmConfig(int(rate_hz), int(channels), encoding)
    except ValueError as error:
        raise ConfigError(
            f"--pcm is {text!r}; expected RATE:CHANNELS:ENCODING, such as 48000:2:f32le"
        ) from error


def _chosen(text: str) -> tuple[str, str]:
    place, equals, model = text.partition("=")
    if place not in MODEL_KEYS or not equals:
        raise ConfigError(
            f"--model is {text!r}; expected PLACE=MODEL with {', '.join(MODEL_KEYS)} for PLACE, such as gate=yamnet"
        )
    return place, model
