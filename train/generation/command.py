"""``python -m train generate``: make sound of a genre."""

from __future__ import annotations

from pathlib import Path

import click
import soundfile

from streamer.errors import StreamError
from train.generation.made_sound import TASKS, SoundMaker, default_path

task_option = click.option(
    "--task",
    type=click.Choice(list(TASKS)),
    default=next(iter(TASKS)),
    show_default=True,
    help="Task that trained the generator.",
)

temperature_option = click.option(
    "--temperature",
    type=float,
    default=1.0,
    show_default=True,
    help="Factor on the deviations of frames: below 1 is calmer.",
)


@click.command("generate")
@click.option("--genre", required=True, help="Genre, such as jazz.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Length of the sound.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed; the same gives the same sound.")
@temperature_option
@task_option
@click.option("--run", default="", help="Run: its folder, or its name in runs/TASK.  [default: the last one]")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="WAV file to write.  [default: GENRE.wav]"
)
def generate_command(
    genre: str, seconds: float, seed: int, temperature: float, task: str, run: str, out: Path | None
) -> None:
    """Make sound of a genre by a trained generator, and write it to a WAV file, whose path is printed."""
    maker = SoundMaker.of_run(task, run)
    sound = maker.sound(genre, seconds, seed, temperature)
    path = out or default_path(genre)
    try:
        soundfile.write(path, sound, maker.front_end.sample_rate_hz, format="WAV", subtype="PCM_16")
    except (OSError, soundfile.LibsndfileError) as error:
        raise StreamError(
            f"{path} cannot be written ({error}); expected a file in a folder that may be written to: set --out"
        ) from error
    click.echo(path)
