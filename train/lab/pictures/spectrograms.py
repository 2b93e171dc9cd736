"""``python -m train lab-spectrograms``: what the laboratory's separations make of one clip, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.songs import SongStems, read_stems
from train.lab import results
from train.lab.rows import ROWS
from train.lab.systems.separation import FOLD, SongSeparation, clips_of
from train.report.songs import RANGE_DB, TOP_HZ, spectrogram_db

SYSTEMS = {name: row.system for name, row in ROWS.items() if isinstance(row.system, SongSeparation)}
COLUMN_INCHES, ROW_INCHES, DOTS_PER_INCH = 4.0, 1.3, 100


@click.command("lab-spectrograms")
@click.option(
    "--only",
    "names",
    multiple=True,
    type=click.Choice(list(SYSTEMS)),
    help="Row to draw; repeatable.  [default: those that are measured]",
)
@click.option("--clip", help="Clip of MIR-1K's fold 5 that the laboratory measures.  [default: the first]")
@click.option(
    "--into",
    type=click.Path(dir_okay=False, path_type=Path),
    default=results.FOLDER / "separation.png",
    show_default=True,
    help="Picture to write.",
)
def spectrograms_command(names: Sequence[str], clip: str | None, into: Path) -> None:
    """Draw the spectrograms of both stems of a clip, the true ones and those of each separation, below one another.

    A separation that has to be trained is trained first, unless its run is there.
    """
    chosen = names or [name for name in results.read(results.FOLDER) if name in SYSTEMS]
    if not chosen:
        raise ConfigError("no separation is measured; expected one: give --only, or python -m train lab")
    songs = {song.name: song for song in clips_of(FOLD)}
    name = clip or next(iter(songs))
    if name not in songs:
        raise ConfigError(f"the laboratory measures no clip {name!r}; expected one of {', '.join(songs)}")
    truth = read_stems(songs[name])
    into.parent.mkdir(parents=True, exist_ok=True)
    draw(stems_of(truth, chosen), truth, name).savefig(into, dpi=DOTS_PER_INCH, metadata={"Software": None})
    click.echo(into)


def stems_of(truth: SongStems, names: Sequence[str]) -> dict[str, tuple[Array, Array]]:
    """Return voice and accompaniment of a clip by the title of each row, float32, shape (samples, channels)."""
    mixture, found = truth.voice + truth.music, {}
    for name in names:
        stems, _ = SYSTEMS[name].maker(name, FOLD).separator(mixture, truth.rate_hz)
        found[ROWS[name].title] = stems.voice[0], stems.music[0]
    return found


def draw(stems: Mapping[str, tuple[Array, Array]], truth: SongStems, clip: str) -> Figure:
    """Return the figure: the mixture, the true stems, and those of each separation in a row of their own.

    Parameters
    ----------
    stems : mapping of str to (Array, Array)
        Voice and accompaniment by the title of each separation, shape (samples, channels).
    truth : SongStems
        True stems of the clip.
    clip : str
        Name of the clip.
    """
    pictures = {"true": (truth.voice, truth.music), **stems}
    rows = len(pictures) + 1
    figure = Figure((2 * COLUMN_INCHES, rows * ROW_INCHES), layout="constrained")
    axes = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    mixture = truth.voice + truth.music
    loudest = float(np.max(spectrogram_db(mixture, truth.rate_hz)))
    _picture(axes[0, 0], f"mixture, {clip}", mixture, truth.rate_hz, loudest)
    axes[0, 1].set_axis_off()
    for row, (title, pair) in zip(axes[1:], pictures.items(), strict=True):
        for place, stem, sound in zip(row, ("voice", "accompaniment"), pair, strict=True):
            _picture(place, f"{stem}, {title}", sound, truth.rate_hz, loudest)
    figure.supxlabel("time, s", fontsize=8)
    figure.supylabel("frequency, kHz", fontsize=8)
    return figure


def _picture(axes: Axes, title: str, sound: Array, rate_hz: int, loudest: float) -> None:
    axes.imshow(
        spectrogram_db(sound, rate_hz).T,
        cmap="magma",
        vmin=loudest - RANGE_DB,
        vmax=loudest,
        origin="lower",
        aspect="auto",
        extent=(0.0, len(sound) / rate_hz, 0.0, TOP_HZ / 1_000),
    )
    axes.set_title(title, fontsize=8, loc="left")
    axes.tick_params(labelsize=7)
