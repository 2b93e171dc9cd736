"""``python -m train stems``: let Spleeter take songs apart, so that ours can learn from songs without known stems."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import soundfile
import soxr

from streamer.arrays import Array
from streamer.errors import ConfigError, StreamError
from train.data.decode import read_sound
from train.data.recordings import is_sound
from train.data.whole_folder import written_whole
from train.loop.commands.options import spleeter_option
from train.tasks.separation.figures import SongSeparator
from train.teachers.spleeter import SpleeterSongSeparator
from train.teachers.spleeter_network import read_networks

HIGHEST_HZ = 22_050
"""Highest sample rate of the stems: the teacher hears nothing above half of it."""
LEAST_VOICED = 0.1
"""Least share of the time with a voice of a song that is kept."""
HEARD = 0.5
"""Share of the voice in the power of both stems from which a hop counts as one with a voice."""
WORD = "teacher.csv"
"""File in the folder of songs with the teacher's word on each recording."""
COLUMNS = ("recording", "voiced", "song")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaughtSong:
    """A song as the teacher takes it apart.

    Attributes
    ----------
    vocals, accompaniment : float32 array, shape (samples, channels)
        Stems, which add up to the song.
    rate_hz : int
        Sample rate of the stems, in hertz.
    voiced : float
        Share of the time with a voice, 0 to 1.
    """

    vocals: Array
    accompaniment: Array
    rate_hz: int
    voiced: float


def take_apart(mixture: Array, rate_hz: int, teacher: SongSeparator) -> TaughtSong:
    """Return the stems of a song by a teacher's word.

    What the teacher gives to neither stem is left to the accompaniment. If a stem is over full scale, as parts of a
    loud mixture may be, both are turned down.

    Parameters
    ----------
    mixture : float32 array, shape (samples, channels)
        One channel or two.
    rate_hz : int
        Sample rate of the mixture, in hertz; above `HIGHEST_HZ` it is reduced.
    teacher : SongSeparator

    Raises
    ------
    StreamError
        If the teacher does not take such a song.
    """
    if rate_hz > HIGHEST_HZ:
        mixture, rate_hz = soxr.resample(mixture, rate_hz, HIGHEST_HZ), HIGHEST_HZ
    stems, _ = teacher(mixture, rate_hz)
    vocals = stems.voice[0]
    accompaniment = mixture - vocals
    scale = 1 / max(1.0, *(float(np.abs(stem).max(initial=0)) for stem in (vocals, accompaniment)))
    voiced = float(np.mean(stems.voiced[0] > HEARD)) if stems.voiced.size else 0.0
    return TaughtSong(vocals * scale, accompaniment * scale, rate_hz, voiced)


def find_recordings(sources: Sequence[Path]) -> dict[str, Path]:
    """Return the sound files among, and at any depth below, some paths, by the names that their songs get.

    Raises
    ------
    ConfigError
        If a path has no sound, or two files would get one name.
    """
    found: dict[str, Path] = {}
    for source in sources:
        files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if is_sound(path))
        if not files:
            raise ConfigError(f"{source} has no sound files; expected a sound file, or a folder with some")
        for path in files:
            inside = path.relative_to(source) if path != source else Path(path.name)
            name = "-".join(inside.with_suffix("").parts)
            if name in found:
                raise ConfigError(
                    f"{found[name]} and {path} would both be the song {name}; rename one, or give them in two commands "
                    "with an --out for each"
                )
            found[name] = path
    return found


class SongFolder:
    """Folder of songs with a folder of stems each, and a file with the teacher's word on every recording.

    Parameters
    ----------
    folder : Path
        Folder, which is made if it is not there. It may hold songs of an earlier call.
    least_voiced : float
        Least share of the time with a voice of a song that is kept.
    """

    def __init__(self, folder: Path, least_voiced: float) -> None:
        self._folder, self._least = folder, least_voiced
        folder.mkdir(parents=True, exist_ok=True)
        self._word = folder / WORD
        self.known: set[str] = set()
        if self._word.exists():
            with self._word.open(newline="", encoding="utf-8") as file:
                self.known = {row[COLUMNS[0]] for row in csv.DictReader(file)}
        else:
            self._note(COLUMNS)

    def add(self, name: str, path: Path, song: TaughtSong) -> bool:
        """Write the stems of a song if it has enough of a voice; return whether it has.

        Parameters
        ----------
        name : str
            Name of the song.
        path : Path
            Its recording.
        song : TaughtSong
        """
        kept = song.voiced >= self._least
        if kept and not (self._folder / name).exists():  # a call that was stopped may have written it
            with written_whole(self._folder / name) as partial:
                for stem in ("vocals", "accompaniment"):
                    sound = getattr(song, stem)
                    soundfile.write(partial / f"{stem}.flac", sound, song.rate_hz, subtype="PCM_16")
        self._note((str(path), f"{song.voiced:.3f}", name if kept else ""))
        return kept

    def _note(self, row: Sequence[str]) -> None:
        with self._word.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)


@click.command("stems")
@click.argument(
    "sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="SOUND..."
)
@spleeter_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for a folder of stems for each song, which `data` of a separation may name.",
)
@click.option(
    "--least-voiced",
    type=click.FloatRange(0, 1),
    default=LEAST_VOICED,
    show_default=True,
    help="Least share of the time with a voice; songs with less are not kept.",
)
def stems_command(sources: tuple[Path, ...], wheel: Path, out: Path, least_voiced: float) -> None:
    """Take songs apart by Spleeter's two stems, for a separation to learn from; print how many.

    SOUND is a sound file, or a folder that has some at any depth. A call that was stopped goes on where it was.
    """
    found = find_recordings(sources)
    read_networks(wheel)  # another wheel is refused before anything is written
    teacher, folder = SpleeterSongSeparator(wheel), SongFolder(out, least_voiced)
    left = {name: path for name, path in found.items() if str(path) not in folder.known}
    kept = unread = 0
    for name, path in left.items():
        try:
            song = take_apart(*read_sound(path), teacher)
        except StreamError as error:
            unread += 1
            _log.warning("skipped %s: %s", path, error)
            continue
        kept += folder.add(name, path, song)
    unvoiced = len(left) - kept - unread
    click.echo(
        f"new songs in {out}: {kept}; recordings with too little of a voice: {unvoiced}; not usable: {unread}; known "
        f"before: {len(found) - len(left)}"
    )
