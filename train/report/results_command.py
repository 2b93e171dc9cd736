"""``python -m train results``: write ``docs/results.md``, and measure its figures."""

from __future__ import annotations

from pathlib import Path

import click

from streamer.errors import ConfigError
from train.report import results
from train.report.latency import draw_latency


@click.command("results")
@click.argument("names", nargs=-1)
@click.option("--commands", is_flag=True, help="Print the commands that reproduce the figures, one per line.")
@click.option(
    "--measure",
    is_flag=True,
    help="Run the commands that print figures, and write the figures into the files.",
)
@click.option(
    "--reproduce",
    is_flag=True,
    help="Like --measure, after running the commands, such as trainings, whose results are measured.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=results.FOLDER,
    show_default=True,
    help="Folder of the files of results.",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    default=results.PAGE,
    show_default=True,
    help="Page to write.",
)
def results_command(
    names: tuple[str, ...], commands: bool, measure: bool, reproduce: bool, folder: Path, page: Path
) -> None:
    """Write docs/results.md, and its plot, from docs/results/*.json.

    NAMES are files in docs/results, without .json. If any are given, only their commands are run or printed.
    """
    found = results.read_all(folder)
    known = [path.stem for path in found]
    for name in names:
        if name not in known:
            raise ConfigError(f"{folder} has no {name}.json; it has {', '.join(known)}")
    wanted = [path for path in found if not names or path.stem in names]
    if commands:
        click.echo("\n".join(results.commands(found[path] for path in wanted)))
        return
    if reproduce:
        for command in dict.fromkeys(command for path in wanted for command in found[path].before):
            click.echo(command, err=True)
            results.run(command)
    if measure or reproduce:
        for path in wanted:
            click.echo(f"{path.stem}: {found[path].command}", err=True)
            found[path] = results.measure(found[path])
            results.write(found[path], path)  # one by one: the next command may take hours
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(results.markdown(list(found.values())), encoding="utf-8")
    click.echo(page)
    if draw_latency(found, picture := page.with_name("latency.svg")):
        click.echo(picture)
