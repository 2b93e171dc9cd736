"""Render pieces in batches until a folder holds the wanted hours; a batch that is there is not rendered again."""

from __future__ import annotations

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from streamer.arrays import Array
from streamer.errors import StreamError
from train import augment
from train.data.debian.cut import SKIPPED, Dropped, read_skipped, write_table, write_vorbis
from train.data.decode import RATE_HZ, ClipError
from train.data.rendered import INDEX, RenderedPiece, read_index, write_index
from train.render.arrange import arrange
from train.render.packages import Soundfont
from train.render.score import ScoreError
from train.render.sources import PlacedScore
from train.render.synthesis import synthesise

BATCH = 16
"""Pieces of a batch: some five minutes of sound, of which an interrupted run loses at most one batch."""
WORKERS = 2
"""Threads that render; the synthesisers are processes of their own."""
PEAK = 0.9
"""Peak of every piece, re full scale. Levels are drawn where examples are mixed."""
ROOM_SHARE = 0.4
"""Share of the pieces that are played in a room. Noise and far microphones come where examples are mixed, and where the
labels know of pauses."""
SHORTEST_S = 1.0
AUDIBLE_SHARE = 0.6
"""Least share of a piece that is audible: a stroke now and then is no music yet."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Orchestra:
    """Everything that pieces are made of.

    Attributes
    ----------
    soundfonts : tuple of (Soundfont, Path)
        Soundfonts, each with its file. Every piece draws one of them, and with it the fold.
    scores : tuple of PlacedScore
        Scores of all folds.
    """

    soundfonts: tuple[tuple[Soundfont, Path], ...]
    scores: tuple[PlacedScore, ...]


def render_pieces(
    folder: Path, orchestra: Orchestra, hours: float, seed: int
) -> tuple[list[RenderedPiece], list[Dropped]]:
    """Render batches of pieces into ``pieces/SEED-BATCH`` until the folder holds `hours` of them, and write the index.

    Parameters
    ----------
    folder : Path
        Folder for the batches and ``index.csv``.
    orchestra : Orchestra
        Soundfonts and scores.
    hours : float
        Hours of sound that the folder shall hold, with what is there already.
    seed : int
        Seed of everything random. Together with the number of a piece it determines the piece.

    Returns
    -------
    pieces : list of RenderedPiece
        All pieces in the folder.
    dropped : list of Dropped
        Pieces that were skipped, in all batches.

    Raises
    ------
    StreamError
        If no piece of a batch can be rendered.
    """
    place = folder / "pieces"
    place.mkdir(parents=True, exist_ok=True)
    rows = [row for index in sorted(place.glob(f"[0-9]*/{INDEX}")) for row in read_index(index)]
    done_s, batch = sum(row.seconds for row in rows), 0
    with tqdm(
        total=round(hours * 3600), initial=round(done_s), unit=" s", desc="rendering", disable=None
    ) as bar:
        while done_s < hours * 3600:
            name = f"{seed}-{batch:05}"
            if not (place / name).is_dir():
                made = _render_batch(place, name, orchestra, seed, batch * BATCH)
                rows += made
                seconds = sum(row.seconds for row in made)
                done_s += seconds
                bar.update(round(seconds))
                _log.info("batch %s: %d pieces, %.2f of %g h", name, len(made), done_s / 3600, hours)
                write_index(folder / INDEX, rows)
            batch += 1
    write_index(folder / INDEX, rows)
    return rows, [row for table in sorted(place.glob(f"[0-9]*/{SKIPPED}")) for row in read_skipped(table)]


def _render_batch(place: Path, name: str, orchestra: Orchestra, seed: int, first: int) -> list[RenderedPiece]:
    # Written under another name and then renamed, so that a killed run leaves no incomplete batch.
    partial = place / f"partial-{name}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    pool = ThreadPoolExecutor(WORKERS)
    try:
        numbers = range(first, first + BATCH)
        made = list(pool.map(lambda number: _render_one(partial, name, orchestra, seed, number), numbers))
    finally:
        pool.shutdown(cancel_futures=True)  # otherwise an interrupted run would continue to the batch's end
    rows = [row for row in made if isinstance(row, RenderedPiece)]
    dropped = [row for row in made if isinstance(row, Dropped)]
    if not rows:
        raise StreamError(
            f"none of {BATCH} pieces can be rendered: {dropped[0].reason}; expected most of them to succeed: check the "
            f"soundfonts in {place.parent / 'soundfonts'}"
        )
    write_index(partial / INDEX, rows)
    write_table(partial / SKIPPED, Dropped, dropped)
    partial.replace(place / name)
    return rows


def _render_one(
    partial: Path, batch: str, orchestra: Orchestra, seed: int, number: int
) -> RenderedPiece | Dropped:
    """Draw, synthesise and write one piece."""
    rng = np.random.default_rng([seed, number])
    soundfont, file = orchestra.soundfonts[rng.integers(len(orchestra.soundfonts))]
    try:
        scores = [score for score in orchestra.scores if score.fold == soundfont.fold]
        piece = arrange(rng, soundfont, scores)
        sound = _without_ends(synthesise(piece.score, file))
    except (ClipError, ScoreError) as error:
        return Dropped(f"piece {number} of seed {seed}", str(error))
    in_room = rng.random() < ROOM_SHARE
    sound = augment.reverberate(rng, sound) if in_room else sound
    name = f"{number:06}.ogg"
    write_vorbis(partial / name, sound * np.float32(PEAK / np.abs(sound).max()))
    return RenderedPiece(
        file=f"{partial.parent.name}/{batch}/{name}",
        arrangement=piece.kind,
        family=piece.family,
        programmes=piece.programmes,
        soundfont=soundfont.name,
        score=piece.source,
        tempo_bpm=piece.score.tempos[0][1],
        room="room" if in_room else "dry",
        seed=seed,
        number=number,
        fold=soundfont.fold,
        seconds=round(len(sound) / RATE_HZ, 3),
        soundfont_licence=soundfont.licence,
        score_licence=piece.licence,
    )


def _without_ends(sound: Array) -> Array:
    """Return a sound without silence at its beginning and its end; refuse what is short, or mostly silent."""
    mask = augment.audible_mask(sound)
    audible = np.flatnonzero(mask)
    whole = slice(audible[0], audible[-1] + 1)
    seconds, share = len(sound[whole]) / RATE_HZ, float(mask[whole].mean())
    if seconds < SHORTEST_S or share < AUDIBLE_SHARE:
        raise ClipError(
            f"the rendering lasts {seconds:.2f} s and is audible for {share:.0%} of it; expected {SHORTEST_S:g} s or "
            f"more, and {AUDIBLE_SHARE:.0%} or more"
        )
    return sound[whole]
