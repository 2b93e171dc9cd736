"""``streamer search``: list when a label was heard, out of a history."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from pathlib import Path

import click

from streamer.cli.helpers.moment import EXPECTED, MOMENT


@click.command(short_help="List when a label was heard, out of a history.")
@click.argument("label")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, readable=False))
@click.option("--from", "since_s", type=MOMENT, help=f"Beginning: {EXPECTED}.  [default: the history's]")
@click.option("--to", "until_s", type=MOMENT, default="now", show_default=True, help="End.")
@click.option("--stream", default="", help="Stream to search.  [default: all]")
@click.option(
    "--last", type=click.IntRange(1), default=20, show_default=True, help="Most stretches, the latest ones."
)
def search(label: str, file: Path, since_s: float | None, until_s: float, stream: str, last: int) -> None:
    """List when LABEL was heard, such as dog, out of FILE, which `streamer listen --store FILE` writes."""
    from streamer.history.database import open_to_read
    from streamer.history.reader import Wanted, read_stretches
    from streamer.history.report import line_of

    wanted = Wanted(since_s or 0.0, until_s, stream, label=label)
    with closing(open_to_read(file)) as history:
        found = deque(read_stretches(history, wanted), maxlen=last)
    if not found:
        click.echo(f"{label} was not heard; labels are listed by: streamer report {file}")
    for stretch in found:
        click.echo(line_of(stretch))
