"""``python -m train judge``: what our own gate and genre model make of a generator's sound."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.generation import page
from train.generation.bounds import HeldOutMusic, mean_powers, noises, revocode
from train.generation.command import task_option, temperature_option
from train.generation.judgement import Judges, judge_all
from train.generation.made_sound import TASKS, SoundMaker, count_samples
from train.loop.config import read_config
from train.loop.run import CACHE, current_commit, data_folder, find_run

Clips = Mapping[str, Iterator[Array]]
"""Clips that are made as they are taken, by genre."""


@click.command("judge")
@click.option("--clips", type=int, default=4, show_default=True, help="Clips of each genre.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Length of a clip.")
@temperature_option
@task_option
@click.option("--run", default="", help="Run: its folder, or its name in runs/TASK.  [default: the last one]")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder, such as docs/laboratory, in which the figures are stored; the page beside it gets its table.",
)
def judge_command(
    clips: int, seconds: float, temperature: float, task: str, run: str, into: Path | None
) -> None:
    """Measure a generator's sound by the released gate and genre model; print JSON.

    The same is measured of held-out music, of held-out music that went through the vocoder, and of noise with the mean
    spectrum of each genre.
    """
    if clips < 1:
        raise ConfigError(f"clips is {clips}; expected 1 or more of each genre")
    commit = current_commit()  # before the files of the figures change
    folder = find_run(task, run)
    maker, judges = SoundMaker.of_run(task, str(folder)), Judges()
    kinds = {
        task: _made(maker, clips, seconds, temperature),
        **_bounds(maker, folder, task, clips, seconds),
    }
    found = {kind: judge_all(sounds, judges) for kind, sounds in kinds.items()}
    click.echo(json.dumps(found, indent=2))
    if into:
        command = shlex.join(["python", "-m", "train", *sys.argv[1:]])
        origin = {"command": command, "commit": commit, "date": time.strftime("%Y-%m-%d")}
        click.echo(page.write(into, {kind: {**rows, **origin} for kind, rows in found.items()}), err=True)


def _made(maker: SoundMaker, clips: int, seconds: float, temperature: float) -> Clips:
    return {
        genre: (maker.sound(genre, seconds, seed, temperature) for seed in _seeds(maker, genre, clips))
        for genre in maker.genres
    }


def _seeds(maker: SoundMaker, genre: str, clips: int) -> range:
    """Return the seeds of a genre's clips: none has that of another genre's."""
    first = clips * maker.genres.index(genre)
    return range(first, first + clips)


def _bounds(maker: SoundMaker, run: Path, task: str, clips: int, seconds: float) -> dict[str, Any]:
    config, front_end = read_config(TASKS[task][0], run / "config.json"), maker.front_end
    samples, data = count_samples(seconds, front_end), data_folder()
    music = HeldOutMusic(maker.genres, config.fold_of("test"), data, CACHE)
    powers = mean_powers(maker.genres, config.learnt_folds, front_end, data)
    return {
        page.VOCODED: {
            genre: (
                revocode(sound, front_end, seed)
                for seed, sound in enumerate(music.excerpts(genre, clips, samples))
            )
            for genre in maker.genres
        },
        page.MUSIC: {genre: music.excerpts(genre, clips, samples) for genre in maker.genres},
        page.NOISE: {genre: noises(powers[genre], clips, samples) for genre in maker.genres},
    }
