"""``streamer subscribe``: print what a publisher sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from streamer.config import DEFAULT_ADDRESS


@click.command()
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--address", default=DEFAULT_ADDRESS, show_default=True, help="Address of the publisher.")
@click.option("--keys", metavar="DIR", default="", help="Folder of CURVE keys (see `streamer keys`).")
@click.option("--json", "as_json", is_flag=True, help="Print headers as lines of JSON.")
@click.option("--count", type=click.IntRange(1), help="Stop after this many messages.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0, min_open=True),
    help="Fail after this many seconds without a message.",
)
def subscribe(
    topics: tuple[str, ...],
    address: str,
    keys: str,
    as_json: bool,
    count: int | None,
    timeout_s: float | None,
) -> None:
    """Print messages: all of them, or those of TOPICs (gate, status, scores/mic, ...)."""
    from streamer.sinks.lines import line
    from streamer.wire.encoding import header_json
    from streamer.wire.subscriber import subscribe as subscribe_to

    shown: Callable[[Any], str] = header_json if as_json else line
    with subscribe_to(*topics, address=address, keys=keys or None, timeout_s=timeout_s) as events:
        try:
            for number, event in enumerate(events, 1):
                click.echo(shown(event))
                if number == count:
                    break
        except KeyboardInterrupt:
            click.echo("", err=True)
