"""``streamer report``: say what was heard when, out of a history."""

from __future__ import annotations

import csv
from contextlib import closing
from pathlib import Path

import click

from streamer.cli.helpers.moment import EXPECTED, MOMENT
from streamer.cli.helpers.terminal import standard_output
from streamer.errors import ConfigError


@click.command(short_help="Say what was heard when, out of a history.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, readable=False))
@click.option(
    "--from", "since_s", type=MOMENT, default="today", show_default=True, help=f"Beginning: {EXPECTED}."
)
@click.option("--to", "until_s", type=MOMENT, default="now", show_default=True, help="End.")
@click.option("--stream", default="", help="Stream to tell of.  [default: all]")
@click.option("--label", default="", help="Label to tell of, such as music or dog.  [default: all]")
@click.option("--kind", default="", help="Kind to tell of, such as gate or sound.  [default: all]")
@click.option("--hours", "each_hour", is_flag=True, help="Tell of each hour.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print CSV: every stretch with a label, or with --hours every hour."
)
def report(
    file: Path,
    since_s: float,
    until_s: float,
    stream: str,
    label: str,
    kind: str,
    each_hour: bool,
    as_csv: bool,
) -> None:
    """Say how long each label was on, out of FILE, which `streamer listen --store FILE` writes."""
    from streamer.history.database import open_to_read
    from streamer.history.hours import by_hour
    from streamer.history.reader import Wanted, read_heard, read_notes, read_stretches
    from streamer.history.report import hour_lines, hour_table, stretch_table, summary

    if since_s >= until_s:
        raise ConfigError("--from is not before --to; expected a beginning and a later end")
    wanted = Wanted(since_s, until_s, stream, kind, label)
    with closing(open_to_read(file)) as history:
        stretches, heard = list(read_stretches(history, wanted)), read_heard(history, wanted)
        notes = read_notes(history, wanted)
    if each_hour:
        hours = by_hour(wanted, stretches, heard)
        lines, table = hour_lines(hours), hour_table(hours)
    else:
        lines, table = summary(wanted, stretches, notes, heard), stretch_table(stretches)
    if as_csv:
        csv.writer(standard_output(), lineterminator="\n").writerows(table)
    else:
        click.echo("\n".join(lines) or f"{file} has nothing of that time; --from and --to choose another")
