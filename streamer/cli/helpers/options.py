"""Options that several commands share, and the configuration that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from streamer.config import CLOCKS, Config
from streamer.config_sections import MODEL_KEYS, PREFERENCES, PcmConfig
from streamer.errors import ConfigError
from streamer.inference_backends import BACKENDS


class _SoundFile(click.Path):
    """Type of arguments that are the paths of sound files."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        """Return the path.

        Raises
        ------
        ConfigError
            If it is empty, a URL, or begins with ``file:`` as a device does.
        """
        if not value:
            raise ConfigError("the name of a file is empty; expected the path of a sound file")
        if isinstance(value, str) and "://" in value:
            from streamer.sources.url_address import without_secrets

            url = without_secrets(value)
            raise ConfigError(
                f"{url} is a URL; expected a file: hear a URL with `streamer listen --device URL`"
            )
        path = Path(value)
        if str(value).startswith("file:") and not path.exists():
            raise ConfigError(
                f"{value} is written as a device; expected a path: {str(value).removeprefix('file:')}"
            )
        return path


SOUND_FILE = _SoundFile()
"""Type of an argument that is the path of a sound file."""


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with --config, --model and --prefer; the command passes their values to `option_config`."""
    options = (
        click.option(
            "--config",
            "config_path",
            type=click.Path(path_type=Path, readable=False),
            help="TOML file with settings.",
        ),
        click.option(
            "--model",
            "models",
            multiple=True,
            metavar="SLOT=MODEL",
            help=f"Model for a slot ({', '.join(MODEL_KEYS)}): its name, its folder, or off; repeatable, as in "
            "--model genre=off.  [default: the released models]",
        ),
        click.option(
            "--prefer",
            type=click.Choice(PREFERENCES),
            help="Prefer few false alarms (precision), few misses (recall), or neither at the cost of the other.  "
            "[default: balanced]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with --backend and --threads; the command passes their values to `option_config`."""
    backend = click.option(
        "--backend",
        type=click.Choice(BACKENDS),
        help="Library that runs the models: ONNX Runtime on the CPU or with CUDA, or torch on a GPU.  [default: cpu]",
    )
    threads = click.option("--threads", type=int, help="Threads of each model on the CPU.  [default: 1]")
    return backend(threads(command))


def channel_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with --channel, which gives it the number of one channel, from 1, or None."""
    option = click.option(
        "--channel",
        type=click.IntRange(1),
        metavar="N",
        help="Hear the Nth channel alone, such as one microphone of an array.  [default: all]",
    )
    return option(command)


def start_time_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with --start-time, which gives it the text of a time, or None."""
    option = click.option(
        "--start-time",
        metavar="TIME",
        help="Time at which the file began, such as 2026-01-31T23:59:59Z; messages have times then. Or `tag` or "
        "`name`, which must say it (20260131_235959.wav), `auto` for either, or `off`.  [default: auto if it is read "
        "as fast as possible]",
    )
    return option(command)


def clock_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with --clock, which gives it the name of a clock, or None."""
    option = click.option(
        "--clock",
        type=click.Choice(CLOCKS),
        help="What gives the times of a live URL: the sender's clock where it tells one (RTSP, HLS), or this machine's "
        "at the arrival.  [default: sender]",
    )
    return option(command)


def track_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --track to a command: the number or the language of a sound track, or None."""
    option = click.option(
        "--track",
        metavar="TRACK",
        help="Sound track of a file or URL that has several: its number or its language, such as deu.  [default: 1]",
    )
    return option(command)


def option_config(
    config_path: Path | None,
    models: Sequence[str],
    prefer: str | None,
    backend: str | None,
    threads: int | None,
) -> Config:
    """Return the configuration of a file, or the default one, changed by the options of a command.

    Parameters
    ----------
    config_path : Path or None
    models : sequence of str
        Texts ``SLOT=MODEL``, one for each option --model.
    prefer, backend : str or None
    threads : int or None
        Values of the other options; None keeps the file's value.

    Raises
    ------
    ConfigError
        If the file or an option cannot be used.
    """
    from streamer.api.configure import configured  # loads compiled kernels, which --help does without

    return configured(config_path, dict(map(_slot_and_model, models)), prefer, backend, threads)


def pcm_config(text: str) -> PcmConfig:
    """Return the PCM format of ``RATE:CHANNELS:ENCODING``.

    Raises
    ------
    ConfigError
        If `text` has another form, or a part of it cannot be used.
    """
    try:
        rate_hz, channels, encoding = text.split(":")
        return PcmConfig(int(rate_hz), int(channels), encoding)
    except ValueError as error:
        raise ConfigError(
            f"--pcm is {text!r}; expected RATE:CHANNELS:ENCODING, such as 48000:2:f32le"
        ) from error


def _slot_and_model(text: str) -> tuple[str, str]:
    """Split SLOT=MODEL."""
    place, equals, model = text.partition("=")
    if place not in MODEL_KEYS or not equals:
        raise ConfigError(
            f"--model is {text!r}; expected SLOT=MODEL with {', '.join(MODEL_KEYS)} for SLOT, such as gate=yamnet"
        )
    return place, model
