"""``streamer devices``: list the inputs and outputs of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streamer.audio.devices import AudioDevice


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print each device as a line of JSON.")
def devices(as_json: bool) -> None:
    """List the inputs for --device and the outputs for --output."""
    import json
    from dataclasses import asdict

    from streamer.api.devices import input_devices, output_devices

    inputs, outputs = input_devices(), output_devices()
    if as_json:
        for device in (*inputs, *outputs):
            click.echo(json.dumps(asdict(device)))
        return
    if not inputs:
        click.echo("no input device; a microphone shows up here once the system knows it", err=True)
    _show("sources of the sound server, for --device", [device for device in inputs if device.index is None])
    _show("inputs, for --device", [device for device in inputs if device.index is not None])
    _show("outputs, for --output", outputs)


def _show(title: str, found: Sequence[AudioDevice]) -> None:
    if found:
        click.echo(title)
    for device in found:
        star = "*" if device.is_default else " "
        number = "" if device.index is None else f"{device.index:3d}  "
        kind = ", monitor" if device.is_monitor else ""
        system = device.description or device.host_api
        click.echo(
            f"{star} {number}{device.name}  ({system}, {device.max_channels} ch, {device.default_rate_hz} Hz{kind})"
        )
