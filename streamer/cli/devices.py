"""``streamer devices``: list the inputs and outputs of this machine."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print each device as a line of JSON.")
def devices(as_json: bool) -> None:
    """List the inputs for --device and the outputs for --output."""
    import json
    from dataclasses import asdict

    from streamer.audio.devices import input_devices, output_devices

    inputs, outputs = input_devices(), output_devices()
    if as_json:
        for device in inputs + outputs:
            click.echo(json.dumps(asdict(device)))
        return
    if not inputs:
        click.echo("no input device; a microphone shows up here once the system knows it", err=True)
    for title, found in (("inputs, for --device", inputs), ("outputs, for --output", outputs)):
        if found:
            click.echo(title)
        for device in found:
            star = "*" if device.is_default else " "
            click.echo(
                f"{star} {device.index:3d}  {device.name}  ({device.host_api}, {device.max_channels} ch, "
                f"{device.default_rate_hz:.0f} Hz)"
            )
