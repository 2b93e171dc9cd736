"""``python -m train fetch``: download free data sets."""

from __future__ import annotations

from pathlib import Path

import click

from train.data.debian.fetch import default_folder, fetch
from train.data.debian.games import GAMES
from train.data.debian.labels import hours
from train.data.debian.packages import PACKAGES


@click.command("fetch")
@click.argument("data_set", type=click.Choice(["debian", "games"]))
@click.option("--small", is_flag=True, help="Only a few small packages, with every kind of sound.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to download to.  [default: one named after the data set, in the user's cache]",
)
def fetch_command(data_set: str, small: bool, into: Path | None) -> None:
    """Download free sound from Debian's archive.

    debian: music, effects and speech to learn from, 2 GB, which become 0.6 GB of 16 kHz mono. games: the music of
    fourteen more games, 0.4 GB, to measure on, which no model learns from.

    Nothing is installed. Packages that are there already are not downloaded again: after an interruption, run the same
    command again.
    """
    table = GAMES if data_set == "games" else PACKAGES
    packages = [package for package in table if package.small or not small]
    folder = into or default_folder(data_set)
    rows = fetch(folder, packages)
    said = ", ".join(f"{kind} {amount:.1f} h" for kind, amount in hours(rows).items())
    click.echo(f"{folder}: {len(rows)} pieces; {said}")
