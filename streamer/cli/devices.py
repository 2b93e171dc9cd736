"""``streamer devices``: list the inputs and outputs of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from streamer.audio.devices import AudioDevice
    from streamer.audio.pulse import PulseInput


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print each device as a line of JSON.")
def devices(as_json: bool) -> None:
    """List the inputs for --device and the outputs for --output."""
    import json
    from dataclasses import asdict

    # A server that hangs is asked first: it is given up, while PortAudio would wait for it.
    sources = _server_sources()
    from streamer.audio.devices import input_devices, output_devices

    inputs, outputs = input_devices(), output_devices()
    if as_json:
        for device in [*(_as_device(source) for source in sources), *map(asdict, inputs + outputs)]:
            click.echo(json.dumps(device))
        return
    if not inputs and not sources:
        click.echo("no input device; a microphone shows up here once the system knows it", err=True)
    _show_sources(sources)
    _show("inputs, for --device", inputs)
    _show("outputs, for --output", outputs)


def _server_sources() -> Sequence[PulseInput]:
    """Return the sources of the sound server; none if there is no server."""
    from streamer.audio.pulse import NoSoundServerError, pulse_inputs, server_is_expected

    try:
        return pulse_inputs()
    except NoSoundServerError as error:
        if server_is_expected():
            click.echo(str(error), err=True)
        return ()


def _as_device(source: PulseInput) -> dict[str, Any]:
    """Return the fields of a source under the names of PortAudio's devices, with two more."""
    return {
        "direction": "input",
        "index": None,
        "name": str(source),
        "host_api": "PulseAudio",
        "max_channels": source.channels,
        "default_rate_hz": source.rate_hz,
        "is_default": source.is_default,
        "description": source.description,
        "is_monitor": source.is_monitor,
    }


def _show_sources(sources: Sequence[PulseInput]) -> None:
    if sources:
        click.echo("sources of the sound server, for --device")
    for source in sources:
        star = "*" if source.is_default else " "
        kind = ", monitor" if source.is_monitor else ""
        click.echo(
            f"{star} {source}  ({source.description}, {source.channels} ch, {source.rate_hz} Hz{kind})"
        )


def _show(title: str, found: Sequence[AudioDevice]) -> None:
    if found:
        click.echo(title)
    for device in found:
        star = "*" if device.is_default else " "
        click.echo(
            f"{star} {device.index:3d}  {device.name}  ({device.host_api}, {device.max_channels} ch, "
            f"{device.default_rate_hz:.0f} Hz)"
        )
