"""``python -m train render``: make recordings of solo instruments, drums and ensembles from scores."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from train.data.debian.fetch import default_folder
from train.data.rendered import hours_by_arrangement
from train.render.packages import SCORES, SOUNDFONTS
from train.render.pieces import Orchestra, render_pieces
from train.render.sources import fetch_sources, placed_scores, soundfont_file
from train.render.synthesis import check_synthesisers

_log = logging.getLogger(__name__)


@click.command("render")
@click.option(
    "--hours", type=click.FloatRange(min=0), default=3.0, show_default=True, help="Hours of sound wanted."
)
@click.option("--small", is_flag=True, help="Only two small soundfonts, and the scores of one package.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of everything random."
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to render to.  [default: rendered, in the user's cache]",
)
def render_command(hours: float, small: bool, seed: int, into: Path | None) -> None:
    """Render solo instruments, drums, ensembles and whole MIDI files with the soundfonts of Debian's packages.

    Soundfonts and MIDI files are downloaded first, 380 MB, 15 MB with --small; nothing is installed. FluidSynth plays
    the soundfonts, WildMIDI the patches of one package. What is rendered already counts towards the hours: after an
    interruption, run the same command again.
    """
    folder = into or default_folder("rendered")
    soundfonts = [soundfont for soundfont in SOUNDFONTS if soundfont.small or not small]
    packages = [package for package in SCORES if package.small or not small]
    fetch_sources(folder, soundfonts, packages)
    files = [soundfont_file(folder, soundfont) for soundfont in soundfonts]
    check_synthesisers(files)
    scores, useless = placed_scores(folder, packages)
    for dropped in useless:
        _log.info("skipped %s: %s", dropped.source, dropped.reason)
    orchestra = Orchestra(tuple(zip(soundfonts, files, strict=True)), tuple(scores))
    rows, skipped = render_pieces(folder, orchestra, hours, seed)
    for dropped in skipped:
        _log.info("skipped %s: %s", dropped.source, dropped.reason)
    kinds = ", ".join(f"{kind} {amount:.2f} h" for kind, amount in hours_by_arrangement(rows).items())
    click.echo(
        f"{folder}: {len(rows)} pieces; {kinds or 'nothing rendered'}; "
        f"skipped {len(skipped)} pieces and {len(useless)} of {len(useless) + len(scores)} scores"
    )
