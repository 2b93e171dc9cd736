"""``streamer keys``: make the keys that publishing to other machines needs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Make the keys that publishing to other machines needs.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, readable=False))
@click.option(
    "--client",
    "clients",
    multiple=True,
    metavar="NAME",
    help="Name of a subscriber to make keys for; repeatable.",
)
def keys(folder: Path, clients: tuple[str, ...]) -> None:
    """Make CURVE keys in DIR, which publishing to other machines needs."""
    from streamer.wire.keys import make_keys

    for path in make_keys(folder, clients):
        click.echo(
            f"{path}: hand this folder to {path.name}, for --keys there; keep the rest of {folder} here"
        )
